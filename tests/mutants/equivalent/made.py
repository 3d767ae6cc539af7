"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "05_made"

# 05: sentences that several of its mutants share.
_EXACT = "Zeros and ones are exact in half precision too, and a product takes the weight's type."
_TENSOR = "What is handed over is a tensor already, as the docstring says."
_OWNER = "A layer writes nothing into its mask; what the caller writes into his later is not asked."
_AS_MANY = "There are as many masks as layers: nothing is left for strict to refuse."

_PLACE = "place = torch.arange(1, n + 1) if place is None else torch.as_tensor(place)"
_REGISTER = 'self.register_buffer("mask", torch.as_tensor(mask).float().clone())'
_ZIP = "for layer, mask in zip(self.layers, build_masks(self.degrees, place), strict=True):"
_HIDDEN = "masks.append((layer[:, None] >= below[None, :]).float())"
_OUTPUT = "masks.append((place[:, None] > below[None, :]).float())"

_EDGES = (
    "Output 1 sees nothing and no unit sees input n: without them nothing is counted otherwise."
)
_INPUT_N = "No unit and no output sees input n: without it nothing is counted otherwise."
_ONE_NUMBER = "A tensor of one whole number is an integer too."

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    ("assign_degrees", "lowest = int(layer.min())", "int(layer.min())", "layer.min()"): (
        "torch.randint takes a tensor of one whole number as it takes an int."
    ),
    (
        "build_masks",
        _OUTPUT,
        "(place[:, None] > below[None, :]).float",
        "(place[:, None] > below[None, :]).half",
    ): "Masks are floats or bools: half precision is a float, and holds 0 and 1 exactly.",
    (
        "build_masks",
        _HIDDEN,
        "(layer[:, None] >= below[None, :]).float",
        "(layer[:, None] >= below[None, :]).half",
    ): "Masks are floats or bools: half precision is a float, and holds 0 and 1 exactly.",
    (
        "MaskedLinear",
        _REGISTER,
        "torch.as_tensor(mask).float().clone()",
        "torch.as_tensor(mask).float()",
    ): _OWNER,
    ("MaskedLinear", _REGISTER, "torch.as_tensor(mask).float", "torch.as_tensor(mask).half"): (
        _EXACT
    ),
    ("MaskedLinear", _REGISTER, "torch.as_tensor(mask)", "mask"): _TENSOR,
    ("MADE", _PLACE, "torch.as_tensor(place)", "place"): _TENSOR,
    ("MADE", "place = torch.as_tensor(place).cpu()", "torch.as_tensor(place)", "place"): _TENSOR,
    (
        "MADE",
        _ZIP,
        "zip(self.layers, build_masks(self.degrees, place), strict=True)",
        "zip(self.layers, build_masks(self.degrees, place))",
    ): _AS_MANY,
    ("MADE", _ZIP, "True", "False"): _AS_MANY,
    (
        "MADE",
        'return F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(1)',
        "1",
        "-1",
    ): "The last of two axes is axis 1.",
    (
        "MADE",
        "x = torch.zeros(count, self.n, device=self.place.device)",
        "torch.zeros",
        "torch.ones",
    ): ("Undrawn entries may hold anything: no logit that is asked for sees them."),
    (
        "MADE",
        "self.layers = nn.ModuleList(MaskedLinear(m.shape[1], m.shape[0], m) for m in masks)",
        "1",
        "-1",
    ): "The last of two axes is axis 1.",
    ("made_parameters", "below = torch.arange(1, n + 1)", "n + 1", "n"): _INPUT_N,
    ("made_parameters", "below = torch.arange(1, n + 1)", "1", "2"): _EDGES,
    ("made_parameters", "outputs = torch.arange(1, n + 1)", "1", "2"): _EDGES,
    ("made_parameters", "below = torch.arange(1, n + 1)", "1", "0"): _EDGES,
    ("made_parameters", "outputs = torch.arange(1, n + 1)", "1", "0"): _EDGES,
    ("made_parameters", "outputs = torch.arange(1, n + 1)", "1", "-1"): _EDGES,
    (
        "made_parameters",
        "return count + int((outputs[:, None] > below[None, :]).sum())",
        "int((outputs[:, None] > below[None, :]).sum())",
        "(outputs[:, None] > below[None, :]).sum()",
    ): _ONE_NUMBER,
    (
        "made_parameters",
        "count += int((degrees[:, None] >= below[None, :]).sum()) + size",
        "int((degrees[:, None] >= below[None, :]).sum())",
        "(degrees[:, None] >= below[None, :]).sum()",
    ): _ONE_NUMBER,
}
