"""Measures how many tokens a second a language model writes, beside what the memory allows.

At batch 1 every token reads every weight once, so a machine that reads so many bytes a second
writes at most bandwidth / bytes tokens a second: the bound. Without a CUDA card there is nothing to
measure at GPT-2's size in a lesson's time, and what was measured elsewhere is shown.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from course.device import SIZES

STORE = Path(__file__).parent / "measured" / "writing.json"
PROMPT, COUNT = 32, 256  # tokens read, and tokens written
ROOM = PROMPT + COUNT
SMALLER = {"vocab_size": 2048, "n_embd": 256, "n_layer": 4, "n_head": 4}
TIMES = 3  # the median of so many

Write = Callable[[torch.Tensor, int], torch.Tensor]  # tokens (1, T) and a count → (1, T + count)
Way = Callable[[Any], Write]  # a model → how it writes: what is set up once is set up here


@dataclass(frozen=True)
class Speeds:
    """Tokens a second of some ways to write on one device.

    Attributes:
        device: what wrote.
        setting: of model and text, in words.
        rates: name of a way → tokens a second.
        bandwidth: bytes a second of a copy there, read and written.
        size: bytes of weights that a token reads.
        by: whose code, and when it was not the reader's, how it came here.
    """

    device: str
    setting: str
    rates: dict[str, float]
    bandwidth: float
    size: int
    by: str

    @property
    def bound(self) -> float:
        """Tokens a second if reading the weights took all of the time."""
        return self.bandwidth / self.size

    def rows(self) -> list[tuple[str, str]]:
        """What is shown: a way, and its tokens a second with its share of the bound."""
        told = [
            (name, f"{rate:7,.0f} tokens a second, {rate / self.bound:5.1%} of the bound")
            for name, rate in self.rates.items()
        ]
        reads = f"{self.bandwidth / 1e9:,.0f} GB/s over {self.size / 1e6:,.0f} MB a token"
        return [*told, ("the bound", f"{self.bound:7,.0f} tokens a second: {reads}")]

    def __repr__(self) -> str:
        wide = max(len(name) for name, _ in self.rows())
        lines = [f"{name:<{wide}}  {told}" for name, told in self.rows()]
        return "\n".join([f"{self.setting}, on {self.device}; {self.by}", *lines])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"


def weights_read(model: torch.nn.Module) -> int:
    """Bytes of weights that one token reads: all but the table of positions, of which it is a row.

    model: a GPT-2 of lesson 12, or any with its `wpe` and a tied head.
    """
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    table: Any = getattr(model, "wpe", None)
    return size - (table.weight.numel() * table.weight.element_size() if table is not None else 0)


def bandwidth(device: torch.device, length: int = 0) -> float:
    """Bytes a second that a copy of `length` floats reads and writes; the best of some.

    Unless told: 1 GB on a card, 128 MB elsewhere, more than caches hold.
    """
    length = length or (2**28 if device.type == "cuda" else 2**25)
    x = torch.ones(length, device=device)
    y = torch.empty_like(x)
    seconds = min(_seconds(lambda: y.copy_(x), device) for _ in range(6))
    return 2 * x.numel() * x.element_size() / seconds


def tokens_a_second(way: Way, model: Any, count: int, prompt: int, times: int = TIMES) -> float:
    """The median of some runs of `way(model)(tokens, count)`, the slowest left out.

    What a first run sets up is not counted then. The prompt, (1, prompt), is drawn from all of the
    model's tokens by seed 0.
    """
    device, write = model.wte.weight.device, way(model)
    random = torch.Generator().manual_seed(0)
    tokens = torch.randint(model.config["vocab_size"], (1, prompt), generator=random).to(device)
    seconds = sorted(_seconds(lambda: write(tokens, count), device) for _ in range(times + 1))
    return count / seconds[:times][(times - 1) // 2]


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def speeds(
    ways: dict[str, Way],
    make: Callable[[dict[str, int]], Any],
    config: dict[str, int],
    size: str = "auto",
) -> Speeds:
    """Measure ways to write, on a card if there is one; elsewhere `stored()`.

    Args:
        ways: a name → a function of the model that gives `write(tokens, count)`.
        make: makes a model of a config, a GPT-2 as in lesson 12; random weights are as quick.
        config: GPT-2's.
        size: "auto" or "gpu": on a card. "laptop": what is stored. "smaller": a model of a few
            million weights, on the processor.

    Raises:
        ValueError: another size.
    """
    from course.device import device

    if size not in SIZES:
        raise ValueError(f"size must be one of {', '.join(SIZES)}: got {size!r}")
    if size == "smaller":
        return measured(ways, make({**config, **SMALLER}).eval(), "your code, measured now")
    card = device()
    if size == "laptop":
        return stored()
    if card.type != "cuda":
        return replace(stored(), by=f"no CUDA card here, {stored().by}")
    return measured(ways, make(config).to(card).eval(), "your code, measured now")


def measured(ways: dict[str, Way], model: Any, by: str) -> Speeds:
    """Measure ways to write by a model, where it lives."""
    weight = model.wte.weight
    kind = str(weight.dtype).removeprefix("torch.")
    numbers = sum(p.numel() for p in model.parameters())
    name = torch.cuda.get_device_name(weight.device) if weight.is_cuda else str(weight.device)
    return Speeds(
        device=name,
        setting=f"{numbers / 1e6:,.0f} million random weights in {kind}, one text, {PROMPT} tokens "
        f"of prompt and {COUNT} more",
        rates={name: tokens_a_second(way, model, COUNT, PROMPT) for name, way in ways.items()},
        bandwidth=bandwidth(weight.device),
        size=weights_read(model),
        by=by,
    )


def stored() -> Speeds:
    """What was measured once on a card; it says by whose code."""
    return Speeds(**json.loads(STORE.read_text(encoding="utf-8")))


def keep(found: Speeds) -> None:
    """Puts what was measured in the place of what is stored."""
    from course.files import write_whole

    write_whole(STORE, json.dumps(asdict(found), indent=1, ensure_ascii=False) + "\n")
