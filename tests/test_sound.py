"""Sound: the resonator has its law and price, strings their pitch, and no archive is trusted."""

from __future__ import annotations

import io
import math
import wave
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from course import data, sound

LEVELS = 17


def encode(x: torch.Tensor) -> torch.Tensor:
    """Equal steps; the lesson's own codes are no business of this module."""
    return ((torch.as_tensor(x).clamp(-1, 1) + 1) / 2 * (LEVELS - 1) + 0.5).floor().long()


def decode(codes: torch.Tensor) -> torch.Tensor:
    return 2 * torch.as_tensor(codes).double() / (LEVELS - 1) - 1


# --------------------------------------------------------------------------------- the resonator


def test_the_resonator_follows_its_recursion_and_is_stationary() -> None:
    x = sound.resonator(4, 60_000, seed=5).numpy()
    a1, a2, sigma = sound.coefficients()
    left = x[:, 2:] - a1 * x[:, 1:-1] - a2 * x[:, :-2]
    assert left.std() == pytest.approx(sigma, rel=0.01)
    assert abs(np.corrcoef(left[:, 1:].ravel(), left[:, :-1].ravel())[0, 1]) < 0.01
    assert x.std() == pytest.approx(sound.DEVIATION, rel=0.03)
    many = sound.resonator(4000, 3, seed=6)
    assert float(many[:, 0].std()) == pytest.approx(sound.DEVIATION, rel=0.05)  # from the start


def test_equal_seeds_give_equal_sound_and_others_do_not() -> None:
    one, again, other = (sound.resonator(2, 50, seed=s) for s in (3, 3, 4))
    assert torch.equal(one, again) and not torch.equal(one, other)
    assert torch.equal(sound.strings([1, 2], 99, 5), sound.strings([1, 2], 99, 5))


def test_edges_are_found_where_the_code_changes() -> None:
    edges = sound.bin_edges(encode, LEVELS)
    assert edges == pytest.approx((np.arange(1, LEVELS) - 0.5) / (LEVELS - 1) * 2 - 1, abs=1e-12)
    with pytest.raises(ValueError, match="rise from 0 to 16"):
        sound.bin_edges(lambda x: -encode(x), LEVELS)


def test_knowing_more_costs_less_and_the_true_past_is_the_bound() -> None:
    measured = sound.yardstick(encode, decode, LEVELS, sound.resonator(2, 1500, seed=9))
    prices = [nats for _, nats in measured.rows()]
    assert prices == sorted(prices, reverse=True)
    assert prices[0] == pytest.approx(math.log(LEVELS))
    assert measured.best < measured.ar2 - 0.01
    assert f"{measured.bound:7.4f} nats" in repr(measured)


def test_the_particle_filter_finds_the_exact_price_of_two_samples() -> None:
    from scipy.stats import multivariate_normal

    a1, a2, _ = sound.coefficients()
    correlation = a1 / (1 - a2)
    cov = sound.DEVIATION**2 * np.array([[1, correlation], [correlation, 1]])
    both = multivariate_normal([0, 0], cov)
    edges = np.concatenate([[-9], sound.bin_edges(encode, LEVELS), [9]])
    x = sound.resonator(40, 2, seed=2)
    codes = encode(x).numpy()
    exact = []
    for c, d in codes:
        corners = [(c + i, d + j, (-1) ** (i + j)) for i in (0, 1) for j in (0, 1)]
        p = sum(sign * both.cdf([edges[i], edges[j]]) for i, j, sign in corners)
        exact.append(-math.log(p) / 2)
    found = sound._filtered(edges, codes, particles=4000)
    assert found == pytest.approx(np.mean(exact), abs=0.01)


# ----------------------------------------------------------------------------------- the strings


def test_a_string_sounds_at_its_pitch_and_dies_away() -> None:
    labels = [0, 1, 2, 3, 4] * 3
    x = sound.strings(labels, 3000, seed=1)
    assert [sound.pitch(row) for row in x] == labels
    assert x.abs().max() <= 1
    early, late = x[:, 200:600].std(1), x[:, -400:].std(1)
    assert (late < early).all()


@pytest.mark.parametrize("frequency", [220.0, 261.63, 392.0, 1000.5])
def test_a_string_returns_after_its_period_though_that_is_no_whole_number(frequency: float) -> None:
    x = sound.pluck(frequency, 4096, np.random.default_rng(0), ring=0.999)[1024:]
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 16))
    near = np.abs(np.fft.rfftfreq(1 << 16, 1 / sound.RATE) - frequency) < 0.1 * frequency
    peak = np.fft.rfftfreq(1 << 16, 1 / sound.RATE)[near][spectrum[near].argmax()]
    assert peak == pytest.approx(frequency, rel=0.006)  # a tenth of a semitone


def test_a_string_too_high_for_the_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="up to 2,000 Hz: got 2500"):
        sound.pluck(2500, 100, np.random.default_rng(0))


# ------------------------------------------------------------------------------------- listening


def test_a_player_has_words_and_the_sound(capsys: Any, monkeypatch: Any) -> None:
    shown: list[dict] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    sound.play(torch.zeros(8000), 'a "silent" second')
    assert 'aria-label="a &quot;silent&quot; second"' in shown[0]["text/html"]
    assert "data:audio/wav;base64," in shown[0]["text/html"]
    assert shown[0]["text/plain"] == '[sound, 1.00 s: a "silent" second]'
    with pytest.raises(ValueError, match="empty text"):
        sound.play(torch.zeros(10), " ")
    with pytest.raises(ValueError, match=r"got shape \(2, 5\)"):
        sound.play(torch.zeros(2, 5), "two at once")


def test_a_written_file_is_read_back(tmp_path: Path) -> None:
    x = sound.strings([2], 500, seed=3)[0]
    sound.save_wav(tmp_path / "note.wav", x)
    back = sound.read_wav((tmp_path / "note.wav").read_bytes())
    assert np.abs(back - x.numpy()).max() < 1e-4


# --------------------------------------------------------------------------------- spoken digits


def wav(count: int, seed: int, form: tuple[int, int, int] = (1, 2, sound.RATE)) -> bytes:
    """A wav file of noise, of the form of the data set's unless told."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(form[0])
        file.setsampwidth(form[1])
        file.setframerate(form[2])
        noise = np.random.default_rng(seed).integers(-(2**15), 2**15, count, dtype=np.int16)
        file.writeframes(noise.astype("<i2").tobytes()[: count * form[0] * form[1]])
    return content.getvalue()


RECORDINGS = {
    f"{digit}_{speaker}_{number}.wav": wav(100 + 7 * digit + number, digit + number)
    for digit in (0, 7)
    for speaker in ("ada", "ben")
    for number in (0, 4, 5, 31)
}


def archive(recordings: dict[str, bytes], folder: str = "fsdd-26eb9aa/recordings/") -> bytes:
    """A zip as GitHub packs one: a folder, and other files beside the recordings."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("fsdd-26eb9aa/README.md", "spoken digits")
        for name, raw in recordings.items():
            file.writestr(folder + name, raw)
    return content.getvalue()


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: Any) -> Path:
    """A cache of one's own, a checksum of the small set, and where the archive is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digest = sound.hashlib.sha256()
    for name in sorted(RECORDINGS):
        digest.update(f"{name}\0{len(RECORDINGS[name])}\0".encode() + RECORDINGS[name])
    monkeypatch.setattr(sound, "SPOKEN_SHA256", digest.hexdigest())
    return data.cache_folder() / "fsdd" / f"recordings-{sound.SPOKEN_COMMIT[:7]}.zip"


def test_digits_speakers_and_parts_are_read_from_the_names(tmp_path: Path) -> None:
    for name, raw in RECORDINGS.items():
        (tmp_path / name).write_bytes(raw)
    spoken = sound.spoken_digits(tmp_path)
    assert (len(spoken.train), len(spoken.test)) == (8, 8)
    assert spoken.test_labels.tolist() == [0] * 4 + [7] * 4
    assert spoken.train_speakers == ["ada", "ada", "ben", "ben"] * 2
    assert [len(x) for x in spoken.test[:2]] == [100, 104]
    assert all(x.dtype == torch.float32 and x.abs().max() <= 1 for x in spoken.train)
    assert repr(spoken).startswith("<Free Spoken Digit Dataset: train 8 · test 8 recordings")


def test_one_download_is_verified_kept_and_used_again(cached: Path, monkeypatch: Any) -> None:
    asked: list[str] = []

    def fetch(url: str, progress: bool) -> bytes:
        asked.append(url)
        return archive(RECORDINGS)

    monkeypatch.setattr(sound, "_fetch", fetch)
    first, again = sound.spoken_digits(), sound.spoken_digits(download=False)
    assert asked == [sound.SPOKEN_URL] and sound.SPOKEN_COMMIT in sound.SPOKEN_URL
    assert cached.is_file()
    assert all(torch.equal(a, b) for a, b in zip(first.train, again.train, strict=True))


def test_without_a_network_one_sentence_says_what_to_do(cached: Path, monkeypatch: Any) -> None:
    def fetch(url: str, progress: bool) -> bytes:
        raise OSError("<urlopen error [Errno -3] Temporary failure in name resolution>")

    monkeypatch.setattr(sound, "_fetch", fetch)
    with pytest.raises(sound.DataUnavailable) as told:
        sound.spoken_digits()
    assert "connect to the internet once" in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(sound.DataUnavailable, match="allow download=True"):
        sound.spoken_digits(download=False)


def test_another_archive_than_the_known_one_is_refused_and_not_kept(
    cached: Path, monkeypatch: Any
) -> None:
    changed = {**RECORDINGS, "7_ada_5.wav": wav(10, 1)}
    monkeypatch.setattr(sound, "_fetch", lambda url, progress: archive(changed))
    with pytest.raises(sound.DataCorrupt, match="delete the file and load it again"):
        sound.spoken_digits()
    assert not cached.exists()
    monkeypatch.setattr(sound, "_fetch", lambda url, progress: b"<html>sign in</html>")
    with pytest.raises(sound.DataCorrupt, match="is no zip archive"):
        sound.spoken_digits()


def test_a_spoilt_cache_costs_a_download_and_no_error(cached: Path, monkeypatch: Any) -> None:
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"PK\3\4 broken")
    monkeypatch.setattr(sound, "_fetch", lambda url, progress: archive(RECORDINGS))
    assert len(sound.spoken_digits().test) == 8


def test_an_archive_that_swells_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setattr(sound, "_MOST", 500)
    with pytest.raises(sound.DataCorrupt, match="unpacks to more than"):
        sound._unzipped(archive(RECORDINGS), "the archive")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("1_ada_0.wav", wav(50, 0, (2, 2, 8000)), "2 channels of 16 bits at 8,000"),
        ("1_ada_0.wav", wav(50, 0, (1, 2, 44100)), "at 44,100 samples a second"),
        ("1_ada_0.wav", b"RIFF nothing", "is no wav file"),
        ("hello.wav", wav(50, 0), "called like 7_jackson_32.wav"),
    ],
)
def test_a_file_of_another_form_is_told(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(sound.DataCorrupt, match=said):
        sound.spoken_digits(tmp_path)


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(sound.DataUnavailable, match="holds no file like"):
        sound.spoken_digits(tmp_path)
    with pytest.raises(sound.DataUnavailable, match="does not exist"):
        sound.spoken_digits(tmp_path / "nowhere")


# ------------------------------------------------------------------------------- trained weights


@pytest.mark.parametrize("name", ["wavenet_resonator", "wavenet_strings"])
def test_shipped_weights_are_small_and_hold_numbers_only(name: str) -> None:
    settings, weights = sound.trained(name)
    folder = sound.MODELS / name
    assert sum(p.stat().st_size for p in folder.iterdir()) < 500_000
    assert sorted(p.name for p in folder.iterdir()) == ["log.txt", "settings.json", "weights.npz"]
    assert all(w.dtype == torch.float32 and w.isfinite().all() for w in weights.values())
    assert sum(w.numel() for w in weights.values()) == settings["parameters"]
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert f"{settings['parameters']:,} parameters, seed {settings['seed']}" in log
    assert f"half precision: {settings['nats_a_sample']:.4f}" in log


@pytest.mark.parametrize("name", ["wavenet_piano", "../secret", "small_gpt"])
def test_an_unknown_model_is_told_by_those_that_are_there(name: str) -> None:
    with pytest.raises(LookupError, match="there are wavenet_resonator, wavenet_strings"):
        sound.trained(name)
