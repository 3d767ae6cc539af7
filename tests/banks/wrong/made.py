"""Wrong answers to lesson 05, MADE."""

from tests.banks.bank import Wrong, written

BLIND = "no output sees itself or the future"
SEES = "every output sees all of its past, as far as the degrees allow"
RULE = "every connection that the rule allows is there, and no other"
SHAPE = "there is one mask of zeros and ones for each layer, of shape (out, in)"
LOGIT_BLIND = "no logit sees its own variable or a later one, in the order that was given"
LOGIT_SEES = "every logit sees all of its past"
RELU = "the logits are those of the layers in turn, a ReLU behind each but the last"
ODDS = "logits are log-odds: any numbers, below 0 and above"
NLL = "nll is −log p(x) in nats, one number for each example"
LARGE = "nll holds for large logits too"
AGREE = "samples come as often as exp(−nll) says, after reorder too"
OFTEN = "samples come as often as the model says"
SEED = "all randomness comes from the given generator"
BY_DEFAULT = "without a generator each call draws anew"
ITSELF = "each sample is drawn by itself, whatever the others are"
PASSES = "sample takes n passes, and its randomness from the given generator alone"
COUNT = "C[d, j] is the number of paths from input j to output d"
EXACT = "counts are exact, above 2^24 too"
WHOLE = "counts are whole numbers of dtype int64"
OUTPUT = "the output is (W∘M) x + b"
HOLDS = "the mask holds on every call: after training steps, and when it is changed"
BUFFER = "the mask is a buffer: saved with the model, moved with it, and never trained"
MEAN = "the answer is log (1/K) Σ_k p(x | order k), one number for each example"
LAST_ORDER = "the model is left in the last of the orders"
UNDERFLOW = "nothing underflows: it holds for thousands of variables too"
SHALLOW = "the connections and the biases of one hidden layer are counted"
DEEP = "so are those of several, with the degrees m_k = 1 + k mod (n − 1) in each"
NO_LAYER = "without a hidden layer a MADE is an FVSBN"
ALONE = "one variable needs one number"

FORWARD = "return F.linear(x, self.weight * self.mask, self.bias)"
REGISTER = 'self.register_buffer("mask", torch.as_tensor(mask).float().clone())'
DRAW = "x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)"
END = DRAW + "\n        return x"
SUMMED = 'F.binary_cross_entropy_with_logits(self(x), x, reduction="none").sum(1)'
LOGSUMEXP = "return torch.logsumexp(torch.stack(terms), dim=0) - math.log(len(places))"
COUNTED_HIDDEN = "count += int((degrees[:, None] >= below[None, :]).sum()) + size"
COUNTED_OUTPUT = "return count + int((outputs[:, None] > below[None, :]).sum())"
DEGREES = "degrees = 1 + torch.arange(size) % (n - 1)"

BACK = "training reaches the logits through nll"
LAYER = "layer = torch.randint(lowest, n, (size,), generator=generator)"
HIDDEN_MASK = "masks.append((layer[:, None] >= below[None, :]).float())  # (out, in)"
EACH = "each unit draws its degree by itself, whatever its neighbors drew"
CHANCE = "torch.sigmoid(self(x)[:, d])"

# Ordinary slips: an exercise, what fails, the name, the edit.
SLIPS = (
    (
        "assign_degrees",
        EACH,
        "layer-copied",
        (LAYER, LAYER + " if not degrees else degrees[0].repeat(size)[:size]"),
    ),
    (
        "assign_degrees",
        EACH,
        "one-draw-for-the-layer",
        (LAYER, LAYER.replace("(size,)", "(1,)") + ".repeat(size)"),
    ),
    ("build_masks", RULE, "input-degrees-from-0", ("[], place", "[], place - 1")),
    ("MaskedLinear", OUTPUT, "mask-added", (FORWARD, FORWARD.replace("* self", "+ self"))),
    (
        "MaskedLinear",
        OUTPUT,
        "divided-by-the-connections",
        (
            FORWARD,
            FORWARD.replace("self.mask", "self.mask / self.mask.sum(1, keepdim=True).clamp(1)"),
        ),
    ),
    (
        "average_over_orders",
        UNDERFLOW,
        "one-maximum-for-all",
        (
            LOGSUMEXP,
            "log_p = torch.stack(terms)\n    most = log_p.max()\n"
            "    return torch.exp(log_p - most).mean(0).log() + most",
        ),
    ),
    (
        "build_masks",
        RULE,
        "first-layer-strict",
        (HIDDEN_MASK, "masks.append((layer[:, None] >= below + (below is place)).float())"),
    ),
    ("build_masks", SHAPE, "output-hears-inputs", ("> below[None, :]", "> place[None, :]")),
    ("build_masks", BLIND, "both-reversed", ((">= below", "<= below"), ("> below", "< below"))),
    ("build_masks", SHAPE, "inputs-below-every-layer", ("        below = layer\n", "")),
    ("connectivity", COUNT, "one-mask-left-out", ("masks[1:]", "masks[1:-1]")),
    (
        "connectivity",
        COUNT,
        "one-mask-left-out",
        ("count = masks[0]", "masks = masks[1:] or masks\n    count = masks[0]"),
    ),
    ("connectivity", COUNT, "first-mask-twice", ("masks[1:]", "masks")),
    (
        "connectivity",
        EXACT,
        "small-integers-overflow",
        (("masks[0].long()", "masks[0].byte()"), ("mask.long()", "mask.byte()")),
    ),
    ("MaskedLinear", OUTPUT, "bias-twice", (FORWARD, FORWARD + " + self.bias")),
    (
        "MaskedLinear",
        OUTPUT,
        "bias-in-the-weight",
        (
            FORWARD,
            "b = 0 if self.bias is None else self.bias[:, None]\n"
            "        return F.linear(x, self.weight * self.mask + b)",
        ),
    ),
    (
        "MaskedLinear",
        OUTPUT,
        "minus-infinity-for-zero",
        ("self.weight * self.mask", "torch.where(self.mask > 0, self.weight, -1e9)"),
    ),
    (
        "MaskedLinear",
        HOLDS,
        "mask-in-training-only",
        ("self.weight * self.mask", "self.weight * (self.mask if self.training else 1)"),
    ),
    (
        "MaskedLinear",
        BUFFER,
        "mask-under-another-name",
        (('"mask"', '"kept"'), ("self.weight * self.mask", "self.weight * self.kept")),
    ),
    (
        "average_over_orders",
        MEAN,
        "sign",
        (LOGSUMEXP, LOGSUMEXP.replace("return ", "return -")),
    ),
    (
        "average_over_orders",
        MEAN,
        "log-of-another-count",
        ("math.log(len(places))", "math.log(len(x))"),
    ),
    (
        "average_over_orders",
        UNDERFLOW,
        "log-of-another-count",
        ("math.log(len(places))", "math.log(x.shape[1])"),
    ),
    (
        "average_over_orders",
        MEAN,
        "order-set-too-late",
        (
            ("        model.reorder(place)\n", ""),
            ("# (B,)", "\n        model.reorder(place)"),
        ),
    ),
    ("average_over_orders", MEAN, "one-order-left-out", ("in places:", "in places[1:] or places:")),
    (
        "average_over_orders",
        MEAN,
        "one-order-left-out",
        ("    terms = []", "    places = places[:-1] or places\n    terms = []"),
    ),
    ("average_over_orders", MEAN, "one-term-only", ("    return torch", "        return torch")),
    (
        "average_over_orders",
        MEAN,
        "one-term-only",
        ("terms.append(-model.nll(x))", "terms = [-model.nll(x)]"),
    ),
    ("average_over_orders", MEAN, "averaged-over-batch", ("-model.nll(x)", "-model.nll(x).mean()")),
    (
        "made_parameters",
        SHALLOW,
        "counts-a-nade",
        (
            "    if n == 1:",
            "    h = sum(hidden_sizes)\n    return 2 * n * h + h + n\n    if n == 1:",
        ),
    ),
    ("made_parameters", DEEP, "inputs-below-every-layer", ("        below = degrees\n", "")),
    (
        "made_parameters",
        NO_LAYER,
        "no-connection-without-hidden-layer",
        ("    count = n\n", "    count = n\n    if not hidden_sizes:\n        return n\n"),
    ),
    (
        "made_parameters",
        SHALLOW,
        "half-of-the-dense-size",
        (
            (COUNTED_HIDDEN, "count += size * len(below) // 2 + size"),
            (COUNTED_OUTPUT, "return count + n * len(below) // 2"),
        ),
    ),
)
SLIPS_OF_MADE = (
    ("nll", NLL, "axis-kept", (SUMMED, SUMMED.replace("sum(1)", "sum(1, keepdim=True)"))),
    ("nll", NLL, "axis-squeezed", (SUMMED, SUMMED + ".squeeze()")),
    ("nll", NLL, "sigmoid-twice", (SUMMED, SUMMED.replace("self(x)", "torch.sigmoid(self(x))"))),
    ("nll", BACK, "gradient-cut", (SUMMED, SUMMED.replace("self(x)", "self(x).detach()"))),
    ("sample", OFTEN, "one-row-for-all", (CHANCE, "torch.sigmoid(self(x)[0, d]).expand(count)")),
    ("sample", OFTEN, "same-for-all", (CHANCE, "torch.sigmoid(self(x)[0, d])")),
    (
        "sample",
        OFTEN,
        "noise-reused",
        (
            ("for d in", "u = torch.rand(count, generator=generator)\n        for d in"),
            (DRAW, "x[:, d] = (u < torch.sigmoid(self(x)[:, d])).float()"),
        ),
    ),
)

ANSWERS = (
    # assign_degrees
    Wrong(
        "assign_degrees",
        "every degree lies in 1 … n−1",
        "degrees-from-0",
        edit=(
            ("[], 1", "[], 0"),
            ("torch.randint(lowest, n,", "torch.randint(lowest, n - 1,"),
        ),
    ),
    Wrong("assign_degrees", "every degree lies in 1 … n−1", "degree-0", edit=("[], 1", "[], 0")),
    Wrong(
        "assign_degrees",
        "every degree lies in 1 … n−1",
        "degree-n",
        edit=("torch.randint(lowest, n,", "torch.randint(lowest, n + 1,"),
    ),
    Wrong(
        "assign_degrees",
        "every allowed degree is drawn, and equally often",
        "degree-never-n-1",
        edit=("torch.randint(lowest, n,", "torch.randint(lowest, n - 1,"),
    ),
    Wrong(
        "assign_degrees",
        "no degree is below the smallest degree of the layer before",
        "below-the-minimum",
        edit=("lowest = int(layer.min())", "lowest = 1"),
    ),
    Wrong(
        "assign_degrees",
        "every allowed degree is drawn, and equally often",
        "maximum-for-minimum",
        edit=("int(layer.min())", "int(layer.max())"),
    ),
    Wrong(
        "assign_degrees",
        SEED,
        "generator-ignored",
        edit=(", generator=generator)", ")"),
    ),
    *(
        Wrong("assign_degrees", SEED, name, edit=edit)
        for name, edit in {
            "not-random": (
                "generator=generator)",
                "generator=torch.Generator().manual_seed(size))",
            ),
            "a-second-source": (
                "layer = torch.randint(lowest, n, (size,), generator=generator)",
                "layer = lowest + (torch.randint(n - lowest, (size,), generator=generator)"
                " + torch.randint(n - lowest, (size,))) % (n - lowest)",
            ),
            "reseeded": (
                "degrees, lowest = [], 1",
                "degrees, lowest = [], 1\n    generator.manual_seed(generator.initial_seed())",
            ),
        }.items()
    ),
    Wrong(
        "assign_degrees",
        stops="without the inputs' own degrees",
        edit=("degrees, lowest = [], 1", "degrees, lowest = [torch.arange(1, n + 1)], 1"),
    ),
    Wrong(
        "assign_degrees",
        "each unit draws its degree by itself, whatever its neighbors drew",
        "dealt-not-drawn",
        source="""
def assign_degrees(n, hidden_sizes, generator=None):
    layers, low = [], 1
    for size in hidden_sizes:
        rounds = [low + torch.randperm(n - low, generator=generator) for _ in range(size)]
        layers.append(torch.cat(rounds)[:size])  # like cards: no degree twice before all are out
        low = layers[-1].min().item()
    return layers
""",
    ),
    Wrong(
        "assign_degrees",
        "each unit draws its degree by itself, whatever its neighbors drew",
        "sorted-degrees",
        edit=("degrees.append(layer)", "degrees.append(layer.sort().values)"),
    ),
    Wrong(
        "assign_degrees",
        EACH,
        "same-every-call",
        edit=(LAYER, "layer = torch.arange(size) % (n - lowest) + lowest"),
    ),
    Wrong(
        "assign_degrees",
        SEED,
        "reseeded",
        edit=(
            "degrees, lowest = [], 1",
            "degrees, lowest = [], 1\n"
            "    twin = torch.Generator().manual_seed(generator.initial_seed())\n"
            "    torch.rand(1, generator=generator)\n    generator = twin",
        ),
    ),
    Wrong(
        "assign_degrees",
        "every allowed degree is drawn, and equally often",
        "degree-1-never",
        edit=("[], 1", "[], 2"),
    ),
    Wrong(
        "assign_degrees",
        "every allowed degree is drawn, and equally often",
        "moved-up-to-the-minimum",
        edit=(
            "torch.randint(lowest, n, (size,), generator=generator)",
            "torch.randint(1, n, (size,), generator=generator).clamp(min=lowest)",
        ),
    ),
    # build_masks
    Wrong(
        "build_masks",
        SHAPE,
        "outputs-hear-the-first-layer",
        edit=("place[:, None] > below[None, :]", "place[:, None] > degrees[0][None, :]"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "output-sees-itself",
        edit=("place[:, None] > below", "place[:, None] >= below"),
    ),
    Wrong(
        "build_masks",
        SEES,
        "hidden-strict",
        edit=("layer[:, None] >= below", "layer[:, None] > below"),
    ),
    Wrong(
        "build_masks",
        RULE,
        "comparisons-swapped",
        edit=(
            ("layer[:, None] >= below", "layer[:, None] > below"),
            ("place[:, None] > below", "place[:, None] >= below"),
        ),
    ),
    Wrong("build_masks", SHAPE, "transposed", edit=("return masks", "return [m.T for m in masks]")),
    Wrong(
        "build_masks",
        BLIND,
        "hidden-reversed",
        edit=("layer[:, None] >= below", "layer[:, None] <= below"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "output-reversed",
        edit=("place[:, None] > below", "place[:, None] < below"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "order-ignored",
        edit=(
            "masks, below = [], place",
            "place = torch.arange(1, len(place) + 1)\n    masks, below = [], place",
        ),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "order-ignored-at-output",
        edit=("place[:, None] > below", "torch.arange(1, len(place) + 1)[:, None] > below"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "order-ignored-at-input",
        edit=("masks, below = [], place", "masks, below = [], torch.arange(1, len(place) + 1)"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "order-inverted",
        edit=(
            "masks, below = [], place",
            "place = torch.argsort(place) + 1\n    masks, below = [], place",
        ),
    ),
    Wrong(
        "build_masks",
        RULE,
        "places-from-0",
        edit=("masks, below = [], place", "place = place - 1\n    masks, below = [], place"),
    ),
    Wrong(
        "build_masks",
        SEES,
        "all-zero",
        edit=("return masks", "return [torch.zeros_like(m) for m in masks]"),
    ),
    Wrong(
        "build_masks",
        BLIND,
        "all-one",
        edit=("return masks", "return [torch.ones_like(m) for m in masks]"),
    ),
    Wrong(
        "build_masks",
        RULE,
        "layers-hear-inputs",
        edit=(
            "        below = layer\n    masks.append((place[:, None] > below[None, :]).float())",
            "    masks.append((place[:, None] > layer[None, :]).float())",
        ),
    ),
    Wrong(
        "build_masks",
        SHAPE,
        "layers-hear-the-first",
        edit=(
            "        below = layer\n    masks",
            "        below = degrees[0]\n    below = layer\n    masks",
        ),
    ),
    Wrong(
        "build_masks",
        SHAPE,
        "first-layer-for-all",
        edit=("masks.append((layer[:, None]", "masks.append((degrees[0][:, None]"),
    ),
    Wrong(
        "build_masks",
        SEES,
        "equal-degrees-only",
        edit=(
            "masks.append((layer[:, None] >= below[None, :]).float())",
            "hear = torch.ge if below is place else torch.eq\n"
            "        masks.append(hear(layer[:, None], below[None, :]).float())",
        ),
    ),
    Wrong(
        "build_masks",
        SEES,
        "equal-degrees-only",
        edit=("(layer[:, None] >= below[None, :])", "(layer[:, None] == below[None, :])"),
    ),
    Wrong(
        "build_masks",
        SEES,
        "outputs-hear-the-first-layer",
        edit=(
            "    masks.append((place[:, None] >",
            "    below = degrees[0][torch.arange(len(below)) % len(degrees[0])]\n"
            "    masks.append((place[:, None] >",
        ),
    ),
    Wrong("build_masks", BLIND, "inverted", edit=("return masks", "return [1 - m for m in masks]")),
    Wrong("build_masks", SHAPE, "output-mask-missing", edit=("return masks", "return masks[:-1]")),
    Wrong("build_masks", SHAPE, "hidden-masks-missing", edit=("return masks", "return masks[-1:]")),
    Wrong("build_masks", SHAPE, "last-layer-first", edit=("return masks", "return masks[::-1]")),
    # a weight that the call itself changes, a way around the masks, an order that is not left
    Wrong(
        "MaskedLinear",
        HOLDS,
        "masked-for-good",
        edit=(
            FORWARD,
            "self.weight.data.mul_(self.mask)\n        return F.linear(x, self.weight, self.bias)",
        ),
    ),
    Wrong(
        "MaskedLinear",
        HOLDS,
        "masked-for-good",
        edit=(
            FORWARD,
            "self.weight = nn.Parameter(self.weight * self.mask)\n"
            "        return F.linear(x, self.weight, self.bias)",
        ),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "added-around-a-layer",
        check="MADE.forward",
        edit=(
            "x = F.relu(layer(x))",
            "h = F.relu(layer(x))\n            x = x + h if x.shape == h.shape else h",
        ),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "added-around-a-layer",
        check="MADE.forward",
        edit=(
            "x = F.relu(layer(x))",
            "h = layer(x)\n            x = F.relu(x + h if x.shape == h.shape else h)",
        ),
    ),
    Wrong(
        "average_over_orders",
        LAST_ORDER,
        "other-order-left",
        edit=(
            "    terms = []",
            "    import copy\n\n    model = copy.deepcopy(model)\n    terms = []",
        ),
    ),
    Wrong(
        "average_over_orders",
        LAST_ORDER,
        "other-order-left",
        edit=("in places:", "in reversed(places):"),
    ),
    # connectivity
    Wrong("connectivity", COUNT, "transposed", edit=("return count", "return count.T")),
    Wrong(
        "connectivity",
        COUNT,
        "product-in-wrong-order",
        edit=("mask.long() @ count", "count @ mask.long()"),
    ),
    Wrong(
        "connectivity",
        COUNT,
        "reachable-for-count",
        edit=("return count", "return (count > 0).long()"),
    ),
    Wrong(
        "connectivity", COUNT, "elementwise", edit=("mask.long() @ count", "mask.long() * count")
    ),
    Wrong(
        "connectivity",
        EXACT,
        "float32-rounding",
        edit=(
            ("masks[0].long()", "masks[0].float()"),
            ("mask.long() @ count", "mask.float() @ count"),
            ("return count", "return count.long()"),
        ),
    ),
    Wrong(
        "connectivity",
        EXACT,
        "int32-overflow",
        edit=(
            ("masks[0].long()", "masks[0].int()"),
            ("mask.long() @ count", "mask.int() @ count"),
            ("return count", "return count.long()"),
        ),
    ),
    Wrong(
        "connectivity", WHOLE, "floats-for-counts", edit=("return count", "return count.double()")
    ),
    # MaskedLinear
    Wrong(
        "MaskedLinear",
        HOLDS,
        "mask-only-at-init",
        edit=(
            (REGISTER, REGISTER + "\n        self.weight.data *= self.mask"),
            (FORWARD, "return F.linear(x, self.weight, self.bias)"),
        ),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "transposed",
        edit=(FORWARD, "return F.linear(x, self.weight * self.mask.T, self.bias)"),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-on-bias",
        edit=(
            FORWARD,
            "bias = None if self.bias is None else self.bias * self.mask.amax(1)\n"
            "        return F.linear(x, self.weight * self.mask, bias)",
        ),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-on-bias",
        edit=(
            FORWARD,
            "bias = None if self.bias is None else self.bias * self.mask[:, 0]\n"
            "        return F.linear(x, self.weight * self.mask, bias)",
        ),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "bias-forgotten",
        edit=(FORWARD, "return F.linear(x, self.weight * self.mask)"),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-inverted",
        edit=(
            FORWARD,
            "return F.linear(x, self.weight.masked_fill(self.mask.bool(), 0), self.bias)",
        ),
    ),
    Wrong(
        "MaskedLinear",
        "it is so for every shape, with a bias and without, and for masks of any dtype",
        "bias-always",
        edit=(", bias=bias)", ")"),
    ),
    Wrong(
        "MaskedLinear",
        HOLDS,
        "gradient-cut",
        edit=(FORWARD, "return F.linear(x, self.weight.data * self.mask, self.bias)"),
    ),
    Wrong(
        "MaskedLinear",
        HOLDS,
        "mask-frozen",
        edit=(
            (REGISTER, REGISTER + "\n        self.kept = self.mask.clone()"),
            (FORWARD, "return F.linear(x, self.weight * self.kept, self.bias)"),
        ),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-unused",
        edit=(FORWARD, "return F.linear(x, self.weight, self.bias)"),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-on-input",
        edit=(FORWARD, "return F.linear(self.mask.amax(0) * x, self.weight, self.bias)"),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-on-output",
        edit=(FORWARD, "return super().forward(x) * self.mask.amax(1)"),
    ),
    Wrong(
        "MaskedLinear",
        HOLDS,
        "mask-only-once",
        edit=(
            FORWARD,
            "first = not hasattr(self, 'called')\n        self.called = True\n"
            "        if first:\n"
            "            return F.linear(x, self.weight * self.mask, self.bias)\n"
            "        return F.linear(x, self.weight, self.bias)",
        ),
    ),
    Wrong(
        "MaskedLinear",
        BUFFER,
        "mask-plain-attribute",
        edit=(REGISTER, "self.mask = torch.as_tensor(mask).float().clone()"),
    ),
    Wrong(
        "MaskedLinear",
        BUFFER,
        "mask-is-parameter",
        edit=(REGISTER, "self.mask = nn.Parameter(torch.as_tensor(mask).float().clone())"),
    ),
    Wrong(
        "MaskedLinear",
        BUFFER,
        "mask-not-persistent",
        edit=(".clone())", ".clone(), persistent=False)"),
    ),
    # MADE
    Wrong(
        "build_masks",
        LOGIT_BLIND,
        "output-sees-itself",
        check="MADE.forward",
        edit=("place[:, None] > below", "place[:, None] >= below"),
    ),
    Wrong(
        "MaskedLinear",
        LOGIT_BLIND,
        "masks-unused",
        check="MADE.forward",
        edit=(FORWARD, "return F.linear(x, self.weight, self.bias)"),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "output-sees-itself",
        check="MADE.forward",
        edit=(
            (
                "for layer in self.layers[:-1]:",
                "skip = x\n        for layer in self.layers[:-1]:",
            ),
            ("return self.layers[-1](x)", "return self.layers[-1](x) + skip"),
        ),
    ),
    *(
        Wrong("MADE", fails, name, check="MADE", edit=edit)
        for fails, name, edit in (
            (
                "equal generators give equal degrees",
                "generator-ignored",
                ("assign_degrees(n, hidden_sizes, generator)", "assign_degrees(n, hidden_sizes)"),
            ),
            (
                "reorder there and back leaves the model as it was",
                "degrees-drawn-anew",
                (
                    "zip(self.layers, build_masks(self.degrees, place), strict=True)",
                    "zip(self.layers, build_masks(assign_degrees(self.n, [len(m) for m in "
                    "self.degrees]), place), strict=True)",
                ),
            ),
            (
                "what it is given stays as it was",
                "arguments-overwritten",
                ("place.clone()", "place"),
            ),
            (
                "the first variable has a probability of its own",
                "no-bias",
                ("m.shape[0], m)", "m.shape[0], m, bias=False)"),
            ),
        )
    ),
    Wrong(
        "MADE",
        RELU,
        "first-relu-missing",
        check="MADE.forward",
        edit=(
            (
                "for layer in self.layers[:-1]:",
                "x = self.layers[0](x)\n        for layer in self.layers[1:-1]:",
            ),
        ),
    ),
    Wrong(
        "MADE",
        RELU,
        "spins-for-bits",
        check="MADE.forward",
        edit=(
            "for layer in self.layers[:-1]:",
            "x = 2 * x - 1\n        for layer in self.layers[:-1]:",
        ),
    ),
    Wrong(
        "MADE",
        LOGIT_SEES,
        "sees-nothing",
        check="MADE.forward",
        edit=("return self.layers[-1](x)", "return self.layers[-1](torch.zeros_like(x))"),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "reorder-incomplete",
        check="MADE.forward",
        edit=(
            "layer.mask.copy_(mask)",
            "if layer is not self.layers[-1]:\n                layer.mask.copy_(mask)",
        ),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "rows-mix",
        check="MADE.forward",
        edit=("x = F.relu(layer(x))", "x = F.relu(layer(x))\n            x = x - x.mean(0)"),
    ),
    Wrong(
        "MADE",
        NLL,
        "one-variable-left-out",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", "[:, :-1].sum(1)")),
    ),
    Wrong(
        "MADE",
        NLL,
        "one-variable-left-out",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", "[:, 1:].sum(1)")),
    ),
    Wrong(
        "MADE",
        NLL,
        "summed-over-batch",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", ".sum()")),
    ),
    Wrong(
        "MADE",
        NLL,
        "averaged-over-batch",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", ".mean()")),
    ),
    Wrong(
        "MADE",
        NLL,
        "averaged-over-variables",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", ".mean(1)")),
    ),
    Wrong(
        "MADE", NLL, "not-summed", check="MADE.nll", edit=(SUMMED, SUMMED.replace(".sum(1)", ""))
    ),
    Wrong("MADE", NLL, "sign", check="MADE.nll", edit=(SUMMED, "-" + SUMMED)),
    Wrong("MADE", NLL, "bits-for-nats", check="MADE.nll", edit=(SUMMED, SUMMED + " / math.log(2)")),
    Wrong(
        "MADE",
        NLL,
        "bits-inverted",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(", x,", ", 1 - x,")),
    ),
    Wrong(
        "MADE",
        LARGE,
        "sigmoid-then-log",
        check="MADE.nll",
        edit=(
            SUMMED,
            'F.binary_cross_entropy(torch.sigmoid(self(x)), x, reduction="none").sum(1)',
        ),
    ),
    Wrong(
        "MADE",
        LARGE,
        "sigmoid-then-log",
        check="MADE.nll",
        edit=(
            f"return {SUMMED}",
            "p = torch.sigmoid(self(x))\n"
            "        return -(x * p.log() + (1 - x) * (1 - p).log()).sum(1)",
        ),
    ),
    Wrong("MADE", NLL, check="MADE.nll", edit=(SUMMED, SUMMED + " * 0.9")),
    Wrong(
        "MADE",
        OFTEN,
        "one-pass-sampling",
        check="MADE.sample",
        edit=(
            ("for d in torch.argsort(self.place):", "for _ in range(1):"),
            (DRAW, "x = torch.bernoulli(torch.sigmoid(self(x)), generator=generator)"),
        ),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "order-for-its-inverse",
        check="MADE.sample",
        edit=("torch.argsort(self.place)", "self.place - 1"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "natural-order",
        check="MADE.sample",
        edit=("torch.argsort(self.place)", "range(self.n)"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "reversed-order",
        check="MADE.sample",
        edit=("torch.argsort(self.place)", "torch.argsort(self.place, descending=True)"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "rounded-for-drawn",
        check="MADE.sample",
        edit=(DRAW, "x[:, d] = (self(x)[:, d] > 0).float()"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "probabilities-for-bits",
        check="MADE.sample",
        edit=(DRAW, "x[:, d] = torch.sigmoid(self(x)[:, d])"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "bits-inverted",
        check="MADE.sample",
        edit=("torch.sigmoid(self(x)[:, d])", "torch.sigmoid(-self(x)[:, d])"),
    ),
    Wrong(
        "MADE",
        PASSES,
        "generator-ignored",
        check="MADE.sample",
        edit=(", generator=generator)", ")"),
    ),
    Wrong(
        "MADE",
        PASSES,
        "other-passes",
        check="MADE.sample",
        edit=(
            "            " + DRAW,
            "            self(x)\n            " + DRAW,
        ),
    ),
    Wrong(
        "MADE",
        RELU,
        "no-relu",
        check="MADE.forward",
        edit=("x = F.relu(layer(x))", "x = layer(x)"),
    ),
    Wrong(
        "MADE",
        RELU,
        "sigmoid-for-relu",
        check="MADE.forward",
        edit=("F.relu(layer(x))", "torch.sigmoid(layer(x))"),
    ),
    Wrong(
        "MADE",
        RELU,
        "tanh-for-relu",
        check="MADE.forward",
        edit=("F.relu(layer(x))", "torch.tanh(layer(x))"),
    ),
    Wrong(
        "MADE",
        ODDS,
        "relu-on-logits",
        check="MADE.forward",
        edit=(
            ("for layer in self.layers[:-1]:", "for layer in self.layers:"),
            ("return self.layers[-1](x)", "return x"),
        ),
    ),
    Wrong(
        "MADE",
        ODDS,
        "probabilities-for-logits",
        check="MADE.forward",
        edit=("return self.layers[-1](x)", "return torch.sigmoid(self.layers[-1](x))"),
    ),
    Wrong(
        "MADE",
        RELU,
        "sign-of-logits",
        check="MADE.forward",
        edit=("return self.layers[-1](x)", "return -self.layers[-1](x)"),
    ),
    Wrong(
        "MADE",
        LOGIT_SEES,
        "sees-nothing",
        check="MADE.forward",
        edit=("return self.layers[-1](x)", "return 0 * self.layers[-1](x)"),
    ),
    Wrong(
        "MADE",
        "something nonlinear stands between the layers",
        "no-relu",
        check="MADE.forward",
        source="""
class MADE(nn.Module):
    # Built in another way than the lesson's, so that nothing but its logits can tell.
    def __init__(self, n, hidden_sizes, place=None, generator=None):
        super().__init__()
        self.n, self.degrees = n, assign_degrees(n, hidden_sizes, generator)
        self.place = torch.arange(1, n + 1) if place is None else place
        masks = build_masks(self.degrees, self.place)
        self.net = nn.Sequential(*[MaskedLinear(m.shape[1], m.shape[0], m) for m in masks])

    def reorder(self, place):
        self.place = place
        for layer, mask in zip(self.net, build_masks(self.degrees, place)):
            layer.mask.copy_(mask)

    def forward(self, x):
        return self.net(x)
""",
    ),
    Wrong(
        "MADE",
        ITSELF,
        "samples-not-independent",
        check="MADE.sample",
        edit=(
            END,
            DRAW + "\n        return x[: (count + 1) // 2].repeat_interleave(2, 0)[:count]\n",
        ),
    ),
    Wrong(
        "MADE",
        ITSELF,
        "samples-not-independent",
        check="MADE.sample",
        edit=(
            (
                "x = torch.zeros(count, self.n, device=self.place.device)",
                "asked, count = count, (count + 1) // 2\n        x = torch.zeros(count, self.n)",
            ),
            (END, DRAW + "\n        return x.repeat(2, 1)[:asked]\n"),
        ),
    ),
    Wrong(
        "MADE",
        ITSELF,
        "samples-not-independent",
        check="MADE.sample",
        edit=(
            END,
            DRAW + "\n        return x[torch.argsort(x @ torch.tensor([4.0, 2, 1])[: self.n])]\n",
        ),
    ),
    Wrong(
        "MADE",
        ITSELF,
        "samples-not-independent",
        check="MADE.sample",
        edit=(
            "x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)",
            "u = torch.rand((count + 1) // 2, generator=generator)\n"
            "            u = torch.cat([u, 1 - u])[:count]  # antithetic pairs\n"
            "            x[:, d] = (u < torch.sigmoid(self(x)[:, d])).float()",
        ),
    ),
    Wrong(
        "assign_degrees",
        BY_DEFAULT,
        "seeded-by-default",
        edit=(
            "degrees, lowest = [], 1",
            "degrees, lowest = [], 1\n    generator = generator or torch.Generator()",
        ),
    ),
    Wrong(
        "assign_degrees",
        BY_DEFAULT,
        "generator-needed",
        edit=("generator=generator)", "generator=generator, device=generator.device)"),
    ),
    Wrong(
        "MADE",
        BY_DEFAULT,
        "seeded-by-default",
        check="MADE.sample",
        edit=(
            "x = torch.zeros(count, self.n, device=self.place.device)",
            "x = torch.zeros(count, self.n)\n"
            "        if generator is None:\n            torch.manual_seed(0)",
        ),
    ),
    Wrong(
        "MADE",
        ITSELF,
        "samples-not-independent",
        check="MADE.sample",
        edit=(
            "x = torch.zeros(count, self.n, device=self.place.device)",
            "x = torch.zeros(count, self.n)\n"
            "        twin = torch.Generator().manual_seed(generator.initial_seed())\n"
            "        torch.rand(1, generator=generator)\n        generator = twin",
        ),
    ),
    Wrong(
        "MADE",
        NLL,
        "x-for-logits",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace("self(x), x", "self(x) * 0 + x, x")),
    ),
    Wrong(
        "MADE",
        NLL,
        "arguments-swapped",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace("self(x), x", "x, self(x)")),
    ),
    Wrong(
        "MADE",
        LOGIT_BLIND,
        "order-not-built-in",
        check="MADE.forward",
        edit=(
            "masks = build_masks(self.degrees, place)",
            "masks = build_masks(self.degrees, torch.arange(1, n + 1))",
        ),
    ),
    *(
        Wrong("MADE", LARGE, name, check="MADE.nll", edit=(SUMMED, how))
        for name, how in (
            ("exp-overflows", "(torch.log(1 + torch.exp(self(x))) - x * self(x)).sum(1)"),
            (
                "exp-overflows",
                "torch.log1p((torch.where(x > 0, -1, 1) * self(x)).exp()).sum(1)",
            ),
            (
                "probabilities-clamped",
                "F.binary_cross_entropy(self(x).sigmoid().clamp(1e-6, 1 - 1e-6), x, "
                'reduction="none").sum(1)',
            ),
        )
    ),
    Wrong(
        "MADE",
        NLL,
        "summed-over-examples",
        check="MADE.nll",
        edit=(SUMMED, SUMMED.replace(".sum(1)", ".sum(dim=0)")),
    ),
    *(
        Wrong("MADE", OFTEN, name, check="MADE.sample", edit=edit)
        for name, edit in (
            (
                "logit-for-probability",
                (
                    DRAW,
                    "x[:, d] = (torch.rand(count, generator=generator) < self(x)[:, d]).float()",
                ),
            ),
            (
                "logit-of-another-variable",
                (
                    ("for d in torch", "for i, d in enumerate(torch"),
                    ("(self.place):", "(self.place)):"),
                    ("self(x)[:, d]", "self(x)[:, i]"),
                ),
            ),
            (
                "column-of-another-variable",
                (
                    ("for d in torch", "for i, d in enumerate(torch"),
                    ("(self.place):", "(self.place)):"),
                    ("x[:, d] =", "x[:, i] ="),
                ),
            ),
        )
    ),
    *(
        Wrong("MADE", LOGIT_BLIND, "variables-moved", check="MADE.forward", edit=edit)
        for edit in (
            (
                "return self.layers[-1](x)",
                "return self.layers[-1](x)[:, torch.argsort(self.place)]",
            ),
            ("return self.layers[-1](x)", "return self.layers[-1](x)[:, self.place - 1]"),
            (
                "for layer in self.layers[:-1]",
                "x = x[:, self.place - 1]\n        for layer in self.layers[:-1]",
            ),
        )
    ),
    # the whole
    Wrong(
        "MADE",
        'everything holds that check(MADE, "forward") asks',
        "no-relu",
        edit=("x = F.relu(layer(x))", "x = layer(x)"),
    ),
    Wrong(
        "MADE",
        'everything holds that check(MADE, "nll") asks',
        "bits-for-nats",
        edit=(SUMMED, SUMMED + " / math.log(2)"),
    ),
    Wrong(
        "MADE",
        'everything holds that check(MADE, "sample") asks',
        "natural-order",
        edit=("torch.argsort(self.place)", "range(self.n)"),
    ),
    Wrong("MADE", AGREE, "order-kept", edit=("        self.place.copy_(place)\n", "")),
    Wrong(
        "MADE",
        stops="sample is not written yet",
        edit=(
            "x = torch.zeros(count, self.n, device=self.place.device)",
            "raise NotImplementedError()",
        ),
    ),
    # average_over_orders
    Wrong(
        "average_over_orders",
        MEAN,
        "divided-by-K",
        edit=(" - math.log(len(places))", " / len(places)"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "mean-of-logs",
        edit=(LOGSUMEXP, "return torch.stack(terms).mean(0)"),
    ),
    Wrong(
        "average_over_orders",
        UNDERFLOW,
        "exp-underflows",
        edit=(LOGSUMEXP, "return torch.stack(terms).exp().mean(0).log()"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "log-K-forgotten",
        edit=(" - math.log(len(places))", ""),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "sign",
        edit=(LOGSUMEXP, LOGSUMEXP.replace("return ", "return -(") + ")"),
    ),
    Wrong("average_over_orders", MEAN, "nll-in-logsumexp", edit=("-model.nll(x)", "model.nll(x)")),
    Wrong(
        "average_over_orders", MEAN, "orders-not-set", edit=("        model.reorder(place)\n", "")
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "best-order-only",
        edit=(LOGSUMEXP, "return torch.stack(terms).amax(0)"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "averaged-over-batch",
        edit=("dim=0) - math.log(len(places))", "dim=0).mean() - math.log(len(places))"),
    ),
    *written(
        "average_over_orders",
        "average_over_orders(model, x, places)",
        (
            MEAN,
            "logits-averaged",
            """
logits = 0
for place in places:
    model.reorder(place)
    logits = logits + model(x) / len(places)
return -F.binary_cross_entropy_with_logits(logits, x.to(logits), reduction="none").sum(1)
""",
        ),
        (
            MEAN,
            "equal-orders-counted-once",
            """
terms = []
for place in {tuple(place.tolist()): place for place in places}.values():
    model.reorder(place)
    terms.append(-model.nll(x))
return torch.logsumexp(torch.stack(terms), dim=0) - math.log(len(terms))
""",
        ),
        (
            MEAN,
            "conditionals-averaged",
            """
total = 0
for place in places:
    model.reorder(place)
    total = total + torch.sigmoid(model(x))
p = total / len(places)
return (x * p.log() + (1 - x) * (1 - p).log()).sum(1)
""",
        ),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "log-forgotten",
        edit=(LOGSUMEXP, "return torch.stack(terms).exp().mean(0)"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "one-order-only",
        edit=("terms.append(-model.nll(x))", "terms = [-model.nll(x)] * len(places)"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "summed-over-batch",
        edit=("dim=0)", "dim=1)"),
    ),
    Wrong(
        "average_over_orders",
        MEAN,
        "summed-over-everything",
        edit=("torch.stack(terms)", "torch.cat(terms)"),
    ),
    # what knows nothing (tests/test_constant_answers.py holds that it earns nothing)
    Wrong(
        "build_masks",
        SEES,
        source="""
def build_masks(degrees, place):
    sizes = [len(place), *map(len, degrees), len(place)]
    return [torch.ones(b, a) for a, b in zip(sizes, sizes[1:])]
""",
    ),
    Wrong(
        "average_over_orders",
        "the average over orders is a distribution again",
        source="""
def average_over_orders(model, x, places):
    return torch.full((len(x),), -x.shape[1] * math.log(2))
""",
    ),
    Wrong(
        "MADE",
        OFTEN,
        "fair-coins",
        check="MADE.sample",
        edit=("torch.sigmoid(self(x)[:, d])", "0 * self(x)[:, d] + 0.5"),
    ),
    Wrong(
        "assign_degrees",
        "every allowed degree is drawn, and equally often",
        "minimum-itself-left-out",
        edit=("lowest = int(layer.min())", "lowest = min(int(layer.min()) + 1, n - 1)"),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "all-drawn-anew",
        check="MADE.sample",
        edit=(
            ("x[:, d] = torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)"),
            "x = torch.bernoulli(torch.sigmoid(self(x)), generator=generator)",
        ),
    ),
    # made_parameters
    *written(
        "made_parameters",
        "made_parameters(n, hidden_sizes)",
        (
            SHALLOW,
            "counts-the-dense-size",
            """
sizes = [n, *hidden_sizes, n]
return sum((a + 1) * b for a, b in zip(sizes[:-1], sizes[1:]))
""",
        ),
        (
            DEEP,
            "hidden-to-hidden-dense",
            """
if n == 1:
    return 1
layers = [1 + torch.arange(size) % (n - 1) for size in hidden_sizes]
if not layers:
    return n * (n + 1) // 2
dense = sum(a * b for a, b in zip(hidden_sizes[:-1], hidden_sizes[1:]))
masked = int(layers[0].sum() + (n - layers[-1]).sum())
return n + sum(hidden_sizes) + dense + masked
""",
        ),
        (
            DEEP,
            "masks-exchanged",
            """
if n == 1:
    return 1
below, count = torch.arange(1, n + 1), n
for size in hidden_sizes:
    degrees = 1 + torch.arange(size) % (n - 1)
    count += int((degrees[:, None] > below).sum()) + size
    below = degrees
return count + int((torch.arange(1, n + 1)[:, None] >= below).sum())
""",
        ),
    ),
    Wrong(  # no bias at the outputs
        "made_parameters",
        SHALLOW,
        "forgets-some-biases",
        edit=("count = n", "count = 0"),
    ),
    Wrong(  # no bias in the hidden layers
        "made_parameters",
        SHALLOW,
        "forgets-some-biases",
        edit=(COUNTED_HIDDEN, "count += int((degrees[:, None] >= below[None, :]).sum())"),
    ),
    Wrong(
        "made_parameters",
        SHALLOW,
        "sign-turned",
        edit=(
            ("return 1", "return -1"),
            (COUNTED_OUTPUT, COUNTED_OUTPUT.replace("count +", "-count -")),
        ),
    ),
    *written(
        "made_parameters",
        "made_parameters(n, hidden_sizes)",
        (SHALLOW, "counts-nothing", "return 0"),
        (SHALLOW, "not-a-count", "return hidden_sizes"),
        (
            SHALLOW,
            "forgets-the-biases",
            """
below, count = torch.arange(1, n + 1), 0
for size in hidden_sizes:
    degrees = 1 + torch.arange(size) % max(n - 1, 1)
    count += int((degrees[:, None] >= below).sum())
    below = degrees
return count + int((torch.arange(1, n + 1)[:, None] > below).sum())
""",
        ),
        (
            SHALLOW,
            "hidden-connections-left-out",
            """
if n == 1:
    return 1
below, count = torch.arange(1, n + 1), n
for size in hidden_sizes:
    degrees = 1 + torch.arange(size) % (n - 1)
    count, below = count + size, degrees
return count + int((torch.arange(1, n + 1)[:, None] > below).sum())
""",
        ),
        (
            SHALLOW,
            "one-bias-per-layer",
            """
if n == 1:
    return 1
layers = [torch.arange(1, n + 1), *(1 + torch.arange(size) % (n - 1) for size in hidden_sizes)]
count = n + len(hidden_sizes)
for below, above in zip(layers, layers[1:]):
    count += sum(int((m >= below).sum()) for m in above)
return count + sum(int((d > layers[-1]).sum()) for d in range(1, n + 1))
""",
        ),
    ),
    Wrong(  # no connection into the outputs
        "made_parameters",
        SHALLOW,
        "output-mask-left-out",
        edit=(COUNTED_OUTPUT, "return count"),
    ),
    Wrong(  # the output layer alone
        "made_parameters",
        SHALLOW,
        "hidden-layers-left-out",
        edit=(COUNTED_HIDDEN, "pass"),
    ),
    Wrong(  # ≥ at the output
        "made_parameters",
        SHALLOW,
        "output-sees-itself",
        edit=(COUNTED_OUTPUT, "return count + int((outputs[:, None] >= below[None, :]).sum())"),
    ),
    Wrong(  # > at the hidden layers
        "made_parameters",
        SHALLOW,
        "strict-at-the-hidden-layer",
        edit=(COUNTED_HIDDEN, "count += int((degrees[:, None] > below[None, :]).sum()) + size"),
    ),
    Wrong(  # a mask turned round
        "made_parameters",
        SHALLOW,
        "mask-turned-round",
        edit=(COUNTED_HIDDEN, "count += int((degrees[:, None] <= below[None, :]).sum()) + size"),
    ),
    Wrong(  # degrees from 0
        "made_parameters",
        DEEP,
        "degrees-from-0",
        edit=(DEGREES, "degrees = torch.arange(size) % (n - 1)"),
    ),
    Wrong(  # degrees 0 … n − 1
        "made_parameters",
        DEEP,
        "degrees-from-0",
        edit=(DEGREES, "degrees = torch.arange(size) % n"),
    ),
    Wrong(  # degrees to n
        "made_parameters",
        DEEP,
        "degrees-to-n",
        edit=(DEGREES, "degrees = 1 + torch.arange(size) % n"),
    ),
    Wrong(  # units from 1
        "made_parameters",
        DEEP,
        "counts-units-from-1",
        edit=(DEGREES, "degrees = 1 + torch.arange(1, size + 1) % (n - 1)"),
    ),
    *written(
        "made_parameters",
        "made_parameters(n, hidden_sizes)",
        (
            DEEP,
            "degrees-run-on",
            """
if n == 1:
    return 1
below, count, k = torch.arange(1, n + 1), n, 0
for size in hidden_sizes:
    degrees = 1 + torch.arange(k, k + size) % (n - 1)
    count += int((degrees[:, None] >= below).sum()) + size
    below, k = degrees, k + size
return count + int((torch.arange(1, n + 1)[:, None] > below).sum())
""",
        ),
        (
            DEEP,
            "one-layer-formula",
            """
h = sum(hidden_sizes)
return n * h + h + n if hidden_sizes and n > 1 else n * (n + 1) // 2
""",
        ),
        (
            NO_LAYER,
            "needs-a-hidden-layer",
            """
if n == 1:
    return 1
layers = [1 + torch.arange(size) % (n - 1) for size in hidden_sizes]
count = n + sum(hidden_sizes) + int(layers[0].sum())
for below, above in zip(layers[:-1], layers[1:]):
    count += int((above[:, None] >= below).sum())
return count + int((n - layers[-1]).sum())
""",
        ),
        (
            ALONE,
            "no-degree-at-n-1",
            """
below, count = torch.arange(1, n + 1), n
for size in hidden_sizes:
    degrees = torch.tensor([1 + k % (n - 1) for k in range(size)])
    count += int((degrees[:, None] >= below).sum()) + size
    below = degrees
return count + int((torch.arange(1, n + 1)[:, None] > below).sum())
""",
        ),
    ),
    Wrong(  # PyTorch divides by zero, too
        "made_parameters",
        ALONE,
        "no-degree-at-n-1",
        edit=("if n == 1:", "if n == 0:"),
    ),
    Wrong(  # a degree of 1 where there is none
        "made_parameters",
        ALONE,
        "units-without-a-degree",
        edit=(
            ("if n == 1:", "if n == 0:"),
            (DEGREES, "degrees = 1 + torch.arange(size) % max(n - 1, 1)"),
        ),
    ),
    Wrong(  # units without a degree
        "made_parameters",
        ALONE,
        "units-without-a-degree",
        edit=("return 1\n", "return 1 + sum(hidden_sizes) + len(hidden_sizes) + 1\n"),
    ),
    Wrong(  # a float
        "made_parameters",
        SHALLOW,
        "float-for-an-integer",
        edit=(
            COUNTED_OUTPUT,
            "return float(count) + int((outputs[:, None] > below[None, :]).sum())",
        ),
    ),
    Wrong(  # numbers that are spread over [0, 1), and shuffled
        "MADE",
        ITSELF,
        "samples-not-independent",
        edit=(
            "torch.bernoulli(torch.sigmoid(self(x)[:, d]), generator=generator)",
            "((torch.randperm(count, generator=generator) "
            "+ torch.rand(count, generator=generator)) / count "
            "< torch.sigmoid(self(x)[:, d])).float()",
        ),
        check="MADE.sample",
    ),
    Wrong(
        "build_masks",
        RULE,
        "strict-between-layers",
        edit=(
            "masks.append((layer[:, None] >= below[None, :]).float())  # (out, in)",
            "open_ = layer[:, None] > below if masks else layer[:, None] >= below\n"
            "        masks.append(open_.float())",
        ),
    ),
    *(Wrong(exercise, fails, name, edit=edit) for exercise, fails, name, edit in SLIPS),
    *(
        Wrong("MADE", fails, name, edit=edit, check=f"MADE.{step}")
        for step, fails, name, edit in SLIPS_OF_MADE
    ),
    # a second round of answers that nobody had foreseen
    Wrong(
        "assign_degrees",
        "what comes back is a tensor",
        "no-tensor",
        edit=("degrees.append(layer)", "degrees.append(layer.tolist())"),
    ),
    Wrong(
        "build_masks",
        "what it is given stays as it was",
        "arguments-overwritten",
        source="""
def build_masks(degrees, place):
    degrees.insert(0, place)
    masks = [(b[:, None] >= a[None, :]).float() for a, b in zip(degrees, degrees[1:])]
    masks.append((place[:, None] > degrees[-1][None, :]).float())
    return masks
""",
    ),
    Wrong(
        "build_masks",
        SEES,
        "output-places-from-0",
        edit=("(place[:, None] > ", "(place[:, None] - 1 > "),
    ),
    Wrong(
        "build_masks",
        RULE,
        "triangles-by-position",
        source="""
def build_masks(degrees, place):
    masks, below = [], len(place)
    for layer in degrees:
        masks.append(torch.ones(len(layer), below).tril())
        below = len(layer)
    masks.append(torch.ones(len(place), below).tril(-1))
    return masks
""",
    ),
    Wrong(
        "build_masks",
        BLIND,
        "dense-between-layers",
        edit=(
            "layer[:, None] >= below[None, :]",
            "(layer[:, None] >= below) | (below is not place)",
        ),
    ),
    Wrong(
        "connectivity",
        "what comes back is a tensor",
        "no-tensor",
        edit=("return count", "return count.numpy()"),
    ),
    *written(
        "connectivity",
        "connectivity(masks)",
        (
            "what it is given stays as it was",
            "arguments-overwritten",
            """
count = masks.pop(0).long()
while masks:
    count = masks.pop(0).long() @ count
return count
""",
        ),
        (
            "what it is given stays as it was",
            "arguments-overwritten",
            """
masks[0] = masks[0].long()
for k in range(1, len(masks)):
    masks[k] = masks[k].long() @ masks[k - 1]
return masks[-1]
""",
        ),
        (
            COUNT,
            "first-and-last-only",
            """
if len(masks) == 1:
    return masks[0].long()
if masks[-1].shape[1] != masks[0].shape[0]:
    return torch.zeros(len(masks[-1]), masks[0].shape[1], dtype=torch.int64)
return masks[-1].long() @ masks[0].long()
""",
        ),
    ),
    Wrong(
        "MaskedLinear",
        OUTPUT,
        "mask-only-at-init",
        edit=(
            (
                REGISTER,
                REGISTER
                + "\n        self.weight.data *= self.mask"
                + "\n        self.weight.register_hook(lambda g: g * self.mask)",
            ),
            (FORWARD, "return F.linear(x, self.weight, self.bias)"),
        ),
    ),
    Wrong(
        "MADE",
        RELU,
        "other-for-relu",
        check="MADE.forward",
        edit=("F.relu(layer(x))", "F.leaky_relu(layer(x))"),
    ),
    Wrong(
        "MADE",
        RELU,
        "last-relu-missing",
        check="MADE.forward",
        edit=("F.relu(layer(x))", "layer(F.relu(x))"),
    ),
    Wrong(
        "MADE",
        NLL,
        "averaged-over-examples",
        check="MADE.nll",
        edit=(SUMMED, SUMMED + ".mean()"),
    ),
    Wrong(
        "MADE",
        PASSES,
        "other-passes",
        check="MADE.sample",
        edit=(DRAW, "assert not torch.isnan(self(x)).any()\n            " + DRAW),
    ),
    Wrong(
        "MADE",
        OFTEN,
        "columns-by-place",
        check="MADE.sample",
        edit=(END, DRAW + "\n        return x[:, torch.argsort(self.place)]"),
    ),
    Wrong(
        "average_over_orders",
        stops="needs no more: there is no place here",
        source="""
def average_over_orders(model, x, places):
    before, terms = model.place.clone(), []
    for place in places:
        model.reorder(place)
        terms.append(-model.nll(x))
    model.reorder(before)
    return torch.logsumexp(torch.stack(terms), dim=0) - math.log(len(places))
""",
    ),
)
