"""A class on two cores, on a cluster, in PostgreSQL, or killed again and again: the same marks."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from autograder.grading.alone import alone
from autograder.grading.classroom import ClassResult, Settings, grade_class
from autograder.grading.cluster import executor_of
from autograder.grading.course import Course, CourseError, open_course
from autograder.grading.pool import run_on
from autograder.grading.worker import Graded, Job
from tests.postgresql import server
from tests.scale_class import LESSON, hand_in, student

QUICK = Settings(feedback=False, workers=1)
KILLS = 30


def marks_of(result: ClassResult) -> dict[str, float]:
    assert {line.state for line in result.lines} <= {"graded", "kept"}
    return {line.student: line.score for line in result.lines}


@pytest.fixture(scope="module")
def at_home(tmp_path_factory) -> tuple[Course, dict[str, float], dict[str, Graded]]:
    """A class of six graded on this machine: course, marks, and what the worker said of each."""
    course = hand_in(tmp_path_factory.mktemp("home") / "class", 6)
    said: dict[str, Graded] = {}

    class Listening(concurrent.futures.ThreadPoolExecutor):
        def submit(self, function, job):
            def run():
                said[job.student] = function(job)
                return said[job.student]

            return super().submit(run)

    with Listening(1) as executor:
        marks = marks_of(grade_class(course, LESSON, QUICK, executor=executor))
    assert len(set(marks.values())) == 3
    return course, marks, said


# --- a cluster ------------------------------------------------------------------------------------


def _dask(*arguments: str, folder: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A real scheduler on the loopback address with two worker processes."""
    folder = tmp_path_factory.mktemp("dask")
    serving = _dask(
        *("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"),
        *("--no-dashboard",),
        folder=folder,
    )
    address = next(found[0] for line in serving.stderr if (found := re.search(r"tcp://\S+", line)))
    workers = [
        _dask(
            *("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny"),
            *("--no-dashboard", "--local-directory", str(folder / str(number))),
            folder=folder,
        )
        for number in range(2)
    ]
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(2, timeout=120)
    yield address, workers
    for process in (*workers, serving):
        process.kill()
        process.wait()


def test_a_cluster_gives_the_same_marks_though_a_worker_is_killed(at_home, scheduler, tmp_path):
    _, marks, _ = at_home
    address, workers = scheduler
    course = hand_in(tmp_path / "class", 6)

    def progress(what: str, done: int, of: int) -> None:
        if done == 2 and workers[0].poll() is None:
            workers[0].kill()

    with executor_of(address) as executor:
        result = grade_class(course, LESSON, QUICK, executor=executor, progress=progress)
    assert workers[0].poll() is not None
    assert marks_of(result) == marks


def test_a_scheduler_that_is_not_there_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr("autograder.grading.cluster.SECONDS_TO_CONNECT", 1)
    with (
        pytest.raises(CourseError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9: "),
        executor_of("tcp://127.0.0.1:9"),
    ):
        pass


def test_a_worker_with_other_code_is_refused(scheduler, monkeypatch):
    address, _ = scheduler
    from autograder.grading import cluster

    mine = cluster.code_of_this_machine()
    monkeypatch.setattr(cluster.hashlib, "sha256", cluster.hashlib.sha1)  # here, not there
    assert cluster.code_of_this_machine() != mine
    with pytest.raises(CourseError, match="has other code than this machine"), executor_of(address):
        pass


def test_jobs_in_flight_are_bounded():
    most = 0

    class Counting(concurrent.futures.Executor):
        def __init__(self) -> None:
            self.running: list[concurrent.futures.Future] = []

        def submit(self, function, job):
            nonlocal most
            future: concurrent.futures.Future = concurrent.futures.Future()
            self.running.append(future)
            most = max(most, len(self.running))
            if len(self.running) == 8:
                for one in self.running:
                    one.set_result("graded")
                self.running.clear()
            return future

    jobs = [Job(str(n), LESSON, b"", "", "", 0) for n in range(48)]
    assert list(run_on(Counting(), iter(jobs), at_once=8)) == ["graded"] * 48
    assert most == 8


# --- PostgreSQL -----------------------------------------------------------------------------------


def test_marks_in_postgresql_are_those_of_sqlite(at_home, tmp_path):
    _, marks, said = at_home
    with server(tmp_path / "postgresql") as url:
        course = hand_in(tmp_path / "class", 6, db_url=url)
        assert marks_of(grade_class(course, LESSON, QUICK, executor=Remembering(said))) == marks
        with sqlalchemy.create_engine(url).connect() as database:
            count = "select count(*) from submitted_notebook"
            assert database.execute(sqlalchemy.text(count)).scalar() == 6
        again = grade_class(course, LESSON, QUICK, executor=Remembering({}))
        assert {line.state for line in again.lines} == {"kept"}
        assert marks_of(again) == marks


# --- killed, and not alone ------------------------------------------------------------------------


class Remembering(concurrent.futures.Executor):
    """Answers with what a worker has said of such a submission: what is tested is the writing."""

    def __init__(self, said: dict[str, Graded]) -> None:
        self.said = {int(name.rpartition("-")[2]) % 3: graded for name, graded in said.items()}

    def submit(self, function, job):
        future: concurrent.futures.Future = concurrent.futures.Future()
        number = int(job.student.rpartition("-")[2]) % 3
        known = self.said[number]
        future.set_result(dataclasses.replace(known, student=job.student, digest=job.digest))
        return future


class Points:
    """Counts the moments at which a file of the class is opened, renamed, made or removed.

    The process is killed at the `last` of them.
    """

    def __init__(self, folder: Path, last: int) -> None:
        self.folder, self.last, self.seen = str(folder), last, 0

    def __call__(self, event: str, arguments: tuple) -> None:
        if event in ("open", "os.rename", "os.mkdir", "os.remove") and (
            str(arguments[0]).startswith(self.folder)
        ):
            self.seen += 1
            if self.seen == self.last:
                os.kill(os.getpid(), signal.SIGKILL)


def _graded_in_a_child(folder: Path, said: dict[str, Graded], last: int) -> int:
    """Grades the class in a forked process that is killed at its `last` moment; its status."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            course = open_course(class_dir=folder)
            sys.addaudithook(Points(folder, last))
            grade_class(course, LESSON, QUICK, executor=Remembering(said))
            status = 0
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_killed_at_thirty_points_every_submission_is_graded_exactly_once(at_home, tmp_path):
    _, _, said = at_home
    folder = tmp_path / "class"
    course = hand_in(folder, 24)
    chosen = random.Random(0)
    done = []
    for _ in range(KILLS):
        # From before the first moment of a run to some after its last student of that run.
        status = _graded_in_a_child(folder, said, chosen.randrange(1, 80))
        assert status == -signal.SIGKILL
        done.append(len(list((folder / "records" / LESSON).glob("student-*.json"))))
    assert done == sorted(done)
    assert len(set(done)) > 5, done
    assert done[-1] < 24, "the last runs had nothing left to be killed at"
    result = grade_class(course, LESSON, QUICK, executor=Remembering(said))
    expected = {student(n): said[student(n % 3)].score for n in range(24)}
    assert marks_of(result) == expected
    for number in range(24):
        record = json.loads(course.record_of(student(number), LESSON).read_text("utf-8"))
        assert record["score"] == expected[student(number)]
        assert len(record["history"]) == 1, "graded more than once"
        graded = json.loads(course.autograded_of(student(number), LESSON).read_text("utf-8"))
        assert graded["cells"]
    assert [path.name for path in folder.rglob("*.part")] == []


def test_a_second_grader_of_a_class_is_refused_in_a_sentence(at_home):
    course, _, said = at_home
    script = (
        "import sys; from pathlib import Path\n"
        "from autograder.grading.alone import alone\n"
        "from autograder.grading.course import open_course\n"
        "with alone(open_course(class_dir=Path(sys.argv[1])), sys.argv[2]):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    folder = course.submitted.parent
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(folder), LESSON],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CourseError, match=rf"another autograder .*process {holder.pid} "):
            grade_class(course, LESSON, QUICK, executor=Remembering(said))
        with alone(course, "02_chain_rule"):  # another lesson may be graded beside it
            pass
    finally:
        holder.kill()
        holder.communicate()
    grade_class(course, LESSON, QUICK, executor=Remembering(said))  # a dead holder holds nothing
