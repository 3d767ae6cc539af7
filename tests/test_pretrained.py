"""Pretrained models: the hub's GPT-2 format is read exactly, and what is broken says so."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2LMHeadModel

from course import pretrained
from course.data import DataCorrupt, DataUnavailable
from course.files import write_whole

SMALL = pretrained.folder(pretrained.SMALL)
CARD = json.loads((SMALL / "card.json").read_text())
TEXTS = ("My lord, what news?\n\n[Exeunt.]", "naïve — café ☃ 日本", "  two  blanks\t", "", "<|x|>")


def hub_folder(path: Path, seed: int = 0, **sizes: int) -> tuple[Path, GPT2LMHeadModel]:
    """A folder as the hub's openai-community/gpt2 is, stored causal masks and all, and its model.

    Its tokenizer has two files, vocab.json and merges.txt; weights are large, so that a wrong
    activation, scale or mask shows.
    """
    torch.manual_seed(seed)
    sizes = {"n_layer": 3, "n_embd": 48, "n_head": 4, "n_positions": 32, "vocab_size": 2048} | sizes
    reference = GPT2LMHeadModel(GPT2Config(**sizes, attn_implementation="eager")).eval()
    for parameter in reference.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.5)
    weights = {
        key.removeprefix("transformer."): value.contiguous()
        for key, value in reference.state_dict().items()
        if key != "lm_head.weight"
    }
    n = sizes["n_positions"]
    for layer in range(sizes["n_layer"]):
        weights[f"h.{layer}.attn.bias"] = torch.ones(n, n).tril().view(1, 1, n, n)
    path.mkdir(parents=True, exist_ok=True)
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    config = {"activation_function": "gelu_new", "model_type": "gpt2", "layer_norm_epsilon": 1e-5}
    config |= {"bos_token_id": 2047, "eos_token_id": 2047, "n_ctx": n} | sizes
    (path / "config.json").write_text(json.dumps(config))
    for file in ("vocab.json", "merges.txt"):
        (path / file).write_bytes((SMALL / file).read_bytes())
    return path, reference


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> tuple[Path, GPT2LMHeadModel]:
    return hub_folder(tmp_path_factory.mktemp("hub"))


# --- the format


@torch.no_grad()
@pytest.mark.parametrize("length", [1, 7, 32])
def test_logits_equal_the_reference_librarys(hub, length):
    path, reference = hub
    tokens = torch.randint(2048, (3, length), generator=torch.Generator().manual_seed(length))
    wanted = reference(tokens).logits
    assert wanted.std() > 0.5
    got = pretrained.language_model(path).logits(tokens)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_small_model_is_the_reference_librarys_too():
    reference = GPT2LMHeadModel.from_pretrained(SMALL, dtype=torch.float32).eval()
    model = pretrained.language_model()
    tokens = torch.tensor([model.encode(pretrained.held_out())[:200]])
    torch.testing.assert_close(model.logits(tokens), reference(tokens).logits, rtol=0, atol=1e-3)


def test_output_is_blind_to_the_future_and_sees_the_past(hub):
    model = pretrained.language_model(hub[0])
    tokens = torch.arange(12)[None].repeat(2, 1)
    tokens[1, 6] = 99
    before, after = model.logits(tokens)
    torch.testing.assert_close(before[:6], after[:6], rtol=0, atol=1e-5)
    assert ((before[6:] - after[6:]).abs().amax(1) > 1e-2).all()


def test_weights_keep_the_hubs_names_layout_and_masks(hub):
    weights = pretrained.state_dict(hub[0])
    assert weights["h.0.attn.c_attn.weight"].shape == (48, 144)  # (in, out)
    assert weights["h.2.mlp.c_proj.weight"].shape == (192, 48)
    assert weights["h.1.attn.bias"].shape == (1, 1, 32, 32)
    assert len(weights) == 2 + 3 * 13 + 2
    assert {w.dtype for w in weights.values()} == {torch.float32}


def test_a_folder_that_the_reference_library_wrote_is_read(tmp_path, hub):
    hub[1].save_pretrained(tmp_path)
    for file in ("vocab.json", "merges.txt"):
        (tmp_path / file).write_bytes((SMALL / file).read_bytes())
    mine, theirs = pretrained.state_dict(tmp_path), pretrained.state_dict(hub[0])
    assert set(mine) == {key for key in theirs if not key.endswith(".attn.bias")}
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)
    assert pretrained.language_model(tmp_path).vocab_size == 2048


def test_hub_weights_undo_load(hub):
    model = pretrained.language_model(hub[0])
    weights = pretrained.state_dict(hub[0])
    back = pretrained.hub_weights(model)
    assert set(back) == {key for key in weights if not key.endswith(".attn.bias")}
    assert all(torch.equal(back[key], weights[key]) for key in back)


def test_half_precision_is_read_as_float32(tmp_path, hub):
    path, _ = hub_folder(tmp_path)
    weights = {key: value.half() for key, value in load_file(path / "model.safetensors").items()}
    save_file(weights, path / "model.safetensors")
    assert {w.dtype for w in pretrained.state_dict(path).values()} == {torch.float32}


# --- tokens


@pytest.mark.parametrize("text", TEXTS)
def test_every_text_comes_back_from_its_tokens(text):
    model = pretrained.language_model()
    tokens = model.encode(text)
    assert model.decode(tokens) == text
    assert all(0 <= token < model.vocab_size for token in tokens)


@pytest.mark.parametrize("text", TEXTS)
def test_two_files_and_one_file_are_the_same_tokenizer(hub, text):
    one, two = pretrained.tokenizer(), pretrained.tokenizer(hub[0])
    assert one.encode(text).ids == two.encode(text).ids
    assert one.get_vocab() == two.get_vocab()


def test_the_end_of_a_text_is_one_token_and_the_last():
    model = pretrained.language_model()
    assert model.encode(pretrained.END) == [model.end] == [model.vocab_size - 1]
    assert model.decode([model.end]) == pretrained.END


# --- what cannot be read


@pytest.mark.parametrize(
    "tokens, words",
    [
        (torch.zeros(5, dtype=torch.long), "(batch, time)"),
        (torch.zeros(1, 5), "whole numbers"),
        (torch.zeros(1, 33, dtype=torch.long), "1 to 32 tokens"),
        (torch.zeros(1, 0, dtype=torch.long), "got 0"),
        (torch.tensor([[0, 2048]]), "0 … 2047"),
        (torch.tensor([[-1, 3]]), "got -1"),
    ],
)
def test_tokens_that_mean_nothing_are_refused_in_one_sentence(hub, tokens, words):
    with pytest.raises(ValueError) as error:
        pretrained.language_model(hub[0]).logits(tokens)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("kept", [0, 5, 2000, 50_000, -1])
def test_a_file_cut_short_is_refused(tmp_path, kept):
    path, _ = hub_folder(tmp_path)
    content = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(content[:kept])
    with pytest.raises(DataCorrupt, match="delete it and load it again"):
        pretrained.state_dict(path)


@pytest.mark.parametrize(
    "file, content, words",
    [
        ("model.safetensors", b"\xff" * 9999, "safetensors"),
        ("config.json", b"{", "configuration"),
        ("config.json", b"{}", "n_layer"),
        ("vocab.json", b"[]", "tokenizer"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, file, content, words):
    path, _ = hub_folder(tmp_path)
    (path / file).write_bytes(content)
    with pytest.raises(DataCorrupt, match=words):
        pretrained.language_model(path)


def test_a_missing_weight_and_a_wrong_shape_are_named(tmp_path):
    path, _ = hub_folder(tmp_path)
    weights = load_file(path / "model.safetensors")
    turned = weights | {"h.1.mlp.c_fc.weight": weights["h.1.mlp.c_fc.weight"].T.contiguous()}
    save_file(turned, path / "model.safetensors")
    with pytest.raises(DataCorrupt, match=r"c_fc\.weight of shape \(192, 48\).*\(48, 192\)"):
        pretrained.language_model(path)
    weights.pop("h.2.ln_2.bias")
    save_file(weights, path / "model.safetensors")
    with pytest.raises(DataCorrupt, match=r"no weight h\.2\.ln_2\.bias"):
        pretrained.language_model(path)


def test_a_missing_file_and_an_unknown_name_say_what_there_is(tmp_path):
    path, _ = hub_folder(tmp_path)
    (path / "config.json").unlink()
    with pytest.raises(DataUnavailable, match=r"holds no config\.json"):
        pretrained.config(path)
    with pytest.raises(ValueError, match=r"course/small-gpt.*got 'gpt5'"):
        pretrained.folder("gpt5")


# --- the model hub


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The hub, played by a folder with its own checksums, and a list of what was asked of it."""
    path, _ = hub_folder(tmp_path / "mirror")
    asked = []

    def download(repo_id, filename, revision, local_files_only=False):
        asked.append((repo_id, filename, revision, local_files_only))
        if local_files_only and not any(a[1] == filename and not a[3] for a in asked):
            raise huggingface_hub.errors.LocalEntryNotFoundError("not in the cache")
        return str(path / filename)

    real = {
        file: (len((path / file).read_bytes()), pretrained._sha256(str(path / file), 0))
        for file in pretrained._HUB
    }
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(pretrained, "_HUB", real)
    return path, asked


def test_the_hubs_files_are_fetched_once_at_the_pinned_revision(mirror):
    path, asked = mirror
    assert pretrained.folder(pretrained.GPT2_124M) == path
    assert pretrained.language_model(pretrained.GPT2_124M).context == 32
    fetched = [(name, file) for name, file, revision, local in asked if not local]
    assert sorted(fetched) == sorted((pretrained.GPT2_124M, file) for file in pretrained._HUB)
    assert {revision for _, _, revision, _ in asked} == {"607a30d783dfa663caf39e06633721c8d4cfcd7e"}


@pytest.mark.parametrize("damage, words", [(lambda b: b[:-1], "bytes instead"), (None, "checksum")])
def test_a_damaged_download_is_refused(mirror, damage, words):
    path, _ = mirror
    content = (path / "model.safetensors").read_bytes()
    flipped = content[:-1] + bytes([content[-1] ^ 1])
    write_whole(path / "model.safetensors", damage(content) if damage else flipped)
    with pytest.raises(DataCorrupt, match=words):
        pretrained.state_dict(pretrained.GPT2_124M)


def test_without_a_network_one_sentence_names_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataUnavailable) as error:
        pretrained.language_model(pretrained.GPT2_124M)
    said = str(error.value)
    assert "connect to the internet once" in said and "path of a folder" in said
    assert pretrained.SMALL in said and "\n" not in said and len(said) < 450


def test_gpt2s_file_has_room_for_its_parameters_its_masks_and_a_header():
    size, _ = pretrained._HUB["model.safetensors"]
    parameters = 50257 * 768 + 1024 * 768 + 12 * (12 * 768**2 + 13 * 768) + 2 * 768
    assert parameters == 124_439_808
    assert 8 < size - 4 * (parameters + 12 * 1024**2) < 20_000


# --- the small model


@torch.no_grad()
def nats_of(model: pretrained.LanguageModel, text: str) -> list[float]:
    """−ln p of each token, nats; one window at a time, a token at a time: slow and plain."""
    tokens = [model.end, *model.encode(text)]
    half, start, found = model.context // 2, -1, []
    for t in range(1, len(tokens)):
        first = max(math.ceil((t - model.context) / half), 0) * half
        if first != start:
            start = first
            window = torch.tensor([tokens[start : start + model.context]])
            log_p = model.logits(window)[0].double().log_softmax(1)
        found.append(-log_p[t - 1 - start, tokens[t]].item())
    return found


def test_the_cards_figures_hold_on_the_held_out_page():
    model, text, card = pretrained.language_model(), pretrained.held_out(), CARD["page"]
    nats = nats_of(model, text)
    assert (card["characters"], card["tokens"]) == (len(text), len(nats))
    assert math.isclose(sum(nats) / len(nats), card["nats_per_token"], rel_tol=1e-4)
    assert math.isclose(sum(nats) / len(text), card["nats_per_character"], rel_tol=1e-4)
    bits = sum(nats) / math.log(2) / len(text.encode())
    assert math.isclose(bits, card["bits_per_byte"], rel_tol=1e-4)


def test_the_larger_models_card_holds_and_it_reads_the_small_ones_tokens():
    folder = pretrained.folder(pretrained.LARGER)
    card = json.loads((folder / "card.json").read_text("utf-8"))
    model, text = pretrained.language_model(pretrained.LARGER), pretrained.held_out()
    nats = nats_of(model, text)
    assert math.isclose(sum(nats) / len(text), card["page"]["nats_per_character"], rel_tol=1e-4)
    assert sum(nats) < sum(nats_of(pretrained.language_model(), text))
    assert card["held_out"]["nats_per_character"] <= card["target"]
    assert sum(p.numel() for p in model.parameters()) == card["parameters"]
    assert (folder / "model.safetensors").stat().st_size == card["bytes"] < 15_000_000
    assert (folder / "tokenizer.json").read_bytes() == (SMALL / "tokenizer.json").read_bytes()
    assert f"{card['held_out']['nats_per_character']:.3f}" in (folder / "README.md").read_text()


def test_it_beats_n_grams_of_every_order_on_the_held_out_play():
    best = min(row["nats_per_character"] for row in CARD["n_grams"].values())
    assert set(CARD["n_grams"]) >= {"4", "5", "6"}
    assert CARD["held_out"]["nats_per_character"] < best


def test_its_size_and_its_parts_are_what_the_card_says():
    model = pretrained.language_model()
    assert sum(p.numel() for p in model.parameters()) == CARD["parameters"]
    assert f"{CARD['parameters']:,}" in (SMALL / "README.md").read_text()
    assert sum(file.stat().st_size for file in SMALL.iterdir()) < 15_000_000
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert os.path.basename(SMALL) == "small_gpt" and model.context == 256
