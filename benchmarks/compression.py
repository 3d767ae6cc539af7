"""Sizes of files: lesson 14's codec against general compressors, one stream and one for each."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import zlib

import numpy as np
import torch

from autograder.lessons import solution_functions
from course import pretrained

TITLE = "Sizes: a model as a codec"


def _price(model: object, x: torch.Tensor) -> float:
    """−log2 p(x) in bits."""
    p = model.conditionals(x).gather(-1, x[..., None]).double()
    return float(-p.log2().sum())


def _rows(raw: bytes, message: bytes, price: float, came_back: bool) -> list[str]:
    sizes = {
        "as it is": len(raw),
        "zlib -9": len(zlib.compress(raw, 9)),
        "gzip -9": len(gzip.compress(raw, 9, mtime=0)),
        "bz2 -9": len(bz2.compress(raw)),
        "lzma (xz)": len(lzma.compress(raw)),
        "codec, one stream": len(message),
    }
    rows = [f"| {name} | {size:,} | {size / len(message):.2f} |" for name, size in sizes.items()]
    over = 8 * len(message) - price
    told = "comes back exactly" if came_back else "DOES NOT COME BACK"
    note = f"stream {over:+.0f} bits, {over / price:+.2%}; {told}"
    return [*rows, f"| −log2 p | {math.ceil(price / 8):,} | {note} |"]


def run() -> str:
    """Codes the 300 test digits and the held-out page with the solved lesson's functions."""
    torch.set_num_threads(2)
    lesson = solution_functions("14_compression")
    encode, decode = lesson["encode"], lesson["decode"]
    head = ["| | bytes | of the stream |", "|---|---|---|"]

    test = lesson["test"]
    model = lesson["PixelRegressions"](lesson["digits"].train.numpy(), lambda i: range(i))
    message = encode(model, test)
    back = torch.equal(decode(model, message, len(test)), test)
    raw = np.packbits(test.numpy().astype(bool)).tobytes()
    apart = sum(len(encode(model, row[None])) for row in test)
    text = [
        "300 binarized 8×8 test digits, 64 logistic regressions trained on 1,297 others:",
        "",
        *head,
        *_rows(raw, message, _price(model, test), back),
        f"| codec, a stream for each | {apart:,} | {apart / len(message):.2f} |",
    ]

    language = pretrained.language_model(pretrained.SMALL)
    page_model = lesson["PageModel"](language, min(96, language.context))
    page = lesson["rows_of"](language, pretrained.held_out(), page_model.n)
    raw = language.decode(page.reshape(-1).tolist()).encode()
    message = encode(page_model, page)
    back = torch.equal(decode(page_model, message, len(page)), page)
    text += [
        "",
        f"{len(raw):,} bytes of a held-out page, the small GPT, rows of {page_model.n} tokens:",
        "",
        *head,
        *_rows(raw, message, _price(page_model, page), back),
        "",
        "The receiver has the model: its own size is not counted.",
    ]
    return "\n".join(text)
