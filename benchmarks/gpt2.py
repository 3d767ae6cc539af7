"""Speed of lesson 12's GPT-2: its cache beside the reference library's, and beside the memory.

124M random weights in float32, batch 1, a prompt of 32 tokens, 256 new ones, two threads. All
sides take turns in one run. At batch 1 every token reads every weight once: so the yardsticks are a
walk of matrix-vector products over the same weights, and the memory's read bandwidth. Lesson 12's
`from_pretrained` lays the weights out by `course.matvec`; the same code on weights as the hub's
file has them is a side of its own.
"""

from __future__ import annotations

import contextlib
import copy
import math
import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel

from autograder.lessons import solution_functions
from course import matvec, pretrained

TITLE = "GPT-2: lesson 12's cached generation against the reference library's"

CONFIG = {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
PROMPT, COUNT, THREADS = 32, 256, 2
BLOCK = 1 << 30  # bytes read to measure the memory
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))


@contextlib.contextmanager
def two_threads() -> Iterator[None]:
    """Two threads, whatever was set before."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def models(lesson: dict[str, Any]) -> tuple[Any, GPT2LMHeadModel]:
    """The lesson's GPT-2 and the reference library's, with the same random weights."""
    torch.manual_seed(0)
    # No token ends a text here: both sides make all the tokens that they are asked for.
    theirs = GPT2LMHeadModel(GPT2Config(**CONFIG, bos_token_id=None, eos_token_id=None)).eval()
    for parameter in theirs.parameters():
        if parameter.ndim == 2:  # large enough that no two tokens are almost equally likely
            nn.init.normal_(parameter, std=0.05)
    ours = lesson["GPT2"](CONFIG)
    # Assigned, not copied: the weights stay in memory as the hub's format has them.
    ours.load_state_dict(lesson["load_hf"](theirs.state_dict()), assign=True)
    return ours.eval(), theirs


def matrices(model: Any) -> list[torch.Tensor]:
    """All weights that one token is multiplied with, the tied head among them."""
    found = [m.weight.detach() for m in model.modules() if isinstance(m, nn.Linear)]
    return [*found, model.wte.weight.detach()]


def walk(weights: list[torch.Tensor], count: int) -> None:
    """One matrix-vector product with each weight, `count` times."""
    vectors = {w.shape[1]: torch.randn(w.shape[1]) for w in weights}
    for _ in range(count):
        for weight in weights:
            torch.mv(weight, vectors[weight.shape[1]])


def bandwidth(block: torch.Tensor) -> float:
    """Bytes a second when a block too large for the caches is read and summed; best of five."""
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        block.sum()
        best = min(best, time.perf_counter() - began)
    return block.nbytes / best


class InEightBits(nn.Module):
    """The lesson's model with int8 weights: a scale a matrix, inputs quantized as they come.

    The body is PyTorch's dynamic quantization; the tied head becomes a matrix of its own, since the
    embedding goes on being read row by row in float32.
    """

    def __init__(self, model: Any):
        super().__init__()
        head = nn.Linear(model.config["n_embd"], model.config["vocab_size"], bias=False)
        head.weight = model.wte.weight
        self.config, self.wte, self.wpe = model.config, model.wte, model.wpe
        self.ln_f, kinds = model.ln_f, {nn.Linear}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is to be replaced some day, and works
            quantize = torch.ao.quantization.quantize_dynamic
            self.h = quantize(copy.deepcopy(model.h), kinds, dtype=torch.qint8)
            self.head = quantize(nn.Sequential(head), kinds, dtype=torch.qint8)

    def forward(self, tokens: torch.Tensor, cache: Any = None) -> torch.Tensor:
        """(B, T) → (B, T, V), as the lesson's model does."""
        start = 0 if cache is None else cache.length
        x = self.wte(tokens) + self.wpe(torch.arange(start, start + tokens.shape[1]))
        for block in self.h:
            x = block(x, cache)
        return self.head(self.ln_f(x))


def measure() -> tuple[dict[str, list[float]], list[float], list[str]]:
    """Seconds of each side in each repeat, bandwidths in bytes a second, and what was equal."""
    lesson = solution_functions("12_gpt2")
    ours, theirs = models(lesson)
    eight = InEightBits(ours).eval()
    spread = matvec.spread(copy.deepcopy(ours))
    weights = matrices(ours)
    block = torch.ones(BLOCK // 4)
    prompt = torch.randint(CONFIG["vocab_size"], (1, PROMPT))
    sides: dict[str, Callable[[int], Any]] = {
        "cached": lambda n: lesson["generate_cached"](spread, prompt, n),
        "as stored": lambda n: lesson["generate_cached"](ours, prompt, n),
        "reference": lambda n: theirs.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=n,
            do_sample=False,
            use_cache=True,
        ),
        "walk": lambda n: walk(weights, n),
        "int8": lambda n: lesson["generate_cached"](eight, prompt, n),
        "uncached": lambda n: lesson["generate"](ours, prompt, n),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    speeds, made = [], {}
    with two_threads(), torch.no_grad():
        for side in sides.values():
            side(2)  # warm-up
        for _ in tqdm(range(REPEATS), desc="gpt2", unit="round"):
            speeds.append(bandwidth(block))
            for name, side in sides.items():
                began = time.perf_counter()
                made[name] = side(COUNT)
                seconds[name].append(time.perf_counter() - began)
    return seconds, speeds, _agreement(made)


def _agreement(made: dict[str, Any]) -> list[str]:
    told = []
    for name in ("as stored", "reference", "uncached"):
        same = (made["cached"] == made[name])[0, PROMPT:]
        # Greedy choices may part at a tie within rounding; after it nothing can be compared.
        until = int(same.long().cumprod(0).sum())
        told.append(f"{name}: {until} of {COUNT} tokens")
    return told


@torch.no_grad()
def perplexities() -> tuple[float, float]:
    """Perplexity of the course's small GPT on its held-out page, float32 and int8."""
    lesson = solution_functions("12_gpt2")
    model = lesson["GPT2"].from_pretrained(pretrained.SMALL)
    ready = pretrained.language_model(pretrained.SMALL)
    tokens = torch.tensor([ready.end, *ready.encode(pretrained.held_out())])
    found = []
    for side in (model, InEightBits(model).eval()):
        nats, count = 0.0, 0
        for part in tokens.split(ready.context):
            if len(part) > 1:
                nats += lesson["sequence_nll"](side, part[None]).sum().item()
                count += len(part) - 1
        found.append(math.exp(nats / count))
    return found[0], found[1]


def run() -> str:
    """Measures all sides; a Markdown section."""
    seconds, speeds, equal = measure()
    rate = {name: COUNT / statistics.median(each) for name, each in seconds.items()}
    size = sum(w.nbytes for w in matrices(solution_functions("12_gpt2")["GPT2"](CONFIG)))
    speed = statistics.median(speeds)
    before, after = perplexities()

    def ratio(slow: str, quick: str) -> str:
        each = [a / b for a, b in zip(seconds[slow], seconds[quick], strict=True)]
        return f"**{statistics.median(each):.2f}** ({min(each):.2f} – {max(each):.2f})"

    rows = [
        "| side | tokens a second | lesson 12's cache is faster by | asked for |",
        "|---|---:|---:|---:|",
        f"| lesson 12, `generate_cached` | {rate['cached']:.1f} | 1 | |",
        f"| the same, weights laid out as in the hub's file | {rate['as stored']:.1f} | "
        f"{ratio('as stored', 'cached')} | |",
        f"| reference library, `generate` with its cache | {rate['reference']:.1f} | "
        f"{ratio('reference', 'cached')} | 1.2 |",
        f"| lesson 12, `generate` (no cache) | {rate['uncached']:.1f} | "
        f"{ratio('uncached', 'cached')} | 5 |",
        f"| matrix-vector walk over the same weights | {rate['walk']:.1f} | "
        f"{ratio('walk', 'cached')} | 0.7 |",
        f"| the memory's bound: {speed / 1e9:.1f} GB/s over {size / 1e6:.1f} MB | "
        f"{speed / size:.1f} | {rate['cached'] * size / speed:.2f} | |",
    ]
    return (
        f"GPT-2's sizes, random weights, float32, batch 1, a prompt of {PROMPT} tokens, {COUNT} "
        f"new ones, greedy, {THREADS} threads; {REPEATS} rounds in which all sides take turns, "
        "medians (least – most). Equal to the cached tokens, up to the first difference: "
        f"{'; '.join(equal)}.\n\n" + "\n".join(rows) + "\n\n"
        f"**Go further: int8 weights** (dynamic quantization, the head as well): "
        f"{rate['int8']:.1f} tokens a second, {ratio('cached', 'int8')} times float32's cache. The "
        f"price, on the trained small GPT and its held-out page: perplexity {before:.2f} becomes "
        f"{after:.2f} ({(after / before - 1):+.1%})."
    )


if __name__ == "__main__":
    print(run())
