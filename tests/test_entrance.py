"""Whatever a guest says becomes plain data at one entrance, and nothing behind it raises."""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.card import as_html, as_text
from autograder.checking import judge
from autograder.claims import ERROR, Verdict
from autograder.grading import page_worker
from autograder.grading.classroom import grade_class
from autograder.grading.gradebook import json_bytes, notebook_bytes
from autograder.grading.judge import judge_notebook
from autograder.grading.key import Key
from autograder.grading.outputs import sanitize
from autograder.grading.page import Page
from autograder.grading.record import record_of
from autograder.grading.worker import Graded
from autograder.plain import MAX_BITS, clean_line, clean_text, plain_fields, whole_characters
from autograder.remote import protocol
from autograder.remote.client import GuestChannel, GuestGone
from autograder.remote.proxy import NotAttempted, StudentFailed, standin_by_name
from autograder.report import write_report
from autograder.sandbox.limits import Limits
from tests.test_grading import (
    LESSON,
    MADE,
    PLAIN,
    Here,
    begun,
    course,
    gradebook_scores,
    hand_in,
    lesson,
)
from tests.test_rebuild import notebook

__all__ = ["begun", "course"]  # fixtures

LIMITS = Limits(seconds_per_cell=5, seconds_per_submission=60)
texts = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["half \ud800", "\x00\x1b[31m", "\u202egnp.exe", "</script><img src=x onerror=alert(1)>", ""]
)
numbers = (
    st.integers()
    | st.sampled_from([2**63, -(2**63) - 1, 10**4000, 2**31, -1])
    | st.floats()
    | st.booleans()
)
_DTYPES = ["bool", "int8", "int64", "uint64", "float16", "float32", "float64", "complex64"]


@st.composite
def arrays(draw: Any) -> Any:
    dtype = draw(st.sampled_from(_DTYPES))
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    raw = draw(st.binary(min_size=0, max_size=0)) + b"\xff\x7f" * 500
    return np.frombuffer(raw, dtype=dtype)[: int(np.prod(shape))].reshape(shape)


failures = st.builds(
    lambda of, message, line, number: ["f", of, message, line, number, [of], False],
    texts,
    texts | numbers,
    texts | numbers,
    numbers,
)
refs = st.builds(lambda n, kind, name: ["r", n, kind, name], numbers, texts, texts)
hexes = st.integers(0, 2**20_000).map(lambda n: ["i", hex(n)])
values = st.recursive(
    st.none() | texts | numbers | arrays() | failures | refs | hexes,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda v: ["l", *v])
        | st.lists(inner, max_size=4).map(lambda v: ["t", *v])
        | st.lists(st.tuples(inner, inner).map(list), max_size=3).map(lambda v: ["d", *v])
    ),
    max_leaves=8,
)
answers = st.builds(
    lambda status, items: ["d", ["status", status], ["outputs", ["l", *items]]],
    st.sampled_from(["ok", "error", "timeout"]) | values,
    st.lists(
        st.builds(
            lambda kind, name, value, trace, data: [
                "d",
                ["output_type", kind],
                ["ename", name],
                ["evalue", value],
                ["text", value],
                ["traceback", trace],
                ["data", data],
            ],
            st.sampled_from(["stream", "error", "display_data", "execute_result"]) | values,
            values,
            values,
            values,
            st.builds(lambda v: ["d", ["text/plain", v], ["image/png", v]], values) | values,
        ),
        max_size=3,
    ),
)  # fmt: skip


class Liar:
    """A guest that answers every request with the next of some values, correctly framed."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said
        self.socket, self.other = socket.socketpair()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        asked = 0
        while True:
            try:
                _, fields = protocol.receive(self.other)
                answer = self.said[asked % len(self.said)]
                self.other.sendall(frame(answer, fields["nonce"]))
            except (EOFError, OSError):
                return
            asked += 1

    def kill(self) -> None:
        self.socket.close()
        self.other.close()

    def status(self) -> str:
        return ""


def frame(node: Any, nonce: str) -> bytes:
    """A frame whose body is the raw node; arrays in it become buffers."""
    buffers: list[bytes] = []

    def raw(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            buffers.append(node.tobytes())
            return ["a", node.dtype.name, list(node.shape), len(buffers) - 1]
        return [raw(one) for one in node] if isinstance(node, list) else node

    body = ["l", raw(node), ["l"]]
    fields = {"body": body, "sizes": [len(b) for b in buffers], "nonce": nonce}
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)  # a guest may write what this process would not
    try:
        header = json.dumps(fields).encode("ascii")
    finally:
        sys.set_int_max_str_digits(most)
    size = sum(map(len, buffers))
    return b"".join([protocol._PREFIX.pack(len(header), size), header, *buffers])


def all_the_way(verdicts: list[Verdict]) -> None:
    """Each verdict as card and text, which a file can hold."""
    for verdict in verdicts:
        assert verdict.status != ERROR, verdict.reason
        as_html(verdict).encode("utf-8")
        text = as_text(verdict)
        assert clean_text(text) == text
        assert Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict


def graded_by(liar: Liar, folder: Path) -> Graded:
    """A notebook whose cells and stand-ins this guest answers for, and its record."""
    result = judge_notebook(notebook(*lesson()), LESSON, lambda: liar, LIMITS, seed=3)
    nbformat.validate(nbformat.from_dict(result.notebook))
    notebook_bytes(result.notebook).decode("utf-8")
    graded = Graded("ada", LESSON, "", result.notebook, result.outcomes, result.problems)
    key = Key({}, {}, {})
    record = record_of(folder / "no", graded, key=key, limits=LIMITS, demos=False, score=0.0)
    assert json.loads(json_bytes(record))["student"] == "ada"
    return graded


@settings(
    max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
@given(said=st.lists(values | answers, min_size=1, max_size=4))
@example(said=[["f", "ValueError", "half \ud800", "x\ud800", 3, ["ValueError"], False]])
@example(said=[["d", ["status", np.zeros(3)], ["outputs", ["l"]]]])
@example(said=[["d", ["status", "error"], ["outputs", ["l", ["d", ["ename", 10**4000]]]]]])
@example(said=[["d", ["status", "ok"], ["outputs", ["l", ["d", ["output_type", np.zeros(2)]]]]]])
@example(said=[["r", 1, "function", "f"], ["i", hex(2**20_000)]])
@example(said=[["r", 1, "function", "f"], 10**4200])
def test_no_answer_of_a_guest_makes_the_host_raise(said: list[Any], tmp_path_factory):
    graded = graded_by(Liar(said), tmp_path_factory.getbasetemp())
    all_the_way([outcome.verdict for outcome in graded.outcomes if outcome.verdict])


def graded_as(said: list[Any], job: Any) -> Graded:
    """The lesson of a job, graded with a guest that answers everything with `said`."""
    cells = json.loads(job.template)
    result = judge_notebook(cells, job.lesson, lambda: Liar(said), LIMITS, seed=3)
    told = Graded(job.student, job.lesson, job.digest, result.notebook, result.outcomes)
    told.problems += result.problems
    return told


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(said=st.lists(values | answers, min_size=1, max_size=4))
@example(said=[["r", 1, "class", "</script>\ud800"], ["d", ["status", "ok"], ["outputs", ["l"]]]])
@example(said=[["f", "E", "\x1b[2J</script>", "x\ud800", 10**4000, ["ValueError"], False]])
def test_no_answer_of_a_guest_keeps_it_out_of_gradebook_page_and_report(said: list[Any], course):
    student = f"s{sum(1 for _ in course.submitted.glob('s*')):03}"
    hand_in(course, student)
    executor = Here(lambda job: graded_as(said, job))
    result = grade_class(course, MADE, PLAIN, executor=executor)
    assert executor.students == [student] and not result.failed
    assert gradebook_scores(course)[student] == 0
    page_worker.start_worker(course, MADE, limit_memory=False)
    assert page_worker.write_page(Page(student, "0" * 64)) == student
    course.feedback_of(student, MADE).read_bytes().decode("utf-8")
    write_report(course, MADE).read_bytes().decode("utf-8")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(said=values)
def test_what_a_stand_in_gives_is_plain_and_bounded(said: Any):
    liar = Liar([["r", 1, "function", "f"], said])
    channel = GuestChannel(liar.socket, seconds=5)
    try:
        value = standin_by_name(channel, "f")(1)
    except (StudentFailed, GuestGone, NotAttempted) as why:
        assert clean_line(str(why), 10_000) == " ".join(str(why).split())
        return
    finally:
        liar.kill()
    assert_plain(value)


def assert_plain(value: Any) -> None:
    if isinstance(value, list | tuple | set):
        for one in value:
            assert_plain(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            assert_plain(name)
            assert_plain(one)
    elif isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, int):
        assert value.bit_length() <= MAX_BITS
        str(value)


@given(st.recursive(texts | numbers | st.none(), lambda v: st.lists(v) | st.dictionaries(texts, v)))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_outputs_are_made_harmless_whatever_they_are(value: Any):
    outputs = sanitize([plain_fields({"output_type": "stream", "text": value})])
    nbformat.validate(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    )
    json.dumps(outputs, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("text", ["half \ud800", "\ud83d\ude00", "ä\r\nb", "a\x1b[2Jb"])
def test_text_is_valid_once_cleaned_and_cleaning_again_changes_nothing(text: str):
    for clean in (clean_text, whole_characters, lambda t: clean_line(t, 100)):
        once = clean(text)
        once.encode("utf-8")
        assert clean(once) == once


def test_a_verdict_at_home_is_as_clean_as_one_from_outside():
    def double(x: int) -> int:
        raise ValueError("half \ud800 \x1b[31m")

    verdict = judge(double, name="double", lesson=LESSON)
    assert verdict.reason == "ValueError: half ? [31m"
    all_the_way([verdict])


def test_an_integer_too_long_to_be_written_is_told_by_its_bits():
    verdict = judge(lambda x: 1 << 60_000, name="double", lesson=LESSON)
    assert "60,001 bits" in verdict.reason or "60,001 bits" in as_text(verdict)
