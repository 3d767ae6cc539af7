"""The parts of `make gpu` about text do on a processor, small, what they are to do on a card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpt2, gpu_text, small_gpt
from benchmarks.gpu_text import GROWING, RECIPES, Plays, Recipe
from course import pretrained, writing

CPU = torch.device("cpu")
SIZES = {"vocab_size": 97, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_fits_into_the_file(recipe: Recipe):
    config = recipe.config()
    model = pretrained.LanguageModel(config)
    assert sum(p.numel() for p in model.parameters()) == recipe.parameters()
    assert 2 * recipe.parameters() + 20_000 < gpu_text.MOST  # float16, and the file's header
    assert config["n_embd"] % config["n_head"] == 0
    assert config["vocab_size"] == pretrained.config()["vocab_size"]  # the shipped one can draft


def test_a_window_lies_anywhere_in_its_row_in_training_and_first_in_validation():
    seen = []

    class Model(torch.nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            seen.append(tokens)
            return torch.zeros(*tokens.shape, 50)

    rows = torch.arange(40)[None].expand(300, -1)  # windows of 20
    nats = gpu_text.loss(Model().eval(), rows)
    assert torch.allclose(nats, torch.full((300,), torch.tensor(50.0).log().item()))
    assert torch.equal(seen[0], rows[:, :20])
    gpu_text.loss(Model().train(), rows)
    assert set(seen[1][:, 0].tolist()) == set(range(20))
    assert torch.equal(seen[1] - seen[1][:, :1], rows[:, :20])


def test_windows_hold_a_text_between_its_ends():
    tokenizer = pretrained.tokenizer()
    end = tokenizer.token_to_id(pretrained.END)
    rows = gpu_text.windows(("My lord, I will.", "Well met."), tokenizer, 3)
    ids = [*rows[:, :3].flatten().tolist(), *rows[-1, 3:].tolist()]
    told = tokenizer.decode(ids, skip_special_tokens=False)
    assert ids[0] == end and told.startswith(f"{pretrained.END}My lord, I will.{pretrained.END}W")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    """The whole recipe at a tiny size: its card, its folder and its plays."""
    page = pretrained.held_out()
    plays = Plays((page[:2000], page[2000:3200]), page[3200:4000], page[4000:])
    recipes = (
        Recipe("still", 1, 32, 2, lr=1e-9, epochs=1, batch=8, context=16),
        Recipe("one", 1, 32, 2, dropout=0.0, lr=1e-2, epochs=4, batch=8, warmup=5, context=16),
    )
    folder = tmp_path_factory.mktemp("again")
    card = gpu_text.again(CPU, plays, recipes, folder, progress=False)
    return card, folder, plays, recipes


def test_validation_chooses_recipe_and_epoch(trained):
    card, _, _, _ = trained
    found = {name: row["valid_nats_per_character"] for name, row in card["tried"].items()}
    assert found["one"] < found["still"]
    assert card["recipe"]["name"] == "one"
    assert card["recipe"]["epochs"] == card["tried"]["one"]["best_epoch"]
    curve = card["tried"]["one"]["valid"]
    assert curve[card["tried"]["one"]["best_epoch"] - 1] == min(curve)


def test_the_model_is_written_in_the_hubs_form_and_its_card_is_true(trained):
    card, folder, plays, _ = trained
    model = pretrained.language_model(folder / "model")
    nats = small_gpt.token_nats(model, plays.test).double().sum().item()
    assert nats / len(plays.test) == pytest.approx(card["held_out"]["nats_per_character"], rel=1e-6)
    assert (folder / "model" / "model.safetensors").stat().st_size == card["bytes"]
    assert card == json.loads((folder / "model" / "card.json").read_text("utf-8"))
    words = (folder / "model" / "README.md").read_text("utf-8")
    assert f"{card['held_out']['nats_per_character']:.3f} nats per character" in words
    assert "read once, at the end" in " ".join(words.split())
    assert max(map(len, words.splitlines())) <= 110


def test_what_was_tried_is_not_tried_again(trained, monkeypatch: pytest.MonkeyPatch):
    card, folder, plays, recipes = trained
    asked = []
    once = gpu_text.trained

    def counted(recipe, *args, **kwargs):
        asked.append(recipe.name)
        return once(recipe, *args, **kwargs)

    monkeypatch.setattr(gpu_text, "trained", counted)
    again = gpu_text.again(CPU, plays, recipes, folder, progress=False)
    assert asked == ["one"]  # the chosen one, on all texts
    assert again["held_out"] == card["held_out"]  # on a processor to the last bit


def test_the_shipped_model_drafts_for_the_new_one(trained):
    _, folder, _, _ = trained
    found = gpu_text.drafts(CPU, folder / "model", count=8, ahead=2)
    assert 0 < found["share"] < 1
    assert found["tokens"] <= found["passes"] + found["kept"] < found["tokens"] + 3
    ours = gpu_text.drafts(CPU, small_gpt.MODEL, count=8, ahead=3)  # its own draft is always kept
    assert ours["share"] == pytest.approx(1, abs=1e-5)
    assert (ours["passes"], ours["kept"]) == (2, 6)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gpt2, "CONFIG", SIZES)
    for name, value in {"PROMPT": 5, "COUNT": 12, "ROOM": 17, "TIMES": 1}.items():
        monkeypatch.setattr(writing, name, value)
    monkeypatch.setattr(writing, "bandwidth", lambda device: 1e9)


def test_all_ways_write_the_same_tokens_and_stand_in_the_table(small):
    part = gpu_text.speeds(CPU, compiles=False)
    assert part["same"] == dict.fromkeys(part["rates"], 12)
    assert list(part["rates"]) == [GROWING, gpu_text.STATIC, gpu_text.EAGER, gpu_text.COMPILED]
    told = json.loads(gpu_text.shown(part | {"about": {}}))
    speeds = writing.Speeds(**told)
    assert speeds.rates == part["rates"] and speeds.by.startswith("stored: measured by the lesson")


def test_without_the_reference_library_its_side_is_left_out_in_a_sentence(
    small, trained, monkeypatch: pytest.MonkeyPatch
):
    card, folder, _, _ = trained
    monkeypatch.setattr(gpu_text.importlib.util, "find_spec", lambda name: None)
    lesson = gpu_text.solution_functions("12_gpt2") | {"GPT2_SMALL": SIZES}
    monkeypatch.setattr(
        gpu_text,
        "solution_functions",
        lambda name, real=gpu_text.solution_functions: lesson if name == "12_gpt2" else real(name),
    )
    part = gpu_text.speeds(CPU)
    assert list(part["rates"]) == [GROWING, gpu_text.STATIC]
    done = {"writing-float32": part, "writing-bfloat16": part, "small-gpt": card}
    done["drafts"] = gpu_text.drafts(CPU, folder / "model", count=4, ahead=1)
    told = gpu_text.table(done)
    assert "The reference library is not installed there: its side was not run." in told
    assert f"{card['held_out']['nats_per_character']:.3f} nats a character" in told


def test_what_was_never_run_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(gpu_text, "STORE", tmp_path / "none.json")
    told = gpu_text.run()
    assert "Not run yet: no CUDA card could be had." in told and "other code" in told
    assert all(recipe.name in told for recipe in RECIPES)


def test_the_readme_has_this_section():
    readme = (Path(gpu_text.__file__).parent / "README.md").read_text("utf-8")
    assert f"## {gpu_text.TITLE}\n\n{gpu_text.run().strip()}\n" in readme
