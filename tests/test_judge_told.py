"""What judging a notebook gives, to the letter: scores, outputs, sentences, time, fresh guests."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from autograder import claim
from autograder.card import as_html
from autograder.checking import CheckTookTooLong, checks
from autograder.claims import Verdict
from autograder.grading import judge as judging
from autograder.grading.judge import NotebookResult, Outcome, judge_notebook
from autograder.remote.client import GuestGone
from autograder.remote.proxy import NotAttempted, StudentFailed, standin_for
from tests.test_rebuild import SOLVED, STUB, cell, graded, notebook

LESSON = "98_judged"
LIMITS = SimpleNamespace(seconds_per_cell=10.0, seconds_per_submission=100.0, reply_bytes=77)
NOT_RUN = "not run: the added cells have used up their share of the time"


@checks("double", lesson=LESSON, points=2)
def doubling(double, draw):
    """Twice a number."""
    yield claim("double(0) is 0", double(0) == 0, advice="multiply")
    yield claim("double(3) is 6", double(3) == 6, advice="multiply by two")


@checks("Pair.total", lesson=LESSON, points=1)
def totals(Pair, draw):
    """The sum of two numbers."""
    yield claim("1 and 2 are 3", Pair(1, 2).total() == 3, advice="add them")


class World:
    """Guests that run their cells in this process, on a clock that moves when a text says so."""

    def __init__(self) -> None:
        self.now = 50.0
        self.says: dict[str, Any] = {}  # text → what a channel's run gives, raises or calls
        self.guests: list[Any] = []
        self.channels: list[Any] = []
        self.limits: list[tuple[float, ...]] = []
        self.ran: list[tuple[int, str, float]] = []

    def spawn(self) -> Any:
        assert len(self.guests) < 50, "guests without end"
        peak = 1_000 * (len(self.guests) + 1)
        guest = SimpleNamespace(
            socket=f"socket {len(self.guests)}",
            kill=lambda: SimpleNamespace(peak_memory_bytes=peak),
            status=lambda: "by itself",
        )
        self.guests.append(guest)
        return guest

    def channel(self, connection: Any, **options: Any) -> Any:
        names: dict[str, Any] = {}
        one = SimpleNamespace(connection=connection, options=options, names=names, gone=None)
        number = len(self.channels)
        one.run = lambda text, seconds: self.run(number, text, seconds)
        self.channels.append(one)
        return one

    def run(self, number: int, text: str, seconds: float) -> Any:
        self.ran.append((number, text, seconds))
        said = self.says.get(text)
        if callable(said):
            said = said()
        if isinstance(said, Exception):
            raise said
        if said is None:
            exec(text, self.channels[number].names)
            said = {"status": "ok", "outputs": []}
        return said

    def takes(self, seconds: float) -> Callable[[], None]:
        def wait() -> None:
            self.now += seconds

        return wait

    def standin(self, channel: Any, name: str) -> Any:
        if name not in channel.names:
            raise NotAttempted(f"{name} is not there")
        if isinstance(channel.names[name], BaseException):
            raise channel.names[name]
        return standin_for(channel.names[name])

    @contextlib.contextmanager
    def time_limit(self, *seconds: float) -> Any:
        self.limits.append(seconds)
        yield


@pytest.fixture
def world(monkeypatch):
    made = World()
    monkeypatch.setattr(judging, "GuestChannel", made.channel)
    monkeypatch.setattr(judging, "standin_by_name", made.standin)
    monkeypatch.setattr(judging, "time_limit", made.time_limit)
    monkeypatch.setattr(judging, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def check(points: float = 2) -> dict[str, Any]:
    return graded("check-double", "check(double)", solution=False, points=points)


def done(text: str = SOLVED) -> dict[str, Any]:
    return graded("double", text, solution=True)


def own(text: str) -> dict[str, Any]:
    return cell(text, metadata={"autograder-added": True})


def judged(world: World, *cells: dict[str, Any], limits: Any = LIMITS, **options: Any) -> Any:
    return judge_notebook(notebook(*cells), LESSON, world.spawn, limits, **options)


def told(one: dict[str, Any]) -> list[Any]:
    """What the outputs of a cell say."""
    return [o.get("text", o.get("evalue", o.get("data"))) for o in one["outputs"]]


# --- outcomes -------------------------------------------------------------------------------------


def test_a_notebooks_result_is_whole(world):
    world.says["print(1)"] = world.takes(3)
    why = graded("why", "Since.", solution=True, points=4, kind="markdown")
    result = judged(world, cell("# T", "markdown"), cell("print(1)"), done(), check(), why, seed=9)
    verdict = result.outcomes[0].verdict
    assert (verdict.status, verdict.earned, verdict.seed, verdict.points) == ("passed", 2, 9, 2)
    assert result.outcomes == [
        Outcome("check-double", 2.0, 2.0, "passed", "", "", False, verdict),
        Outcome("why", 4.0, None, "to be read"),
    ]
    assert (result.score, result.max_score, result.seed) == (2, 6, 9)
    assert (result.problems, result.restarts, result.seconds) == ([], 0, 3)
    assert result.peak_memory_bytes == 1_000
    card = f'<div class="tex2jax_ignore mathjax_ignore">{as_html(verdict)}</div>'
    assert [c.get("outputs") for c in result.notebook["cells"]] == [
        None, [], [],
        [{
            "output_type": "execute_result", "data": {"text/html": card, "text/plain": "2.0"},
            "metadata": {}, "execution_count": None,
        }],
        None,
    ]  # fmt: skip


def test_a_seed_is_drawn_of_64_bits_unless_one_is_given(world, monkeypatch):
    monkeypatch.setattr(judging.secrets, "randbits", lambda bits: bits)
    assert judged(world).seed == 64
    assert judged(world, seed=0).seed == 0
    assert world.guests == []


def test_an_outcome_is_plain_data_for_a_record():
    verdict = Verdict("double", LESSON, 2)
    one = Outcome("a", 2.0, 1.0, "partly", verdict=verdict)
    assert one.as_dict() == {
        "grade_id": "a", "points": 2.0, "score": 1.0, "status": "partly", "headline": "",
        "misconception": "", "inside": False, "verdict": verdict.as_dict(),
    }  # fmt: skip
    assert dataclasses.replace(one, verdict=None).as_dict()["verdict"] is None


def test_a_check_is_scaled_to_what_its_cell_is_worth(world):
    half = "def double(x):\n    return 0"
    for points, score in ((2, 1.0), (5, 2.5), (1 / 3, 0.166667), (0, 0.0)):
        result = judged(world, done(half), check(points))
        (outcome,) = result.outcomes
        assert (outcome.points, outcome.score, outcome.status) == (points, score, "partly")
        assert outcome.headline == "double(3) is 6: multiply by two"
        assert result.notebook["cells"][1]["outputs"][0]["data"]["text/plain"] == repr(score)


def test_a_score_is_never_outside_its_points():
    cell_of = check()
    for earned, score in ((-1.0, 0.0), (1.0, 3.0), (9.0, 3.0)):
        verdict = SimpleNamespace(
            earned=earned, points=1.0, status="passed", misconceptions=["a", "b"]
        )
        outcome = judging._outcome(verdict, cell_of, 3.0)
        assert (outcome.score, outcome.misconception) == (score, "a")
    assert judging._outcome(Verdict("double", LESSON, 0), cell_of, 3.0).score == 0.0


def test_sums_count_what_is_read_by_a_person_as_nothing_yet():
    result = NotebookResult({}, 0)
    result.outcomes += [Outcome("a", 3, 2.0, ""), Outcome("b", 4, None, ""), Outcome("c", 1, 1, "")]
    assert (result.score, result.max_score) == (3.0, 8)


def test_a_step_is_judged_on_the_class_that_it_is_a_step_of(world):
    pair = "class Pair:\n    def __init__(self, *numbers):\n        self.numbers = numbers\n"
    right = graded("Pair", pair + "    def total(self):\n        return sum(self.numbers)",
                   solution=True)  # fmt: skip
    step = graded("check-Pair.total", 'check(Pair, "total")', solution=False, points=1)
    (outcome,) = judged(world, right, step).outcomes
    assert (outcome.status, outcome.score) == ("passed", 1.0)
    world.says[right["source"]] = {"status": "error", "outputs": [RAISED]}
    (outcome,) = judged(world, right, step).outcomes
    assert (outcome.status, outcome.headline) == ("failed", "its cell stopped with E: no")


def test_a_stub_and_a_missing_name_are_not_attempted(world):
    for text in (STUB, "x = 1"):
        (outcome,) = judged(world, done(text), check()).outcomes
        assert (outcome.status, outcome.score, outcome.headline) == (
            "not attempted", 0.0, "not attempted",
        )  # fmt: skip
    assert outcome.verdict.reason == "double is not there"


# --- graded cells that run inside -----------------------------------------------------------------


def result_of(text: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "data": {"text/plain": text}, "metadata": {}}


RAISED = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": []}


@pytest.mark.parametrize(
    ("outputs", "score", "status", "headline", "plain"),
    [
        ([], 3.0, "passed", "", None),
        ([result_of("2")], 2.0, "partly", "2 of 3 points", "2.0"),
        ([result_of("0")], 0.0, "failed", "0 of 3 points", "0.0"),
        ([result_of("3.0")], 3.0, "passed", "", "3.0"),
        ([result_of("3.5")], 0.0, "failed", "0 of 3 points", "0.0"),
        ([result_of("-1")], 0.0, "failed", "0 of 3 points", "0.0"),
        ([result_of("nan")], 0.0, "failed", "0 of 3 points", "0.0"),
        ([result_of("inf")], 0.0, "failed", "0 of 3 points", "0.0"),
        ([result_of("yes")], 3.0, "passed", "", "yes"),
        ([RAISED], 0.0, "failed", "E: no", None),
        ([{**RAISED, "evalue": ""}], 0.0, "failed", "E", None),
        ([result_of("1"), RAISED], 1.0, "partly", "1 of 3 points", "1.0"),
        ([RAISED, result_of("1")], 0.0, "failed", "E: no", None),
        ([result_of("1"), result_of("2")], 1.0, "partly", "1 of 3 points", "1.0"),
    ],
)
def test_a_cell_of_another_form_is_read_as_nbgrader_reads_it(
    outputs, score, status, headline, plain, world
):
    test = graded("test", "assert double(1) == 2", solution=False, points=3)
    world.says[test["source"]] = {"status": "ok", "outputs": outputs}
    result = judged(world, test)
    assert result.outcomes == [Outcome("test", 3.0, score, status, headline, inside=True)]
    shown = result.notebook["cells"][0]["outputs"]
    assert told({"outputs": shown})[-1].strip() == (
        "(This cell was judged inside the student's own process.)"
    )
    assert len(shown) == len(outputs) + 1
    if plain is not None:
        assert shown[0]["data"]["text/plain"] == plain


def test_a_result_without_text_earns_all_and_has_a_text_that_is_no_number(world):
    one = {
        "output_type": "execute_result", "execution_count": None, "metadata": {},
        "data": {"image/png": "AAAA"},
    }  # fmt: skip
    outcome = judging._inside({**check(3), "outputs": [one]}, 3.0)
    assert (outcome.score, outcome.headline) == (3.0, "")
    assert one["data"] == {"image/png": "AAAA", "text/plain": "(a picture)"}
    worthless = judging._inside({**check(0), "outputs": [dict(RAISED)]}, 0.0)
    assert (worthless.score, worthless.status, worthless.headline) == (0.0, "passed", "E: no")
    assert judging._inside({**check(0), "outputs": []}, 0.0).headline == ""


def test_an_exercise_with_points_of_its_own_is_read_by_a_person(world):
    by_hand = graded("essay", "x = 1", solution=True, points=3)
    untouched = graded("why", "Why?", solution=True, points=2, kind="markdown")
    untouched["metadata"]["autograder-untouched"] = True
    assert judged(world, by_hand, untouched).outcomes == [
        Outcome("essay", 3.0, None, "to be read"),
        Outcome("why", 2.0, 0.0, "not attempted", "no answer"),
    ]


# --- cells ----------------------------------------------------------------------------------------


def test_demos_are_left_out_unless_asked_for(world):
    demo = cell("shown = 1", metadata={"tags": ["demo"]})
    result = judged(world, demo)
    assert told(result.notebook["cells"][0]) == ["(A demo: it is not run for grading.)\n"]
    assert world.ran == []
    result = judged(world, demo, run_demos=True)
    assert [text for _, text, _ in world.ran] == ["shown = 1"]
    assert result.notebook["cells"][0]["outputs"] == []


def test_what_is_run_instead_of_a_cells_text_is_told(world):
    stub = {**done(STUB), "metadata": {**done()["metadata"], "autograder-runs": "y = 1"}}
    nothing = {**own(STUB), "metadata": {"autograder-added": True, "autograder-runs": " "}}
    result = judged(world, stub, nothing, cell(" "))
    assert [text for _, text, _ in world.ran] == ["y = 1"]
    said = ["(What another cell of yours defines was not run here.)\n"]
    assert [told(c) for c in result.notebook["cells"]] == [said, said, []]


def test_a_cell_that_is_stopped_says_why_and_so_does_its_check(world):
    late = [
        {"output_type": "stream", "name": "stdout", "text": "so far"},
        {**RAISED, "ename": "OutOfTime"}, {**RAISED, "ename": "KeyboardInterrupt"}, RAISED, 3,
    ]  # fmt: skip
    world.says["loop = 1"] = {"status": "timeout", "outputs": late}
    result = judged(world, done("loop = 1"), check())
    assert told(result.notebook["cells"][0]) == ["so far", "no", "the cell took longer than 10 s"]
    last = result.notebook["cells"][0]["outputs"][-1]
    assert (last["output_type"], last["ename"]) == ("error", "Stopped")
    (outcome,) = result.outcomes
    assert (outcome.status, outcome.headline) == ("failed", "the cell took longer than 10 s")


def test_a_cell_that_raised_is_why_its_exercise_is_not_there(world):
    raised = {"status": "error", "outputs": [{**RAISED, "evalue": "no\nmore"}]}
    for one in (done("1/0"), own("def double(x): 1/0"), done("def double(x): 1/0")):
        world.says[one["source"]] = raised
        (outcome,) = judged(world, one, check()).outcomes
        assert (outcome.status, outcome.headline) == ("failed", "its cell stopped with E: no")
    for theirs in ("import double", "1/0\ndef double(x): ..."):  # the lesson's own cells
        world.says[theirs] = raised
        (outcome,) = judged(world, cell(theirs), check()).outcomes
        assert outcome.status == "not attempted"
    fixed = (done("1/0"), own(SOLVED), check())
    assert judged(world, *fixed).outcomes[0].status == "passed"


def test_the_error_of_a_cell_is_one_bounded_line():
    assert judging._raised([]) == judging._raised([3, {"output_type": "stream"}]) == ""
    assert judging._raised([{"output_type": "stream"}, RAISED, {**RAISED, "ename": "F"}]) == (
        "its cell stopped with E: no"
    )
    long = judging._raised([{**RAISED, "evalue": "x" * 1_000}])
    assert long == "its cell stopped with E: " + "x" * 397


def test_exercises_that_are_defined_more_than_once_are_told(world):
    texts = [done(), own(SOLVED), cell(SOLVED), own("def other(x): 1"), own("def other(x): 1")]
    assert judged(world, *texts, check()).problems == [
        "double is defined in 2 cells: the last one above its check counts"
    ]
    assert judged(world, done(), cell(SOLVED), check()).problems == []
    markdown = {**own(SOLVED), "cell_type": "markdown"}
    assert judged(world, done(), markdown, check()).problems == []
    assert judged(world, *texts).problems == []


# --- guests and time ------------------------------------------------------------------------------


def test_a_channel_has_the_bounds_of_the_submission(world):
    judged(world, cell("x = 1"), done(), check())
    (channel,) = world.channels
    why_dead = channel.options.pop("why_dead")
    assert why_dead() == "by itself"
    assert channel.connection == "socket 0"
    assert channel.options == {"seconds": 10.0, "deadline": 150.0, "max_reply": 77}
    assert [seconds for _, _, seconds in world.ran] == [10.0, 10.0]
    assert world.limits == [(30.0, 105.0)]


def test_a_check_waits_no_longer_than_the_submission_has_left(world):
    world.says["x = 1"] = world.takes(98)
    judged(world, cell("x = 1"), done(), check())
    world.says["x = 1"] = world.takes(200)
    judged(world, cell("x = 1"), done(), check())
    assert world.limits == [(30.0, 7.0), (30.0, 5.1)]


def test_added_cells_have_half_of_the_time(world):
    for text, seconds in (("a = 1", 9), ("b = 1", 36.5), ("c = 1", 4.9), ("e = 1", 0.5)):
        world.says[text] = world.takes(seconds)
    rest = [own(f"{name} = 1") for name in "abcdef"]
    result = judged(world, *rest[:3], cell("d = 1"), *rest[4:], own("def double(x): 1"), check())
    assert world.ran == [
        (0, "a = 1", 10.0), (0, "b = 1", 10.0), (0, "c = 1", 4.5), (0, "d = 1", 10.0),
    ]  # fmt: skip
    assert [told(c) for c in result.notebook["cells"][4:7]] == [[NOT_RUN]] * 3
    assert result.outcomes[0].headline == NOT_RUN
    world.ran.clear()
    world.says["b = 1"] = world.takes(40.5)
    judged(world, *rest[:3])
    assert world.ran[-1] == (2 - 1, "c = 1", 1.0)


def test_a_lost_guest_is_replaced_and_what_ran_is_run_again(world):
    world.says["bad = 1"] = GuestGone("it went away")
    world.says["late = 1"] = {"status": "timeout", "outputs": []}
    result = judged(world, cell("x = 1"), cell("late = 1"), own("bad = 1"), done(), check())
    assert world.ran == [
        (0, "x = 1", 10.0), (0, "late = 1", 10.0), (0, "bad = 1", 10.0),
        (1, "x = 1", 10.0), (1, SOLVED, 10.0),
    ]  # fmt: skip
    assert told(result.notebook["cells"][2]) == ["it went away"]
    assert result.problems == ["the notebook's process had to be replaced: it went away"]
    assert (result.restarts, result.peak_memory_bytes) == (1, 2_000)
    assert result.outcomes[0].status == "passed"


def test_the_largest_memory_of_all_guests_is_told(world):
    peaks = iter([5_000, 3_000])
    spawn = world.spawn

    def smaller() -> Any:
        guest, peak = spawn(), next(peaks)
        guest.kill = lambda: SimpleNamespace(peak_memory_bytes=peak)
        return guest

    world.spawn = smaller
    world.says["bad = 1"] = GuestGone("it went away")
    assert judged(world, cell("bad = 1"), cell("x = 1")).peak_memory_bytes == 5_000
    world.spawn = lambda: SimpleNamespace(socket=None, kill=lambda: None, status=lambda: "")
    assert judged(world, cell("x = 1")).peak_memory_bytes == 0


def test_a_replay_that_fails_keeps_what_has_still_to_run(world):
    answers = iter([None, GuestGone("again"), None])
    world.says["x = 1"] = lambda: next(answers)
    world.says["bad = 1"] = GuestGone("it went away")
    result = judged(world, cell("x = 1"), cell("y = 1"), cell("bad = 1"), done(), check())
    assert [(n, t) for n, t, _ in world.ran] == [
        (0, "x = 1"), (0, "y = 1"), (0, "bad = 1"), (1, "x = 1"), (2, "y = 1"), (2, SOLVED),
    ]  # fmt: skip
    assert result.restarts == 2
    assert result.outcomes[0].status == "passed"


def test_after_three_restarts_nothing_is_run_any_more(world):
    bad = []
    for number in range(5):
        bad.append(cell(f"bad = {number}"))
        world.says[bad[-1]["source"]] = GuestGone(f"bad {number}")
    result = judged(world, *bad, done(), check())
    over = "not run: the notebook's process had to be ended 4 times"
    assert [told(c) for c in result.notebook["cells"][:-1]] == [
        ["bad 0"], ["bad 1"], ["bad 2"], ["bad 3"], [over], [over],
    ]  # fmt: skip
    assert (result.restarts, len(world.guests)) == (4, 4)
    assert [p.rpartition(" ")[2] for p in result.problems] == ["0", "1", "2", "3"]
    (outcome,) = result.outcomes
    assert (outcome.status, outcome.headline) == (
        "failed", "the notebook's process had to be ended 4 times",
    )  # fmt: skip


def test_past_its_time_nothing_is_run_any_more(world):
    def late() -> Exception:
        world.now = 150.0
        return GuestGone("too late")

    world.says["bad = 1"] = late
    result = judged(world, cell("bad = 1"), cell("x = 1"), done(), check())
    over = "the notebook as a whole has used up its time"
    assert told(result.notebook["cells"][1]) == [f"not run: {over}"]
    assert (result.outcomes[0].headline, result.restarts) == (over, 1)
    assert result.problems == ["the notebook's process had to be replaced: too late"]


def test_a_guest_that_is_gone_after_a_check_is_replaced(world):
    def gone() -> None:
        world.channels[-1].gone = GuestGone("it died")

    world.says["z = 1"] = gone
    result = judged(world, done(), cell("z = 1"), check(), cell("x = 1"))
    assert result.problems == [
        "the notebook's process had to be replaced: in check(double), it died"
    ]
    assert [n for n, _, _ in world.ran] == [0, 0, 1, 1, 1]


def test_a_check_that_is_ended_fails_and_costs_the_guest(world):
    for error, line in (
        (CheckTookTooLong("too long"), ""),
        (StudentFailed("no", "x = 1"), "x = 1"),
    ):
        world.says["z = 1"] = lambda error=error: world.channels[-1].names.update(double=error)
        result = judged(world, cell("z = 1"), check(), cell("x = 1"), seed=5)
        (outcome,) = result.outcomes
        late = isinstance(error, CheckTookTooLong)
        assert outcome.verdict == Verdict(
            "double", LESSON, 2, seed=5, status="failed", reason=str(error), line=line, late=late
        )
        assert outcome.headline == str(error)
        said = "the notebook's process had to be replaced: in check(double), too long"
        assert result.problems == [said] * late


def test_the_guest_is_ended_whatever_happens(world):
    ended = []
    spawn = world.spawn

    def noted() -> Any:
        guest = spawn()
        guest.kill = lambda: ended.append(guest)
        return guest

    world.spawn = noted
    world.says["x = 1"] = RuntimeError("our own")
    with pytest.raises(RuntimeError, match="our own"):
        judged(world, cell("x = 1"))
    assert len(ended) == 1


def test_how_a_process_ended_is_told_as_its_spawner_knows_it():
    ended = judging._how_it_ended
    asked = []

    def wait(seconds: float) -> Any:
        asked.append(seconds)
        return SimpleNamespace(reason="memory\x1b")

    assert ended(SimpleNamespace(status=lambda: "a", wait=wait)) == "memory"
    assert asked == [2.0]
    assert ended(SimpleNamespace(status=lambda: "a")) == "a"
    assert ended(SimpleNamespace(status=lambda: None)) == ""
    assert ended(SimpleNamespace(status=lambda: SimpleNamespace(reason=None))) == ""
    assert ended(SimpleNamespace(status=lambda: 1 / 0)) == ""
    assert ended(SimpleNamespace()) == ""
    assert len(ended(SimpleNamespace(status=lambda: "x" * 300))) == 200
