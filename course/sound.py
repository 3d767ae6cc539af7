"""Makes and fetches sound: a resonator whose entropy is known, plucked strings, spoken digits.

    from course import sound

    x = sound.resonator(8, 4096, seed=0)          # (8, 4096), what a bell does to noise
    x = sound.strings([0, 4], 4000, seed=0)       # (2, 4000), an A3 and a G4 being plucked
    sound.play(x[0], "a plucked A3")              # a player
    spoken = sound.spoken_digits()                # 3,000 recordings, downloaded once

All sound is mono, 8,000 samples a second (`RATE`), in [−1, 1]. Everything that is made here is made
from a seed, and is the same on every machine up to rounding.
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import io
import json
import math
import os
import re
import wave
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course.data import Card, DataCorrupt, DataUnavailable, _fetch, _keep, cache_folder

RATE = 8000  # samples a second

# The resonator x_t = 2 r cos(ω) x_{t−1} − r² x_{t−2} + σ ε_t: a tone near 446 Hz that dies away in
# about 50 samples and is kept alive by noise.
RADIUS, ANGLE, DEVIATION = 0.9802, 0.3507, 0.1143

# Five notes of a pentatonic scale: any tune on them is bearable.
NOTES = {"A3": 220.00, "C4": 261.63, "D4": 293.66, "E4": 329.63, "G4": 392.00}

Encode = Callable[[torch.Tensor], torch.Tensor]

MODELS = Path(__file__).parent / "models"

# --- the resonator, and what it costs -------------------------------------------------------------


def coefficients() -> tuple[float, float, float]:
    """a₁, a₂ and σ of the resonator x_t = a₁ x_{t−1} + a₂ x_{t−2} + σ ε_t, ε standard normal.

    σ is such that x has the standard deviation `DEVIATION` (Box and Jenkins 1970, section 3.2.4).
    """
    a1, a2 = 2 * RADIUS * math.cos(ANGLE), -(RADIUS**2)
    correlation = a1 / (1 - a2)  # of neighbors
    return a1, a2, DEVIATION * math.sqrt((1 - correlation**2) * (1 - a2**2))


def resonator(batch: int, count: int, seed: int = 0) -> torch.Tensor:
    """`batch` stretches of the resonator's sound, float64 (batch, count), stationary throughout."""
    from scipy.signal import lfilter

    a1, a2, sigma = coefficients()
    settle = 600  # 0.98^600 < 1e-5: nothing is left of the silence before
    noise = np.random.default_rng(seed).normal(0, sigma, size=(batch, settle + count))
    return torch.from_numpy(lfilter([1], [1, -a1, -a2], noise)[:, settle:].copy())


def bin_edges(encode: Encode, levels: int) -> np.ndarray:
    """Where a monotone `encode` goes from code c − 1 to c, for c ≥ 1: float64, by bisection.

    Raises ValueError if the codes do not rise with x, or do not run from 0 to levels − 1.
    """
    x = torch.linspace(-1, 1, 20_001, dtype=torch.float64)
    codes = encode(x)
    if (codes.diff() < 0).any() or int(codes[0]) != 0 or int(codes[-1]) != levels - 1:
        raise ValueError(
            f"codes must rise from 0 to {levels - 1} as x rises from −1 to 1: got {int(codes[0])} "
            f"… {int(codes[-1])}"
        )
    wanted = torch.arange(1, levels)
    low, high = torch.full((levels - 1,), -1.0).double(), torch.ones(levels - 1).double()
    for _ in range(60):
        middle = (low + high) / 2
        above = encode(middle) >= wanted
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    return high.numpy()


@dataclass(frozen=True)
class Yardstick:
    """What a sample of the resonator costs, in nats, for models that know more and more.

    Attributes:
        order0: how often each code comes, and nothing else.
        bigram: each code given the one before it.
        ar2: a recursion over the QUANTIZED past, its a₁, a₂ and σ fitted to it.
        ar6: the same with six of the past: rounding hides the state, and more of it shows through.
        best: the exact conditional p(code | all codes before it), by a particle filter: nobody who
            hears codes only can do better, but for the filter's own small error.
        bound: the conditional entropy given the TRUE past, before quantization: less than anybody
            who hears codes only can reach.
        levels: how many codes.
    """

    order0: float
    bigram: float
    ar2: float
    ar6: float
    best: float
    bound: float
    levels: int

    def rows(self) -> list[tuple[str, float]]:
        """(in words, nats a sample), from the worst to the unreachable."""
        return [
            (f"every code equally likely: ln {self.levels}", math.log(self.levels)),
            ("order 0: how often each code comes", self.order0),
            ("bigram: given the code before", self.bigram),
            ("AR(2), fitted to the quantized past", self.ar2),
            ("AR(6), fitted to the quantized past", self.ar6),
            ("best possible from codes (particle filter)", self.best),
            ("bound: the true past known, unquantized", self.bound),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{words:<44}{nats:7.4f} nats a sample" for words, nats in self.rows())


def yardstick(
    encode: Encode, decode: Encode, levels: int, test: torch.Tensor, seed: int = 1
) -> Yardstick:
    """Prices of the codes of `test` (B, T), sound of the resonator; fitted on 400,000 samples.

    `encode` takes float64 in [−1, 1] to codes 0 … levels − 1, `decode` back. The particle filter
    has 500 particles a stretch. Averages leave the first samples of a stretch out that a
    recursion cannot say; the filter's and the codes' own do not.
    """
    edges = np.concatenate([[-np.inf], bin_edges(encode, levels), [np.inf]])
    train = resonator(1, 400_000, seed)[0]
    c, t = (encode(x).numpy() for x in (train, test))
    counts = np.bincount(c, minlength=levels) + 0.01
    pairs = np.full((levels, levels), 0.01)
    np.add.at(pairs, (c[:-1], c[1:]), 1)
    order0 = -np.log(counts / counts.sum())[t].mean()
    bigram = -np.log(pairs / pairs.sum(1, keepdims=True))[t[:, :-1], t[:, 1:]].mean()

    heard, h = (decode(torch.from_numpy(codes)).double().numpy() for codes in (c, t))

    def recursion(order: int) -> float:
        past = np.lib.stride_tricks.sliding_window_view(heard[:-1], order)
        a = np.linalg.lstsq(past, heard[order:], rcond=None)[0]
        sigma = float((heard[order:] - past @ a).std())
        mean = np.lib.stride_tricks.sliding_window_view(h[:, :-1], order, axis=1) @ a
        return _price(edges, t[:, order:], mean, sigma)

    a1, a2, sigma = coefficients()
    x = test.numpy()
    bound = _price(edges, t[:, 2:], a1 * x[:, 1:-1] + a2 * x[:, :-2], sigma)
    prices = (float(order0), float(bigram), recursion(2), recursion(6), _filtered(edges, t), bound)
    return Yardstick(*prices, levels)


def _price(edges: np.ndarray, codes: np.ndarray, mean: np.ndarray, sigma: float) -> float:
    """Mean −log P(edges[c] ≤ x < edges[c + 1]) of normal x around `mean`."""
    from scipy.special import ndtr

    p = ndtr((edges[codes + 1] - mean) / sigma) - ndtr((edges[codes] - mean) / sigma)
    return float(-np.log(np.maximum(p, 1e-300)).mean())


def _filtered(edges: np.ndarray, codes: np.ndarray, particles: int = 500) -> float:
    """−log p(codes) a sample, by a particle filter that proposes inside the code's own interval.

    Gordon, Salmond and Smith (1993), with the locally optimal proposal (Doucet, Godsill and Andrieu
    2000): the weight of a particle is the probability that its next x falls into the interval.
    """
    from scipy.special import ndtr, ndtri

    rng = np.random.default_rng(0)
    a1, a2, sigma = coefficients()
    rows, count = codes.shape
    correlation = a1 / (1 - a2)
    each = np.arange(rows)[:, None]
    x2 = rng.normal(0, DEVIATION, (rows, particles))
    x1 = correlation * x2 + rng.normal(0, DEVIATION, (rows, particles)) * math.sqrt(
        1 - correlation**2
    )
    total = np.zeros(rows)
    grid = np.arange(particles) / particles
    for t in range(count):
        mean = a1 * x1 + a2 * x2
        low = ndtr((edges[codes[:, t]][:, None] - mean) / sigma)
        high = ndtr((edges[codes[:, t] + 1][:, None] - mean) / sigma)
        weight = np.maximum(high - low, 1e-300)
        total -= np.log(weight.mean(1))
        steps = (weight / weight.sum(1, keepdims=True)).cumsum(1)
        places = grid + rng.random((rows, 1)) / particles  # systematic resampling
        chosen = np.stack([np.searchsorted(s, p) for s, p in zip(steps, places, strict=True)])
        chosen = np.minimum(chosen, particles - 1)
        low, high, mean, x1 = (v[each, chosen] for v in (low, high, mean, x1))
        u = np.clip(low + (high - low) * rng.random(low.shape), 1e-15, 1 - 1e-15)
        x1, x2 = mean + sigma * ndtri(u), x1
    return float(total.mean() / count)


# --- plucked strings ------------------------------------------------------------------------------


def pluck(
    frequency: float, count: int, rng: np.random.Generator, ring: float = 0.994
) -> np.ndarray:
    """A plucked string, float64 (count,), in [−1, 1]: noise that runs in a loop and wears smooth.

    The loop is as long as the period, and each round is a mean of two neighbors, so that the high
    partials die first (Karplus and Strong 1983); their weights put the period between two
    whole numbers of samples. `ring` is what is left of the loudness after one round.

    Raises ValueError if the period is shorter than four samples.
    """
    from scipy.signal import lfilter

    period = RATE / frequency
    if not period >= 4:
        raise ValueError(
            f"a string at {RATE:,} samples a second can sound up to {RATE / 4:,.0f} Hz: got "
            f"{frequency}"
        )
    whole = int(period)
    part = period - whole
    burst = rng.uniform(-1, 1, whole + 1)
    burst = lfilter([0.5, 0.5], [1], burst - burst.mean())
    burst *= 0.35 / burst.std()
    x = np.zeros(count)
    x[: whole + 1] = burst[:count]
    loop = np.zeros(whole + 2)
    loop[0], loop[whole], loop[whole + 1] = 1, -ring * (1 - part), -ring * part
    return np.clip(lfilter([1], loop, x), -1, 1)


def strings(labels: Sequence[int], count: int, seed: int = 0) -> torch.Tensor:
    """One pluck for each label, 0 … 4 for the notes of `NOTES`: float64 (B, count)."""
    frequencies = list(NOTES.values())
    rng = np.random.default_rng(seed)
    rows = [pluck(frequencies[int(label)], count, rng) for label in labels]
    return torch.from_numpy(np.stack(rows))


def pitch(x: Any) -> int:
    """The label 0 … 4 of the note in `NOTES` that x (count,) sounds like, by autocorrelation.

    For each note the mean over its period and twice its period of the correlation of x with itself,
    that much later (between whole samples, linear); the greatest wins.
    """
    x = np.asarray(x, dtype=np.float64)
    x = x - x.mean()

    def correlation(lag: float) -> float:
        whole = int(lag)
        part = lag - whole
        late = (1 - part) * x[1 : len(x) - whole] + part * x[: len(x) - whole - 1]
        early = x[whole + 1 :]
        return float(late @ early / max(np.linalg.norm(late) * np.linalg.norm(early), 1e-12))

    periods = [RATE / f for f in NOTES.values()]
    return int(np.argmax([correlation(p) + correlation(2 * p) for p in periods]))


# --- listening ------------------------------------------------------------------------------------


def play(x: Any, words: str) -> None:
    """Displays a player for x (count,) in [−1, 1], with `words` that say what is to be heard.

    Raises ValueError if `words` is empty or x is no signal.
    """
    from IPython.display import Audio, display

    if not words.strip():
        raise ValueError("play needs a few words on what is to be heard: got an empty text")
    x = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x, dtype=np.float64)
    if x.ndim != 1 or not len(x) or not np.isfinite(x).all():
        raise ValueError(f"play needs one finite signal (count,): got shape {x.shape}")
    player = Audio(np.clip(x, -1, 1), rate=RATE, normalize=False)._repr_html_()
    label = html.escape(words, quote=True)
    player = player.replace("<audio", f'<audio aria-label="{label}"', 1)
    seconds = len(x) / RATE
    shown = f'<figure style="margin:4px 0"><figcaption>{label}</figcaption>{player}</figure>'
    display({"text/html": shown, "text/plain": f"[sound, {seconds:.2f} s: {words}]"}, raw=True)


def save_wav(path: str | os.PathLike, x: Any) -> None:
    """Writes x (count,) in [−1, 1] as 16-bit mono at `RATE`, to listen to outside."""
    x = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x, dtype=np.float64)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(x, -1, 1) * 32767).round().astype("<i2").tobytes())
    Path(path).write_bytes(content.getvalue())


# --- trained weights ------------------------------------------------------------------------------


def trained(name: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Settings and weights of a model that ships with the course: numbers by name, and no code.

    `name` is "wavenet_resonator" or "wavenet_strings"; the settings are the arguments of the
    lesson's `WaveNet` with what training reached, the weights fit its `load_state_dict`.

    Raises LookupError for another name.
    """
    folder = MODELS / name
    if not re.fullmatch(r"wavenet_[a-z]+", name) or not (folder / "weights.npz").is_file():
        known = ", ".join(sorted(p.parent.name for p in MODELS.glob("wavenet_*/weights.npz")))
        raise LookupError(f"there is no trained model {name!r}: there are {known}")
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    with np.load(folder / "weights.npz", allow_pickle=False) as file:
        weights = {key: torch.from_numpy(file[key]).float() for key in file.files}
    return settings, weights


# --- spoken digits --------------------------------------------------------------------------------

SPOKEN_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
SPOKEN_URL = "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/zip/" + SPOKEN_COMMIT
# Of names, lengths and contents of all recordings in the order of their names: GitHub may pack one
# commit into different archives, but never into other recordings.
SPOKEN_SHA256 = "997e451901d158bdf09dde66b240f3f19310fdbf4d9c056ebd806254df4a672c"
SPOKEN_TEST = 5  # of 50 recordings of a digit by a speaker, the first five are for testing
_SPOKEN_NAME = re.compile(r"(?:.*/)?(\d)_([a-z]+)_(\d+)\.wav")
_MOST = 1 << 26  # bytes of all recordings together; they are 21 MB

SPOKEN = Card(
    name="Free Spoken Digit Dataset",
    contents="3,000 recordings of spoken digits, 6 speakers × 10 digits × 50, 22 minutes in all",
    origin=(
        "Z. Jackson and others (2016–2024), Free Spoken Digit Dataset, "
        f"github.com/Jakobovski/free-spoken-digit-dataset, commit {SPOKEN_COMMIT[:7]}"
    ),
    license="CC BY-SA 4.0",
    split="2,700 train · 300 test: recordings 0 … 4 of each digit and speaker, as its authors say",
    values="8,000 samples a second, 16 bit, mono; here floats in [−1, 1]",
    access="downloaded once, about 16 MB, checksum verified; kept in the user's cache folder",
)


@dataclass(frozen=True, repr=False)
class Spoken:
    """Recordings of spoken digits, in two parts.

    Attributes:
        train, test: lists of float32 (count,), in [−1, 1]; each recording has its own length.
        train_labels, test_labels: int64 (B,), the digit 0 … 9.
        train_speakers, test_speakers: the speaker's name, one for each recording.
        card: origin, license and split.
    """

    train: list[torch.Tensor]
    test: list[torch.Tensor]
    train_labels: torch.Tensor
    test_labels: torch.Tensor
    train_speakers: list[str]
    test_speakers: list[str]
    card: Card = SPOKEN

    def __repr__(self) -> str:
        seconds = sum(map(len, self.train + self.test)) / RATE
        return (
            f"<{self.card.name}: train {len(self.train):,} · test {len(self.test):,} recordings, "
            f"{seconds:.0f} s>"
        )


def spoken_digits(
    path: str | os.PathLike | None = None, *, download: bool = True, progress: bool = True
) -> Spoken:
    """The Free Spoken Digit Dataset: from the cache, or downloaded once and verified.

    Args:
        path: a folder of files like `7_jackson_32.wav` (digit, speaker, number), or a zip of them:
            nothing else is tried then, and no checksum is asked for: record your own.
        download: whether to fetch what is not on this machine.
        progress: whether to show a bar for it.

    Raises:
        DataUnavailable: the recordings are not here and cannot be fetched.
        DataCorrupt: an archive is not what its checksum says, or a recording is no 16-bit mono wav
            of 8,000 samples a second.
    """
    if path is not None:
        return _spoken(_recordings(Path(path)), str(path))
    kept = cache_folder() / "fsdd" / f"recordings-{SPOKEN_COMMIT[:7]}.zip"
    problem = ""
    if kept.is_file():
        try:
            return _spoken(_verified(_unzipped(kept.read_bytes(), str(kept)), str(kept)), str(kept))
        except (DataCorrupt, OSError) as error:
            problem = f" ({error})"
    if download:
        try:
            content = _fetch(SPOKEN_URL, progress)
            recordings = _verified(_unzipped(content, SPOKEN_URL), SPOKEN_URL)
        except OSError as error:
            problem = f" and could not be fetched ({str(error).strip().splitlines()[-1][:200]})"
        else:
            _keep(kept, content)
            return _spoken(recordings, SPOKEN_URL)
    raise DataUnavailable(
        f"the spoken digits are not on this machine{problem}: "
        + ("connect to the internet once" if download else "allow download=True")
        + ", or give path= a folder of files like 7_jackson_32.wav; sound.strings needs no download"
    )


def _recordings(path: Path) -> dict[str, bytes]:
    """The wav files of a folder or a zip, by name without folders."""
    if path.is_dir():
        found = {p.name: p.read_bytes() for p in sorted(path.glob("*.wav"))}
    elif path.is_file():
        found = _unzipped(path.read_bytes(), str(path))
    else:
        raise DataUnavailable(f"{path} does not exist: give a folder or a zip of wav files")
    if not found:
        raise DataUnavailable(f"{path} holds no file like 7_jackson_32.wav")
    return found


def _unzipped(content: bytes, where: str) -> dict[str, bytes]:
    """The recordings of an archive, by name without folders; nothing is written to the disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            chosen = [i for i in archive.infolist() if _SPOKEN_NAME.fullmatch(i.filename)]
            if sum(i.file_size for i in chosen) > _MOST:
                raise DataCorrupt(f"{where} unpacks to more than {_MOST >> 20} MB")
            return {i.filename.rsplit("/", 1)[-1]: archive.read(i) for i in chosen}
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DataCorrupt(f"{where} is no zip archive: delete it and load it again") from error


def _verified(recordings: dict[str, bytes], where: str) -> dict[str, bytes]:
    digest = hashlib.sha256()
    for name in sorted(recordings):
        digest.update(f"{name}\0{len(recordings[name])}\0".encode())
        digest.update(recordings[name])
    if digest.hexdigest() != SPOKEN_SHA256:
        raise DataCorrupt(
            f"the {len(recordings):,} recordings of {where} have sha256 {digest.hexdigest()[:12]}… "
            f"instead of {SPOKEN_SHA256[:12]}…: delete the file and load it again"
        )
    return recordings


def _spoken(recordings: dict[str, bytes], where: str) -> Spoken:
    """Parts by the number in the name: below `SPOKEN_TEST` is for testing."""
    parts: dict[bool, list[tuple[torch.Tensor, int, str]]] = {False: [], True: []}
    for name in sorted(recordings):
        said = _SPOKEN_NAME.fullmatch(name)
        if not said:
            raise DataCorrupt(
                f"{where} holds {name}: a recording is called like 7_jackson_32.wav, digit, "
                "speaker and number"
            )
        x = torch.from_numpy(read_wav(recordings[name], name))
        parts[int(said[3]) < SPOKEN_TEST].append((x, int(said[1]), said[2]))
    train, test = parts[False], parts[True]
    return Spoken(
        [x for x, _, _ in train],
        [x for x, _, _ in test],
        torch.tensor([digit for _, digit, _ in train], dtype=torch.int64),
        torch.tensor([digit for _, digit, _ in test], dtype=torch.int64),
        [speaker for _, _, speaker in train],
        [speaker for _, _, speaker in test],
    )


def read_wav(content: bytes, name: str = "the recording") -> np.ndarray:
    """The samples of a 16-bit mono wav at `RATE`, float32 (count,) in [−1, 1); else DataCorrupt."""
    with contextlib.suppress(wave.Error, EOFError):
        with wave.open(io.BytesIO(content)) as file:
            form = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if form != (1, 2, RATE):
                raise DataCorrupt(
                    f"{name} has {form[0]} channels of {8 * form[1]} bits at {form[2]:,} samples a "
                    f"second: 1 channel of 16 bits at {RATE:,} is needed"
                )
            raw = file.readframes(file.getnframes())
        return np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.float32) / 32768
    raise DataCorrupt(f"{name} is no wav file")
