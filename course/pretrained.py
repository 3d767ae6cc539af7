"""Loads language models in the model hub's GPT-2 format: the course's own two, and GPT-2.

    from course import pretrained

    model = pretrained.language_model("course/small-gpt")     # in the package: no download
    better = pretrained.language_model("course/larger-gpt")   # in the package, same tokens
    model.logits(torch.tensor([model.encode("My lord,")]))    # (1, T, V)
    weights = pretrained.state_dict("openai-community/gpt2")  # 548 MB, downloaded once

A name is `SMALL`, `LARGER`, `GPT2_124M`, or the path of a folder in the same format: config.json,
model.safetensors, and tokenizer.json or vocab.json with merges.txt.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from course.data import DataCorrupt, DataUnavailable

SMALL = "course/small-gpt"
LARGER = "course/larger-gpt"  # SMALL can be its draft: same tokens, same texts held out
GPT2_124M = "openai-community/gpt2"
END = "<|endoftext|>"  # stands before and after every text that the models were trained on

_MODELS = Path(__file__).parent / "models"
_IN_PACKAGE = {SMALL: _MODELS / "small_gpt", LARGER: _MODELS / "larger_gpt"}
_REVISION = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
_HUB = {  # bytes and SHA-256 of the hub's files at this revision
    "config.json": (665, "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4"),
    "vocab.json": (1042301, "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"),
    "merges.txt": (456318, "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"),
    "model.safetensors": (
        548105171,
        "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
    ),
}


class LanguageModel(nn.Module):
    """A ready model of GPT-2's architecture (Radford et al. 2019), made of torch's own layers.

    Gradients are off and the model is in eval mode when it comes from `language_model`.

    Attributes:
        config: what config.json says.
        vocab_size: number of tokens, V.
        context: the most tokens that it can read at once.
        tokenizer: its `tokenizers.Tokenizer`, or None.
        end: id of `<|endoftext|>`, the token before the first and after the last of a text.
    """

    def __init__(self, config: dict[str, Any], tokenizer: Any = None, dropout: float = 0.0):
        super().__init__()
        self.config = dict(config)
        self.vocab_size, self.context = config["vocab_size"], config["n_positions"]
        self.end = config.get("eos_token_id", self.vocab_size - 1)
        self.tokenizer = tokenizer
        width, eps = config["n_embd"], config.get("layer_norm_epsilon", 1e-5)
        self.tokens = nn.Embedding(self.vocab_size, width)
        self.positions = nn.Embedding(self.context, width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width,
                config["n_head"],
                config.get("n_inner") or 4 * width,
                dropout=dropout,
                activation=_gelu,
                layer_norm_eps=eps,
                batch_first=True,
                norm_first=True,
            )
            for _ in range(config["n_layer"])
        )
        self.norm = nn.LayerNorm(width, eps=eps)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (B, T) → logits (B, T, V): row t is about the token after the t-th."""
        _, length = tokens.shape
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=tokens.device)
        x = self.dropout(self.tokens(tokens) + self.positions.weight[:length])  # (B, T, C)
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=True)
        return F.linear(self.norm(x), self.tokens.weight)

    @torch.no_grad()
    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Token ids (B, T), 1 ≤ T ≤ context → logits (B, T, V), float32: row t is about token t+1.

        Raises:
            ValueError: no two axes, no token or too many, or an id outside of the vocabulary.
        """
        tokens = torch.as_tensor(tokens)
        if tokens.ndim != 2 or tokens.is_floating_point():
            raise ValueError(
                f"tokens must be whole numbers of shape (batch, time): got {tokens.dtype} of shape "
                f"{tuple(tokens.shape)}"
            )
        if not 1 <= tokens.shape[1] <= self.context:
            raise ValueError(
                f"the model reads 1 to {self.context} tokens at once: got {tokens.shape[1]}; cut "
                f"the text or let a window slide over it"
            )
        if tokens.numel() and not 0 <= int(tokens.min()) <= int(tokens.max()) < self.vocab_size:
            raise ValueError(
                f"token ids are 0 … {self.vocab_size - 1}: got {int(tokens.min())} … "
                f"{int(tokens.max())}"
            )
        return self(tokens.long())

    def encode(self, text: str) -> list[int]:
        """The text's tokens; `<|endoftext|>` is not added."""
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, tokens: Any) -> str:
        """The tokens' text; bytes that end inside a character come out as �."""
        return self.tokenizer.decode([int(t) for t in tokens], skip_special_tokens=False)


def _gelu(x: torch.Tensor) -> torch.Tensor:
    """GPT-2's GELU, by tanh; a function of our own also keeps torch off its inference-only path."""
    return F.gelu(x, approximate="tanh")


def folder(name: str | os.PathLike = SMALL) -> Path:
    """The folder with a model's files; for `GPT2_124M` it is fetched once and verified.

    Raises:
        DataUnavailable: not here, and the model hub cannot be reached.
        DataCorrupt: a file has not the size or the checksum that it should have.
        ValueError: the name is no model's and no folder's.
    """
    if name == GPT2_124M:
        return [_hub_file(file) for file in _HUB][-1].parent
    return _local(name)


def config(name: str | os.PathLike = SMALL) -> dict[str, Any]:
    """What a model's config.json says: n_layer, n_head, n_embd, n_positions, vocab_size, …"""
    path = _file(name, "config.json")
    try:
        found = json.loads(path.read_text("utf-8"))
        sizes = ("n_layer", "n_head", "n_embd", "n_positions", "vocab_size")
        if not all(type(found[key]) is int and found[key] > 0 for key in sizes):
            raise ValueError(f"{', '.join(sizes)} must be positive whole numbers")
        if found["n_embd"] % found["n_head"]:
            raise ValueError(f"{found['n_head']} heads do not share {found['n_embd']} numbers")
        if found.get("activation_function", "gelu_new") != "gelu_new":
            raise ValueError(f"its activation is {found['activation_function']}")
    except (KeyError, TypeError, ValueError) as error:
        raise DataCorrupt(f"{path} is no GPT-2's configuration: {error}") from error
    return found


def state_dict(name: str | os.PathLike = SMALL) -> dict[str, torch.Tensor]:
    """A model's weights by the hub's names, float32: wte.weight, h.0.attn.c_attn.weight, …

    Matrices of attention and MLP are stored (in, out), as the hub has them (its Conv1D), so they
    are the transposes of an nn.Linear's. Stored causal masks (h.0.attn.bias) are left in. The
    prefix "transformer." and a copy of the tied head, which some writers add, are taken away.

    Raises:
        DataCorrupt: the file is cut short, or is no safetensors file.
    """
    import safetensors
    from safetensors.torch import load_file

    path = _file(name, "model.safetensors")
    try:
        found = load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise DataCorrupt(
            f"{path} is no whole safetensors file ({error}): delete it and load it again"
        ) from error
    found = {key.removeprefix("transformer."): value for key, value in found.items()}
    found.pop("lm_head.weight", None)
    return {key: v.float() if v.is_floating_point() else v for key, v in found.items()}


def tokenizer(name: str | os.PathLike = SMALL) -> Any:
    """A model's `tokenizers.Tokenizer`: byte-level byte-pair encoding, so that every text has one.

    Raises:
        DataCorrupt: the file does not hold a tokenizer.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    if name != GPT2_124M and (_local(name) / "tokenizer.json").exists():
        paths = [_local(name) / "tokenizer.json"]
    else:
        paths = [_file(name, "vocab.json"), _file(name, "merges.txt")]
    try:
        if len(paths) == 1:
            return Tokenizer.from_file(str(paths[0]))
        found = Tokenizer(models.BPE.from_file(*map(str, paths)))
    except Exception as error:  # the library raises bare Exceptions
        raise DataCorrupt(f"{paths[0]} holds no tokenizer ({error}): load it again") from error
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    if found.token_to_id(END) is not None:
        found.add_special_tokens([END])
    return found


def language_model(name: str | os.PathLike = SMALL) -> LanguageModel:
    """A ready model: eval mode, no gradients, on the CPU.

    Raises:
        DataCorrupt: a weight is missing, or has not the shape that config.json asks for.
    """
    model = LanguageModel(config(name), tokenizer(name))
    load(model, state_dict(name), str(name))
    return model.eval().requires_grad_(False)


def load(model: LanguageModel, weights: dict[str, torch.Tensor], name: str = "the file") -> None:
    """Puts the hub's weights into a model.

    Raises:
        DataCorrupt: a weight is missing, or has another shape than the model's.
    """
    for theirs, ours, turned in _pairs(model):
        if theirs not in weights:
            raise DataCorrupt(f"{name} holds no weight {theirs}: it is no GPT-2 in the hub's form")
        value = weights[theirs].T if turned else weights[theirs]
        if value.shape != ours.shape:
            raise DataCorrupt(
                f"{name} holds {theirs} of shape {tuple(weights[theirs].shape)}, and its "
                f"config.json asks for {tuple((ours.T if turned else ours).shape)}"
            )
        with torch.no_grad():
            ours.copy_(value)


def hub_weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    """A model's weights under the hub's names and in its layout: the inverse of `load`."""
    return {
        theirs: (ours.T if turned else ours).detach().clone().contiguous()
        for theirs, ours, turned in _pairs(model)
    }


def held_out() -> str:
    """A page of Twelfth Night, which neither model was trained on (public domain)."""
    return (_IN_PACKAGE[SMALL] / "held_out.txt").read_text("utf-8")


def _pairs(model: LanguageModel) -> list[tuple[str, torch.Tensor, bool]]:
    """The hub's name, our parameter, and whether one is the other's transpose."""
    found = [("wte.weight", model.tokens.weight, False)]
    found.append(("wpe.weight", model.positions.weight, False))
    layer: Any
    for number, layer in enumerate(model.layers):
        attention = layer.self_attn
        for theirs, weight, bias in (
            ("ln_1", layer.norm1.weight, layer.norm1.bias),
            ("attn.c_attn", attention.in_proj_weight, attention.in_proj_bias),
            ("attn.c_proj", attention.out_proj.weight, attention.out_proj.bias),
            ("ln_2", layer.norm2.weight, layer.norm2.bias),
            ("mlp.c_fc", layer.linear1.weight, layer.linear1.bias),
            ("mlp.c_proj", layer.linear2.weight, layer.linear2.bias),
        ):
            found.append((f"h.{number}.{theirs}.weight", weight, weight.ndim == 2))
            found.append((f"h.{number}.{theirs}.bias", bias, False))
    found.append(("ln_f.weight", model.norm.weight, False))
    found.append(("ln_f.bias", model.norm.bias, False))
    return found


def _file(name: str | os.PathLike, file: str) -> Path:
    if name == GPT2_124M:
        return _hub_file(file)
    path = _local(name) / file
    if not path.exists():
        raise DataUnavailable(
            f"{path.parent} holds no {file}: a model's folder has config.json, model.safetensors "
            "and tokenizer.json, or vocab.json with merges.txt"
        )
    return path


def _local(name: str | os.PathLike) -> Path:
    if name in _IN_PACKAGE:
        return _IN_PACKAGE[os.fspath(name)]
    if Path(name).is_dir():
        return Path(name)
    raise ValueError(
        f'a model\'s name is "{SMALL}", "{LARGER}", "{GPT2_124M}", or the path of a folder in '
        f"the hub's format: got {os.fspath(name)!r}"
    )


def _hub_file(file: str) -> Path:
    """A file of GPT-2 in the hub's own cache, fetched when it is not there, and verified."""
    import huggingface_hub

    place: dict[str, Any] = {"repo_id": GPT2_124M, "filename": file, "revision": _REVISION}
    try:
        try:
            path = huggingface_hub.hf_hub_download(**place, local_files_only=True)
        except Exception:  # not in the cache, or no whole cache
            path = huggingface_hub.hf_hub_download(**place)
    except Exception as error:  # connection, time-out, refusal, full disk: one way out of them all
        raise DataUnavailable(
            f"{GPT2_124M} is not on this machine and its {file} cannot be fetched from the model "
            f"hub ({_short(error)}): connect to the internet once, give the path of a folder with "
            f'its files, or use "{SMALL}", which needs no download'
        ) from error
    size, checksum = _HUB[file]
    stat = os.stat(path)
    if stat.st_size != size:
        raise DataCorrupt(
            f"{path} has {stat.st_size:,} bytes instead of {size:,}: delete it and load it again"
        )
    if _sha256(path, stat.st_mtime_ns) != checksum:
        raise DataCorrupt(f"{path} has not the checksum it should have: delete it and load again")
    return Path(path)


@functools.cache
def _sha256(path: str, _changed: int) -> str:
    """Of a file as it was changed last: a large file is read once in a process."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return first[:120] or type(error).__name__
