"""Equivalent mutants of this lesson's solutions; see the package."""

LESSON = "14_compression"

EQUIVALENT: dict[tuple[str, str, str, str], str] = {
    (
        "decode",
        "x = torch.zeros(count, model.n, dtype=torch.int64)",
        "torch.zeros",
        "torch.ones",
    ): "What stands in the places that are not read yet is of no matter, if it is a symbol.",
    (
        "decode",
        "x = torch.zeros(count, model.n, dtype=torch.int64)",
        "torch.int64",
        "torch.int32",
    ): "Whole numbers of 32 bits hold the same symbols, and no claim is about their width.",
    (
        "decode_learning",
        "x = torch.zeros(0, n, dtype=torch.int64)",
        "torch.zeros",
        "torch.ones",
    ): "No example is no example, whatever would stand in it.",
    (
        "decode_learning",
        "x = torch.zeros(0, n, dtype=torch.int64)",
        "torch.int64",
        "torch.int32",
    ): "torch.cat takes the wider type, which is that of what is read.",
    (
        "decode_learning",
        "for file, size in zip(files, sizes, strict=True):",
        "zip(files, sizes, strict=True)",
        "zip(files, sizes)",
    ): "There are as many files as sizes.",
    (
        "decode_learning",
        "for file, size in zip(files, sizes, strict=True):",
        "True",
        "False",
    ): "There are as many files as sizes.",
    (
        "ideal_bits",
        "return float(-log_probs.sum() / math.log(2))",
        "float(-log_probs.sum() / math.log(2))",
        "-log_probs.sum() / math.log(2)",
    ): "A tensor of one number is a number, too.",
    (
        "quantize",
        "frequencies = 1 + torch.floor(p * (2**bits - k)).long()",
        "torch.floor(p * (2 ** bits - k))",
        "p * (2 ** bits - k)",
    ): "To make a whole number of a positive one rounds it down.",
    (
        "quantize",
        "return frequencies.scatter_add(-1, p.argmax(dim=-1, keepdim=True), rest)",
        "p.argmax",
        "p.argmin",
    ): "A rest of fewer than k parts may go to any symbol: all are within some k parts of p.",
    (
        "round_trip",
        "return torch.equal(decode(model, message, len(x)), x)",
        "torch.equal(decode(model, message, len(x)), x)",
        "torch.equal(x, decode(model, message, len(x)))",
    ): "Whether two tensors are equal does not depend on which comes first.",
}
