"""The draw stays outside: no number that a student's process is sent leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from autograder import lessons
from autograder.checking import checks_of, judge
from autograder.draw import Draw, one_way
from autograder.remote.proxy import Here, Standin
from autograder.steps import exercise_of

SEED = 0x9E3779B97F4A7C15  # 64 bits, as the grader draws them


class Recording(Here):
    """A channel that keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple] = []

    def ask(self, request: tuple) -> Any:
        self.sent.append(request)
        return super().ask(request)


def parts(value: Any) -> Iterator[Any]:
    """What a nest of containers holds, attributes of Refs left out."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from parts(item)
    else:
        yield value


def whole_numbers(value: Any) -> set[int]:
    """The whole numbers that a part is or holds, the state of a generator among them."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, int | np.integer):
        return {int(value)}
    if isinstance(value, torch.Generator):
        return {value.initial_seed()}
    if isinstance(value, np.random.Generator):
        state = value.bit_generator.state["state"]
        return {int(v) for v in state.values() if isinstance(v, int)}
    if isinstance(value, torch.Tensor | np.ndarray):
        array = np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)
        return set(array.ravel().tolist()) if array.dtype.kind in "iu" else set()
    return set()


def sent_in(lesson: str, name: str) -> list[Any]:
    """All parts of what a check of the solution sends."""
    channel = Recording()
    subject = lessons.solution_functions(lesson)[exercise_of(name)]
    standin = Standin(channel, channel.handles.put(subject), subject=True)
    assert judge(standin, name=name, lesson=lesson, seed=SEED).status == "passed"
    return list(parts(channel.sent))


@pytest.mark.parametrize("lesson", lessons.lesson_names())
def test_nothing_that_is_sent_leads_to_the_draw(lesson: str):
    for name in checks_of(lesson):
        sent = sent_in(lesson, name)
        draw = Draw(SEED, name)
        key = [int(k) for k in draw.rng.bit_generator.state["state"]["key"]]
        secrets = {SEED, SEED % 2**63, SEED % 2**32, SEED >> 32, *key, key[0] + (key[1] << 64)}
        numbers = set().union(*map(whole_numbers, sent))
        assert not numbers & secrets, name
        generators = [g for g in sent if isinstance(g, np.random.Generator)]
        assert not any(isinstance(g.bit_generator, np.random.Philox) for g in generators), name
        # Whoever takes a number for the seed draws something else.
        first = Draw(SEED, name).rng.integers(2**62, size=2).tolist()
        for number in (n for n in numbers if n >= 2**20):
            assert Draw(number, name).rng.integers(2**62, size=2).tolist() != first, name


def test_the_global_generators_start_from_a_digest_of_the_seed():
    for name in checks_of("05_made"):
        digest = one_way(SEED, name, "global generators")
        assert digest in set().union(*map(whole_numbers, sent_in("05_made", name)))


def test_digests_and_streams_of_two_labels_or_checks_have_nothing_in_common():
    digests = {one_way(seed, label) for seed in range(50) for label in ("a", "b", "")}
    assert len(digests) == 150
    assert all(0 <= d < 2**63 for d in digests)
    one, other = Draw(SEED, "encode"), Draw(SEED, "decode")
    assert abs(np.corrcoef(one.normal(10_000), other.normal(10_000))[0, 1]) < 0.05
    assert one.apart() != other.apart()
    assert one.apart() != one.apart()


def test_equal_seeds_give_equal_draws():
    one, again = Draw(SEED, "encode"), Draw(SEED, "encode")
    assert one.uniform(5).tolist() == again.uniform(5).tolist()
    assert one.generator().initial_seed() == again.generator().initial_seed()
    assert one.numpy_generator().random() == again.numpy_generator().random()
    with pytest.raises(ValueError, match="at least 0"):
        Draw(-1)
