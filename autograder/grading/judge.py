"""Judges a rebuilt notebook: its cells run in a guest, the verdicts are reached outside.

A cell that is exactly `check(name)` is never run. Its name is read from the instructor's notebook,
a stand-in made for what the guest calls by that name, and the check runs here, at a fresh seed.
Whatever the student's code does to its own process, it can answer wrongly, and nothing else.
Graded cells of any other form run inside, as nbgrader runs them, and their outcome says so.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from autograder.card import as_html
from autograder.checking import Check, CheckTookTooLong, find_check, judge, time_limit
from autograder.claims import FAILED, NOT_ATTEMPTED, PASSED, Verdict
from autograder.grading.matching import checked_exercise, checked_name, defined_names
from autograder.grading.outputs import Allowance, failure, note, plain_text, sanitize
from autograder.grading.rebuild import (
    Cell,
    Notebook,
    is_added,
    is_answer,
    is_graded,
    is_untouched,
    nbgrader_of,
    text_of,
    text_to_run,
)
from autograder.remote.client import GuestChannel, GuestGone
from autograder.remote.proxy import NotAttempted, StudentFailed, standin_by_name
from autograder.steps import call_of, exercise_of

MAX_RESTARTS = 3


class GuestProcess(Protocol):
    """What a spawner gives: a process behind a socket."""

    socket: socket.socket

    def kill(self) -> Any: ...

    def status(self) -> Any: ...


class Bounds(Protocol):
    """The limits that the judge itself keeps; `autograder.sandbox.Limits` has them."""

    @property
    def seconds_per_cell(self) -> float: ...
    @property
    def seconds_per_submission(self) -> float: ...
    @property
    def reply_bytes(self) -> int: ...


Spawn = Callable[[], GuestProcess]


@dataclass(frozen=True)
class Outcome:
    """What one graded cell earned. `score` is None where a person must read the answer.

    `inside` says that the cell itself ran in the student's process, so that its outcome is only as
    honest as that process.
    """

    grade_id: str
    points: float
    score: float | None
    status: str
    headline: str = ""
    misconception: str = ""
    inside: bool = False
    verdict: Verdict | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a record."""
        return vars(self) | {"verdict": self.verdict.as_dict() if self.verdict else None}


@dataclass
class NotebookResult:
    """A judged notebook: outputs in place, an outcome for each graded cell, and what was odd."""

    notebook: Notebook
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_memory_bytes: int = 0  # 0 where the sandbox cannot tell
    restarts: int = 0

    @property
    def score(self) -> float:
        """Points earned so far; written answers count once a person has read them."""
        return sum(o.score or 0.0 for o in self.outcomes)

    @property
    def max_score(self) -> float:
        """What all graded cells together are worth."""
        return sum(o.points for o in self.outcomes)


def judge_notebook(
    rebuilt: Notebook,
    lesson: str,
    spawn: Spawn,
    limits: Bounds,
    *,
    seed: int | None = None,
    run_demos: bool = False,
) -> NotebookResult:
    """Runs and judges `rebuilt` in place. `spawn()` starts a fresh guest.

    Cells that the instructor tagged "demo" define nothing and are left out unless `run_demos`.
    """
    seed = secrets.randbits(64) if seed is None else seed
    result = NotebookResult(rebuilt, seed)
    began = time.monotonic()
    run = _Run(spawn, limits, result)
    allowance = Allowance()
    try:
        for cell in rebuilt["cells"]:
            if cell["cell_type"] == "code":
                _judge_cell(cell, lesson, run, allowance, run_demos)
            elif is_graded(cell):
                result.outcomes.append(_written(cell))
        _judge_what_waited(rebuilt, lesson, run)
    finally:
        run.close()
    result.problems += _defined_again(rebuilt)
    result.restarts = run.restarts
    result.seconds = time.monotonic() - began
    return result


def _judge_cell(cell: Cell, lesson: str, run: _Run, allowance: Allowance, run_demos: bool) -> None:
    result = run.result
    name = checked_name(cell)
    points = float(nbgrader_of(cell).get("points") or 0.0)
    if name:
        result.outcomes.append(_checked(cell, run.check(name, lesson)))
        return
    if "demo" in cell.get("metadata", {}).get("tags", ()) and not run_demos:
        cell["outputs"] = [note("(A demo: it is not run for grading.)")]
        return
    text = text_to_run(cell)
    outputs: list[Any] = []
    reason = ""
    if text.strip():
        outputs, reason = run.cell(text, own=is_added(cell))
        if is_answer(cell) or is_added(cell):
            trouble = reason or _raised(outputs)
            run.trouble |= dict.fromkeys(defined_names(text), trouble)
            if is_answer(cell):
                run.trouble[nbgrader_of(cell)["grade_id"]] = trouble
    cell["outputs"] = sanitize(outputs, allowance)
    if text != text_of(cell):
        cell["outputs"].append(note("(What another cell of yours defines was not run here.)"))
    if reason:
        cell["outputs"].append(failure("Stopped", reason))
    if is_graded(cell) and not is_answer(cell):
        result.outcomes.append(_inside(cell, points))
    elif is_graded(cell):
        result.outcomes.append(_written(cell))


def _checked(cell: Cell, verdict: Verdict) -> Outcome:
    """The outcome of a check, put into its cell as well."""
    outcome = _outcome(verdict, cell, float(nbgrader_of(cell).get("points") or 0.0))
    cell["outputs"] = _in_nbgraders_form(verdict, outcome)
    return outcome


def _judge_what_waited(rebuilt: Notebook, lesson: str, run: _Run) -> None:
    """Judges once more, now that all has run, what waited for an exercise that stands below."""
    cells = {nbgrader_of(cell)["grade_id"]: cell for cell in rebuilt["cells"] if checked_name(cell)}
    for place, outcome in enumerate(run.result.outcomes):
        if outcome.verdict is not None and outcome.verdict.waits_for_another:
            cell = cells[outcome.grade_id]
            verdict = run.check(checked_name(cell), lesson)
            if verdict.earned >= outcome.verdict.earned:
                run.result.outcomes[place] = _checked(cell, verdict)


class _Run:
    """One notebook's way through its guests: what ran, what must not run again, time left."""

    def __init__(self, spawn: Spawn, limits: Bounds, result: NotebookResult) -> None:
        self.spawn, self.limits, self.result = spawn, limits, result
        self.deadline = time.monotonic() + limits.seconds_per_submission
        # A student's experiments must not eat the time that the graded cells need.
        self.seconds_for_own = limits.seconds_per_submission / 2
        self.done: list[str] = []  # cells to replay in a fresh guest
        self.restarts = 0
        self.over = ""  # why no further guest is started
        self.trouble: dict[str, str] = {}  # of an exercise's cell: why it did not run to its end
        self.guest: GuestProcess | None = None
        self.channel: GuestChannel | None = None

    def close(self) -> None:
        if self.guest is not None:
            peak = getattr(self.guest.kill(), "peak_memory_bytes", 0)
            self.result.peak_memory_bytes = max(self.result.peak_memory_bytes, peak)
            self.guest = self.channel = None

    def ready(self) -> GuestChannel:
        """A channel to a living guest that has run all cells so far; GuestGone if none is left."""
        while self.channel is None:
            if self.over:
                raise GuestGone(self.over)
            self._start()
            replay, self.done = self.done, []
            for text in replay:
                if self.channel is None:
                    self.done.append(text)  # the next guest will run it
                else:
                    self._run(self.channel, text, self.limits.seconds_per_cell)
        return self.channel

    def _start(self) -> None:
        guest = self.guest = self.spawn()
        self.channel = GuestChannel(
            guest.socket,
            seconds=self.limits.seconds_per_cell,
            deadline=self.deadline,
            max_reply=self.limits.reply_bytes,
            why_dead=lambda: _how_it_ended(guest),
        )

    def _lost(self, reason: str) -> None:
        """The guest is gone: a fresh one will be started for the next cell, if there may be one."""
        self.close()
        self.restarts += 1
        if time.monotonic() >= self.deadline:
            self.over = "the notebook as a whole has used up its time"
        elif self.restarts > MAX_RESTARTS:
            self.over = f"the notebook's process had to be ended {self.restarts} times"
        self.result.problems.append(f"the notebook's process had to be replaced: {reason}")

    def _run(self, channel: GuestChannel, text: str, seconds: float) -> tuple[list[Any], str]:
        """Runs a cell in the present guest: its outputs, and why it was stopped ("" if not)."""
        try:
            answer = channel.run(text, seconds)
        except GuestGone as gone:
            self._lost(str(gone))
            return [], str(gone)
        outputs = answer["outputs"]
        if answer["status"] == "timeout":
            outputs = [o for o in outputs if not _is_interruption(o)]
            return outputs, f"the cell took longer than {seconds:g} s"
        self.done.append(text)
        return outputs, ""

    def cell(self, text: str, own: bool) -> tuple[list[Any], str]:
        """Runs a cell of the notebook; `own` says that the student added it."""
        if own and self.seconds_for_own <= 0:
            return [], "not run: the added cells have used up their share of the time"
        seconds = self.limits.seconds_per_cell
        seconds = min(seconds, max(self.seconds_for_own, 1.0)) if own else seconds
        try:
            channel = self.ready()
        except GuestGone as gone:
            return [], f"not run: {gone}"
        began = time.monotonic()
        try:
            return self._run(channel, text, seconds)
        finally:
            if own:
                self.seconds_for_own -= time.monotonic() - began

    def check(self, name: str, lesson: str) -> Verdict:
        """The verdict of the check `name` on what the guest has under the exercise's name."""
        exercise = exercise_of(name)
        seed = self.result.seed
        seconds = 3 * self.limits.seconds_per_cell
        found = find_check(name, lesson)
        try:
            channel = self.ready()
            with time_limit(seconds, max(self.deadline - time.monotonic(), 0.1) + 5.0):
                verdict = judge(
                    standin_by_name(channel, exercise), name=name, lesson=lesson, seed=seed
                )
        except NotAttempted as why:
            trouble = self.trouble.get(exercise, "")
            status = FAILED if trouble else NOT_ATTEMPTED
            verdict = _stopped(found, seed, status, trouble or str(why))
        except StudentFailed as why:
            verdict = _stopped(found, seed, FAILED, str(why), why.line)
        except CheckTookTooLong as why:  # before the check began, or just after it ended
            verdict = _stopped(found, seed, FAILED, str(why), late=True)
        if self.channel is not None and (self.channel.gone or verdict.late):
            self._lost(f"in {call_of(name)}, {self.channel.gone or verdict.reason}")
        return verdict


def _how_it_ended(guest: GuestProcess) -> str:
    """How the process ended, as its spawner tells it; a sandbox may need a moment to know."""
    try:
        wait = getattr(guest, "wait", None)
        ending = guest.status() if wait is None else wait(2.0)
    except Exception:
        return ""
    return plain_text(str(getattr(ending, "reason", ending) or ""), 200)


def _is_interruption(output: Any) -> bool:
    return isinstance(output, dict) and output.get("ename") in ("OutOfTime", "KeyboardInterrupt")


def _raised(outputs: list[Any]) -> str:
    """The error that ended a cell, in one sentence; "" if none did."""
    for output in outputs:
        if isinstance(output, dict) and output.get("output_type") == "error":
            told = f"{output.get('ename')}: {output.get('evalue')}"
            return "its cell stopped with " + plain_text(told, 400).split("\n")[0]
    return ""


def _stopped(
    check: Check, seed: int, status: str, reason: str, line: str = "", late: bool = False
) -> Verdict:
    return Verdict(
        name=check.name, lesson=check.lesson, points=check.points,
        seed=seed, status=status, reason=reason, line=line, late=late,
    )  # fmt: skip


# --- outcomes ---------------------------------------------------------------------------------


def _outcome(verdict: Verdict, cell: Cell, points: float) -> Outcome:
    # The notebook says what a check is worth; a check whose own points differ is scaled to it.
    score = points * verdict.earned / verdict.points if verdict.points else 0.0
    return Outcome(
        grade_id=nbgrader_of(cell)["grade_id"],
        points=points,
        score=round(min(max(score, 0.0), points), 6),
        status=verdict.status,
        headline=_headline(verdict),
        misconception=next(iter(verdict.misconceptions), ""),
        verdict=verdict,
    )


def _headline(verdict: Verdict) -> str:
    """The first thing to say about a verdict, "" if there is nothing to say."""
    if verdict.status == NOT_ATTEMPTED:
        return "not attempted"
    return "" if verdict.status == PASSED else verdict.headline()


def _in_nbgraders_form(verdict: Verdict, outcome: Outcome) -> list[dict[str, Any]]:
    """One result: nbgrader reads the points from its plain text, people read the card."""
    # The classes tell MathJax to leave the card alone: it shows a student's own text.
    card = as_html(verdict)
    html = f'<div class="tex2jax_ignore mathjax_ignore">{card}</div>'
    data = {"text/html": html, "text/plain": repr(float(outcome.score or 0.0))}
    return [
        {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}
    ]


def _inside(cell: Cell, points: float) -> Outcome:
    """The outcome of a graded cell that ran in the student's process, as nbgrader reads outputs.

    A number is partial credit, an error none, anything else all. A number that nbgrader would take
    for full marks (negative, NaN) or stumble over (infinite, too large) counts as none.
    """
    score, headline = points, ""
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            score, headline = 0.0, f"{output['ename']}: {output['evalue']}".strip(": ")
            break
        if output["output_type"] == "execute_result":
            score = _number(output["data"].get("text/plain", ""), points)
            output["data"] = {**output["data"], "text/plain": _for_nbgrader(output, score, points)}
            break
    if points and score < points:
        headline = headline or f"{score:g} of {points:g} points"
    cell["outputs"].append(note("(This cell was judged inside the student's own process.)"))
    return Outcome(
        grade_id=nbgrader_of(cell)["grade_id"],
        points=points,
        score=score,
        status="passed" if score >= points else "partly" if score > 0 else "failed",
        headline=headline,
        inside=True,
    )


def _number(text: str, points: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return points
    return value if 0.0 <= value <= points else 0.0


def _for_nbgrader(output: dict[str, Any], score: float, points: float) -> str:
    text = output["data"].get("text/plain", "")
    try:
        float(text)
    except ValueError:
        return text or "(a picture)"
    return repr(float(score))


def _written(cell: Cell) -> Outcome:
    """A person gives these points; text that nobody touched earns 0 at once, as in nbgrader."""
    points = float(nbgrader_of(cell).get("points") or 0.0)
    if is_untouched(cell):
        return Outcome(nbgrader_of(cell)["grade_id"], points, 0.0, NOT_ATTEMPTED, "no answer")
    return Outcome(nbgrader_of(cell)["grade_id"], points, None, "to be read")


def _defined_again(notebook: Notebook) -> list[str]:
    """Names of exercises that an added cell defines once more: the last definition is judged."""
    wanted = {checked_exercise(cell) for cell in notebook["cells"]} - {""}
    times: Counter[str] = Counter()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and (is_answer(cell) or is_added(cell)):
            times.update(defined_names(text_to_run(cell)) & wanted)
    return [
        f"{name} is defined in {count} cells: the last one above its check counts"
        for name, count in times.items()
        if count > 1
    ]
