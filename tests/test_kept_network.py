"""A network that one notebook keeps and another one uses, without its class."""

from __future__ import annotations

import pytest
import torch

from autograder.lessons import solution_functions
from course import data, full_size, kept_network


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A machine on which nothing was ever kept or fetched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def trained() -> full_size.Run:
    """Lesson 09's own PixelCNN, in seconds."""
    lesson = solution_functions("09_pixelcnn")
    return full_size.train("PixelCNN", lesson["make_full"], size="smaller", progress=False)


def test_lesson_14_writes_and_reads_a_file_with_lesson_09s_network():
    assert kept_network.kept("PixelCNN") is None
    run = trained()
    assert run.model is not None and run.test is not None
    said = kept_network.keep("PixelCNN", run.model, run.test)
    assert (
        said == "This PixelCNN is kept on this machine, with 10 test images, for other notebooks."
    )
    found = kept_network.kept("PixelCNN")
    assert found is not None
    network, images = found
    assert torch.equal(images, run.test[:10])
    assert torch.equal(network(images), run.model.double().eval()(images))

    codec = solution_functions("14_compression")
    painter, rows = codec["ImageModel"](network, images), images.flatten(1)
    p = painter.conditionals(rows)
    assert p.shape == (10, 64, 2) and torch.allclose(p.sum(-1), torch.ones(10, 64).double())
    price = codec["ideal_bits"](p.gather(-1, rows[..., None]).log())
    nats = run.model.nll(images).sum().item()
    assert abs(price - nats / torch.log(torch.tensor(2.0)).item()) < 1e-3 * price
    assert price < 8 * len(codec["encode"](painter, rows)) < price + 64
    assert codec["round_trip"](painter, rows)


class Asks(torch.nn.Module):
    """Takes another way for other values, which no exported program can."""

    def forward(self, x):
        return x if int(x.sum()) % 2 else -x


def test_what_torch_cannot_export_is_said_in_a_sentence_and_nothing_is_kept():
    said = kept_network.keep("PixelCNN", Asks(), torch.ones(10, 1, 2, 2, dtype=torch.int64))
    assert said.startswith("Not kept for other notebooks: torch cannot export this PixelCNN (")
    assert "\n" not in said and kept_network.kept("PixelCNN") is None


def test_too_few_images_are_refused():
    with pytest.raises(ValueError, match="10 images are kept with a network: got 3"):
        kept_network.keep("PixelCNN", Asks(), torch.ones(3, 1, 2, 2))


def test_a_file_cut_short_is_told_in_a_sentence():
    kept_network.keep("PixelCNN", torch.nn.Flatten(), torch.ones(10, 1, 2, 2))
    path = kept_network.path_of("PixelCNN")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(data.DataCorrupt, match="holds no network that this torch reads: delete it"):
        kept_network.kept("PixelCNN")


def test_where_there_is_no_double_precision_it_is_on_the_processor():
    kept_network.keep("PixelCNN", torch.nn.Flatten(), torch.ones(10, 1, 2, 2))
    found = kept_network.kept("PixelCNN", "mps")
    assert found is not None and found[1].device.type == "cpu"
    assert found[0](found[1]).shape == (10, 4)
