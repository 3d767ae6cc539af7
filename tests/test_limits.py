"""Limits: what they are by default, how they are read, and that each of them is bounded."""

from __future__ import annotations

import dataclasses

import pytest

from autograder.sandbox.limits import GIB, MIB, Limits

NAMES = [field.name for field in dataclasses.fields(Limits)]


def test_the_defaults_are_those_that_the_guides_name():
    told = Limits().as_dict()
    assert told == {
        "seconds_per_cell": 60.0, "seconds_per_submission": 600.0, "memory_bytes": 4_294_967_296,
        "disk_bytes": 268_435_456, "files": 4096, "file_bytes": 134_217_728, "processes": 1,
        "threads": 64, "torch_threads": 1, "open_files": 256, "output_bytes": 1_048_576,
        "reply_bytes": 67_108_864, "reply_depth": 40,
    }  # fmt: skip
    assert Limits.from_mapping(told) == Limits()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1, True, None, "1", float("nan"), float("inf"), 1j, [1]])
def test_a_limit_is_a_positive_finite_number(name: str, value: object):
    with pytest.raises(ValueError, match=f"limit {name} must be"):
        Limits(**{name: value})


def test_only_seconds_may_be_broken():
    assert Limits(seconds_per_cell=0.5).seconds_per_cell == 0.5
    assert Limits(seconds_per_submission=1.5).seconds_per_submission == 1.5
    with pytest.raises(ValueError, match="limit threads must be a number"):
        Limits(threads=1.5)


def test_what_no_process_could_start_with_is_refused():
    assert Limits(open_files=16).open_files == 16
    assert Limits(memory_bytes=64 * MIB).memory_bytes == 67_108_864
    with pytest.raises(ValueError, match="open_files must be at least 16: got 15"):
        Limits(open_files=15)
    with pytest.raises(ValueError, match="memory_bytes must be at least 64M"):
        Limits(memory_bytes=64 * MIB - 1)


@pytest.mark.parametrize(
    "text, size",
    [
        ("512", 512), ("512B", 512), ("3K", 3 * 2**10), ("2M", 2 * MIB), ("4G", 4 * GIB),
        ("4g", 4 * GIB), ("512 MiB", 512 * MIB), (" 1.5 GB ", 3 * GIB // 2), ("0.5K", 512),
    ],
)  # fmt: skip
def test_a_size_has_a_unit(text: str, size: int):
    assert Limits.from_mapping({"disk_bytes": text}).disk_bytes == size


@pytest.mark.parametrize(
    "name, text, told",
    [
        ("disk_bytes", "much", "a size such as 512M or 4G"),
        ("disk_bytes", "1T", "a size such as 512M or 4G"),
        ("disk_bytes", "0.3", "a whole number"),
        ("threads", "2K", "a whole number"),
        ("threads", "two", "a whole number"),
        ("seconds_per_cell", "soon", "a number of seconds"),
    ],
)
def test_a_bad_text_is_told_in_a_sentence(name: str, text: str, told: str):
    with pytest.raises(ValueError, match=f"limit {name} must be {told}: got '{text}'"):
        Limits.from_mapping({name: text})


def test_names_that_are_no_limits_are_refused_and_none_means_the_default():
    with pytest.raises(ValueError, match="'patience' is no limit: the limits are seconds_per_cell"):
        Limits.from_mapping({"patience": 3})
    assert Limits.from_mapping({"threads": None}) == Limits()
    assert Limits.from_mapping({"threads": "12", "seconds_per_cell": "90"}) == Limits(
        threads=12, seconds_per_cell=90.0
    )


def test_units_are_powers_of_two():
    assert (MIB, GIB) == (1_048_576, 1_073_741_824)
