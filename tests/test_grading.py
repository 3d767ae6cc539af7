"""A notebook is judged from outside, a class is graded to its end, what was done is on record."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder import claim, expect_array
from autograder.checking import checks
from autograder.claims import waiting
from autograder.cli import app
from autograder.grading import pool, record
from autograder.grading.classroom import Settings, grade_class
from autograder.grading.course import open_course, source_notebook, template_of
from autograder.grading.gradebook import Marks
from autograder.grading.guests import open_guests
from autograder.grading.judge import judge_notebook
from autograder.grading.key import Key
from autograder.grading.worker import Graded
from autograder.inside.compression import partner
from autograder.remote.proxy import NotAttempted
from autograder.sandbox.limits import Limits
from tests.test_rebuild import STUB, cell, graded, notebook

LESSON = "99_doubling"
NO_KEY = Key({}, {}, {})
LIMITS = Limits(seconds_per_cell=30, seconds_per_submission=200)
HASTY = Limits(seconds_per_cell=4, seconds_per_submission=100)
SOLVED = "def double(x):\n    return 2 * x"


@checks("double", lesson=LESSON, points=2)
def doubling(double, draw):
    """Twice a number."""
    n = draw.integer(2, 10**9)
    yield claim("double(0) is 0", double(0) == 0, advice="multiply")
    got = expect_array(double(n), (), "int", "double(n)")
    yield claim("double(n) is 2n", int(got) == 2 * n, saw=f"{got}", advice="multiply by two")


@checks("triple", lesson=LESSON, points=1)
def tripling(triple, draw):
    """Three times a number."""
    yield claim("triple(1) is 3", triple(1) == 3, advice="multiply")


@checks("half", lesson=LESSON, points=2)
def halving(half, draw):
    """Half a number, and back."""
    yield claim("half(6) is 3", half(6) == 3)
    text = "double gives it back"
    try:
        yield claim(text, partner(half, "double")(half(8)) == 8)
    except NotAttempted:
        yield waiting(text, "`double`")


@pytest.fixture(scope="module")
def guests():
    opened = open_guests("plain", trust_submissions=True)
    yield opened
    opened.close()


def judged(guests, *cells, limits=LIMITS, **options):
    result = judge_notebook(
        notebook(*cells), LESSON, lambda: guests.spawn(limits), limits, **options
    )
    nbformat.validate(nbformat.from_dict(result.notebook))
    return result


def lesson(double=SOLVED, triple="def triple(x):\n    return 3 * x", between=()):
    return (
        graded("double", double, solution=True),
        *between,
        graded("check-double", "check(double)", solution=False, points=2),
        graded("triple", triple, solution=True),
        graded("check-triple", "check(triple)", solution=False, points=1),
    )


def scores(result):
    return {o.grade_id: o.score for o in result.outcomes}


def test_a_right_answer_earns_its_points_and_a_card(guests):
    result = judged(guests, *lesson())
    assert scores(result) == {"check-double": 2, "check-triple": 1}
    (output,) = result.notebook["cells"][1]["outputs"]
    assert output["data"]["text/plain"] == "2.0"
    assert "every claim holds" in output["data"]["text/html"]


def test_partial_credit_is_given_claim_by_claim(guests):
    result = judged(guests, *lesson("def double(x):\n    return 3 * x"))
    assert scores(result)["check-double"] == 1
    assert result.outcomes[0].headline == "double(n) is 2n: multiply by two"


HALF = (
    graded("half", "def half(x):\n    return x // 2", solution=True),
    graded("check-half", "check(half)", solution=False, points=2),
)


@pytest.mark.parametrize(
    "below, earned, said",
    [
        (lesson(), 2, "every claim holds"),
        (lesson(STUB), 1, "waits for"),
        (lesson("def double(x):\n    return 0"), 1, "double gives it back"),
    ],
)
def test_what_waits_for_an_exercise_below_is_judged_when_that_is_there(guests, below, earned, said):
    result = judged(guests, *HALF, *below)
    assert [o.grade_id for o in result.outcomes] == ["check-half", "check-double", "check-triple"]
    (output,) = result.notebook["cells"][1]["outputs"]
    assert scores(result)["check-half"] == float(output["data"]["text/plain"]) == earned
    assert said in output["data"]["text/html"]


def test_a_stub_is_not_attempted_and_a_missing_name_too(guests):
    result = judged(guests, *lesson(STUB, "pass"))
    assert [o.status for o in result.outcomes] == ["not attempted"] * 2
    assert result.score == 0


def test_a_fresh_seed_is_drawn_and_recorded(guests):
    hard_coded = "def double(x):\n    return {0: 0}.get(x, 1234)"
    first, second = (judged(guests, *lesson(hard_coded)) for _ in range(2))
    assert first.seed != second.seed
    assert scores(first)["check-double"] == 1
    assert first.outcomes[0].verdict.seed == first.seed


def test_a_check_cell_never_runs_in_the_guest(guests):
    patch = cell("def check(f):\n    print('patched')\n    return 2.0", metadata={})
    result = judged(guests, *lesson("def double(x):\n    return 0", between=(patch,)))
    assert scores(result)["check-double"] == 1
    assert "patched" not in json.dumps(result.notebook["cells"][2]["outputs"])


def test_a_loop_is_interrupted_and_the_rest_goes_on(guests):
    result = judged(guests, *lesson("while True:\n    pass"), limits=HASTY)
    assert scores(result) == {"check-double": 0, "check-triple": 1}
    assert "longer than 4 s" in result.outcomes[0].headline
    assert result.restarts == 0


def test_a_loop_that_resists_is_killed_and_earlier_cells_are_replayed(guests):
    resists = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    helper = cell("three = 3")
    result = judged(
        guests, helper, *lesson(resists, "def triple(x):\n    return three * x"), limits=HASTY
    )
    assert scores(result) == {"check-double": 0, "check-triple": 1}
    assert result.restarts == 1


def test_a_process_that_ends_itself_costs_its_own_cells_only(guests):
    ends = "import os\ndef double(x):\n    os._exit(0)"
    result = judged(guests, *lesson(ends))
    assert scores(result) == {"check-double": 0, "check-triple": 1}
    assert "ended the process" in result.outcomes[0].headline


def test_after_three_restarts_the_rest_is_not_run(guests):
    killers = [cell(f"import os; os._exit({n})") for n in range(5)]
    result = judged(guests, *killers, *lesson())
    assert result.restarts == 4
    assert result.score == 0


def test_a_cell_that_fails_says_so_in_the_check_below(guests):
    result = judged(guests, *lesson("def double(x)\n    return 2 * x"))
    assert result.outcomes[0].headline.startswith("its cell stopped with SyntaxError")


def test_the_last_definition_above_the_check_counts_and_it_is_said(guests):
    again = cell("def double(x):\n    return 0", metadata={"autograder-added": True})
    result = judged(guests, *lesson(between=(again,)))
    assert scores(result)["check-double"] == 1
    assert any("double is defined in 2 cells" in p for p in result.problems)


def test_demos_are_left_out_unless_asked_for(guests):
    demo = cell("print('shown')", metadata={"tags": ["demo"]})
    quiet = judged(guests, demo, *lesson())
    assert "not run for grading" in quiet.notebook["cells"][0]["outputs"][0]["text"]
    loud = judged(guests, demo, *lesson(), run_demos=True)
    assert loud.notebook["cells"][0]["outputs"][0]["text"] == "shown\n"


@pytest.mark.parametrize(
    ("source", "score"),
    [
        ("assert double(2) == 4", 3),
        ("assert double(2) == 5", 0),
        ("1.5", 1.5),
        ("-1", 0),
        ("float('nan')", 0),
        ("float('inf')", 0),
        ("99", 0),
        ("import warnings; warnings.warn('careful')", 3),
    ],
)
def test_graded_cells_of_other_forms_run_inside_and_say_so(guests, source, score):
    own = graded("own", source, solution=False, points=3)
    result = judged(guests, cell(SOLVED), own)
    assert scores(result) == {"own": score}
    assert result.outcomes[0].inside
    assert "inside the student's own process" in result.notebook["cells"][1]["outputs"][-1]["text"]
    from nbgrader.utils import determine_grade

    assert determine_grade(nbformat.from_dict(result.notebook["cells"][1]))[0] == score


def test_outputs_of_student_code_are_inert_and_valid(guests):
    loud = cell("from IPython.display import HTML, display\ndisplay(HTML('<script>1</script>'))\n1")
    result = judged(guests, loud)
    assert "script" not in json.dumps(result.notebook["cells"][0]["outputs"])


def test_a_students_words_in_a_card_are_escaped_and_left_alone_by_mathjax(guests):
    evil = "def double(x):\n    raise ValueError('<script>$\\\\href{javascript:1}{x}$')"
    result = judged(guests, *lesson(evil))
    html = result.notebook["cells"][1]["outputs"][0]["data"]["text/html"]
    assert "<script" not in html
    assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">')


# --- a class -------------------------------------------------------------------------------------

MADE = "05_made"
PLAIN = Settings(
    sandbox="plain",
    trust_submissions=True,
    workers=1,
    feedback=False,
    limits=Limits(seconds_per_cell=20, seconds_per_submission=120),
)


@pytest.fixture(scope="session")
def begun(tmp_path_factory):
    """A class that has handed in nothing; its gradebook knows the lesson."""
    opened = open_course(class_dir=tmp_path_factory.mktemp("begun"))
    with pytest.MonkeyPatch.context() as patch, Marks(opened, MADE) as marks:
        patch.setattr("autograder.grading.course.source_key", lambda course, lesson: "a key")
        template = template_of(opened, MADE)
        marks.ensure_assignment(template.notebook, lambda: source_notebook(opened, MADE))
    return opened.submitted.parent


@pytest.fixture
def course(begun, tmp_path, monkeypatch):
    # The sources stand still for a test, whoever edits them meanwhile.
    monkeypatch.setattr("autograder.grading.course.source_key", lambda course, lesson: "a key")
    monkeypatch.setattr("autograder.grading.course.key_of", lambda lesson, template: NO_KEY)
    return open_course(class_dir=shutil.copytree(begun, tmp_path / "class"))


def hand_in(course, student, raw=None):
    """The lesson as it was handed out, or `raw` bytes."""
    path = course.submission_of(student, MADE)
    path.parent.mkdir(parents=True)
    path.write_bytes(template_of(course, MADE).text.encode() if raw is None else raw)
    return path


def gradebook_scores(course):
    with Gradebook(course.db_url, course.course_id) as gradebook:
        return {s.student.id: s.score for s in gradebook.assignment_submissions(MADE)}


class Here(concurrent.futures.Executor):
    """An executor that counts, and may fail, without a process of its own."""

    def __init__(self, answer=None):
        self.answer, self.students = answer, []

    def submit(self, function, job):
        self.students.append(job.student)
        future = concurrent.futures.Future()
        try:
            future.set_result((self.answer or _untouched)(job))
        except Exception as error:
            future.set_exception(error)
        return future


def _untouched(job):
    from autograder.grading.worker import unreadable

    done = unreadable(job.student, job.lesson, job.digest, json.loads(job.template), "x")
    done.unreadable = ""
    return done


def grade_here(job):
    from autograder.grading.worker import grade

    return grade(job)


def test_bad_submissions_are_a_line_each_and_the_class_goes_on(course, tmp_path):
    hand_in(course, "broken", b"{not json")
    hand_in(course, "deep", b"[" * 100_000)
    hand_in(course, "empty", b"")
    with hand_in(course, "huge", b"").open("wb") as file:
        file.truncate(50 * 2**20)
    hand_in(course, "latin", b"\xff\xff")
    path = hand_in(course, "link")
    path.unlink()
    path.symlink_to(hand_in(course, "zoe"))
    hand_in(course, "other", json.dumps(notebook(cell("1"))).encode())
    course.submission_of("nothing", MADE).parent.mkdir(parents=True)
    result = grade_class(course, MADE, PLAIN)
    said = {line.student: line for line in result.lines}
    bad = {"broken", "deep", "empty", "huge", "latin", "link", "other", "nothing"}
    assert result.failed
    assert {s for s, line in said.items() if line.state == "not graded"} == bad
    assert said["zoe"].state == "graded"
    for word, student in [
        ("not JSON", "broken"), ("too deep", "deep"), ("50 MB", "huge"), ("UTF-8", "latin"),
        ("symbolic link", "link"), ("none of its graded cells", "other"),
        ("nothing was handed in", "nothing"),
    ]:  # fmt: skip
        assert word in said[student].first
    assert gradebook_scores(course) == {"zoe": 0}
    assert [p.parts[-3] for p in course.autograded.rglob("*.ipynb")] == ["zoe"]
    with_zeros = Settings(**{**PLAIN.__dict__, "unreadable": "zero"})
    result = grade_class(course, MADE, with_zeros, executor=Here(grade_here))
    assert not result.failed
    assert {line.student for line in result.lines if line.state == "not read"} == bad
    assert gradebook_scores(course) == dict.fromkeys(said, 0)
    for student in said:
        nbformat.validate(nbformat.read(course.autograded_of(student, MADE), as_version=4))
    with Gradebook(course.db_url, course.course_id) as gradebook:
        marked = gradebook.find_submission("05_made", "broken")
        assert not marked.needs_manual_grade


def test_what_cannot_be_judged_leaves_an_earlier_mark_and_its_record(course):
    path = hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    with Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.find_grade("why_order", "lesson", MADE, "ada").manual_score = 1.5
        gradebook.db.commit()
    before = course.record_of("ada", MADE).read_bytes()
    path.write_bytes(b"{ truncat")
    (line,) = grade_class(course, MADE, PLAIN, executor=Here(grade_here)).lines
    assert line.state == "not graded"
    assert "the gradebook keeps 1.5" in line.first
    assert course.record_of("ada", MADE).read_bytes() == before
    assert gradebook_scores(course) == {"ada": 1.5}


def test_a_second_run_keeps_what_holds_and_grades_what_is_new(course):
    hand_in(course, "ada")
    hand_in(course, "bob")
    first, second, third, fourth = Here(), Here(), Here(), Here()
    grade_class(course, MADE, PLAIN, executor=first)
    assert sorted(first.students) == ["ada", "bob"]
    result = grade_class(course, MADE, PLAIN, executor=second)
    assert second.students == []
    assert [line.state for line in result.lines] == ["kept", "kept"]
    path = course.submission_of("bob", MADE)
    path.write_text(path.read_text() + " ")
    grade_class(course, MADE, PLAIN, executor=third)
    assert third.students == ["bob"]
    course.record_of("ada", MADE).unlink()  # as if the first run had been killed at ada
    grade_class(course, MADE, PLAIN, executor=fourth)
    assert fourth.students == ["ada"]


@pytest.mark.parametrize("settings", [{"limits": HASTY}, {"run_demos": True}])
def test_other_limits_or_demos_grade_again(course, settings):
    hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    for expected in (["ada"], []):
        here = Here()
        grade_class(course, MADE, dataclasses.replace(PLAIN, **settings), executor=here)
        assert here.students == expected


def test_students_may_be_called_anything_that_we_call_our_files(course):
    students = ["template", MADE, "records", "gradebook", "lesson", "arrivals"]
    for student in students:
        hand_in(course, student)
    grade_class(course, MADE, PLAIN, executor=Here())
    built = template_of(course, MADE)
    for student in students:
        assert record.read_record(course.record_of(student, MADE))["student"] == student
        assert course.record_of(student, MADE).parent == course.records / MADE
    again = Here()
    result = grade_class(course, MADE, PLAIN, executor=again)
    assert again.students == []
    assert [line.student for line in result.lines] == sorted(students)
    assert template_of(course, MADE).text == built.text
    ours = {p for p in course.own(MADE).rglob("*") if p.is_file()}
    theirs = (course.submitted, course.autograded, course.feedback, course.records)
    assert ours and not any(p.is_relative_to(place) for p in ours for place in theirs)


def test_a_stopped_run_picks_up_where_it_was(course):
    for student in ("ada", "bob", "cyd"):
        hand_in(course, student)

    def stops(job):
        if job.student == "bob":
            raise KeyboardInterrupt
        return _untouched(job)

    with pytest.raises(KeyboardInterrupt):
        grade_class(course, MADE, PLAIN, executor=Here(stops))
    again = Here()
    result = grade_class(course, MADE, PLAIN, executor=again)
    assert len(result.lines) == 3
    assert len(gradebook_scores(course)) == 3


def test_marks_given_by_hand_stay(course):
    hand_in(course, "ada")
    grade_class(course, MADE, PLAIN, executor=Here())
    with Gradebook(course.db_url, course.course_id) as gradebook:
        grade = gradebook.find_grade("why_order", "lesson", MADE, "ada")
        grade.manual_score = 1.5
        gradebook.db.commit()
    forced = Settings(**{**PLAIN.__dict__, "force": True})
    grade_class(course, MADE, forced, executor=Here())
    assert gradebook_scores(course) == {"ada": 1.5}


def test_timestamps_of_a_submission_are_not_believed_unless_told_so(course):
    path = hand_in(course, "ada")
    path.with_name("timestamp.txt").write_text("2020-01-01 00:00:00 UTC")
    for trust, known in ((False, False), (True, True)):
        settings = Settings(**{**PLAIN.__dict__, "force": True, "trust_timestamps": trust})
        grade_class(course, MADE, settings, executor=Here())
        with Gradebook(course.db_url, course.course_id) as gradebook:
            assert (gradebook.find_submission(MADE, "ada").timestamp is not None) is known


def test_our_own_failure_leaves_no_marks_and_is_said(course):
    hand_in(course, "ada")
    hand_in(course, "bob")

    def fails(job):
        if job.student == "ada":
            raise OSError("no space left")
        return _untouched(job)

    executor = Here(fails)
    result = grade_class(course, MADE, PLAIN, executor=executor)
    assert executor.students.count("ada") == 2
    assert [line.state for line in result.lines] == ["not graded", "graded"]
    assert "no space left" in result.lines[0].first
    assert result.failed
    assert list(gradebook_scores(course)) == ["bob"]


def _dies(job):
    import os

    if job == "killer":
        os._exit(9)
    return job


def test_a_worker_that_dies_costs_its_own_submission_only(monkeypatch):
    class Small(pool.LocalPool):
        def __init__(self):
            self.workers, self._executor = 2, None

        def _new(self, workers):
            return concurrent.futures.ProcessPoolExecutor(workers)

        def submit(self, job):
            self._executor = self._executor or self._new(self.workers)
            return self._executor.submit(_dies, job)

    jobs = ["a", "killer", "b", "c", "d"]
    small = Small()
    try:
        results = list(pool.run_local(small, jobs, 10))
    finally:
        small.kill()
    assert sorted(r for r in results if isinstance(r, str)) == ["a", "b", "c", "d"]
    (failed,) = [r for r in results if not isinstance(r, str)]
    assert (failed.job, failed.crashed) == ("killer", True)


UNGUARDED = """
from concurrent.futures import ProcessPoolExecutor
from autograder.grading.pool import Workers

class Pool(Workers):
    def _new(self, workers):
        return ProcessPoolExecutor(workers, self._context)

pool = Pool(2, len)
print([pool.submit(word).result() for word in ("one", "three")])
pool.close()
"""


def test_a_script_without_a_main_guard_is_not_run_again_in_its_workers(tmp_path):
    script = tmp_path / "grade_all.py"
    script.write_text(UNGUARDED)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[3, 5]\n", "")


def test_a_record_keeps_a_line_of_each_earlier_grading(tmp_path, guests):
    path = tmp_path / "record.json"
    for digest, double in (("first", "def double(x):\n    return 3 * x"), ("second", SOLVED)):
        result = judged(guests, *lesson(double))
        done = Graded("ada", LESSON, digest, result.notebook, result.outcomes)
        record.write_record(path, done, key=NO_KEY, limits=LIMITS, demos=False, score=result.score)
    history = record.read_record(path)["history"]
    assert [(h["digest"], h["score"], h["max_score"]) for h in history] == [
        ("first", 2, 3), ("second", 3, 3),
    ]  # fmt: skip


def test_a_verdict_is_repeated_from_its_record(course, guests):
    result = judged(guests, *lesson("def double(x):\n    return 3 * x"), seed=2**64 - 5)
    done = Graded("ada", LESSON, "digest", result.notebook, result.outcomes, seed=result.seed)
    path = course.record_of("ada", LESSON)
    record.write_record(path, done, key=NO_KEY, limits=LIMITS, demos=False, score=result.score)
    data = record.read_record(path)
    spawn = lambda: guests.spawn(LIMITS)  # noqa: E731
    again = record.replay(data, spawn)
    assert [(one.name, one.same) for one in again] == [("double", True), ("triple", True)]
    (one,) = record.replay(data, spawn, "double")
    assert one.repeated.seed == 2**64 - 5
    assert one.repeated.claims == one.recorded.claims
    old = {n: v for n, v in data.items() if n not in ("depends_on", "history")}
    path.write_text(json.dumps(old | {"format": 1, "sources": "a hash"}))
    assert record.replay(record.read_record(path), spawn, "double")[0].same
    path.write_text(json.dumps({**old, "format": 3}))
    with pytest.raises(record.NoRecord, match="no record of this version"):
        record.read_record(path)
    path.write_text(json.dumps({n: v for n, v in data.items() if n != "limits"}))
    with pytest.raises(record.NoRecord, match="it has no limits"):
        record.read_record(path)
    data["outcomes"][0]["verdict"]["status"] = "passed"
    assert not record.replay(data, spawn, "double")[0].same
    with pytest.raises(record.NoRecord, match="no verdict on 'quadruple'"):
        record.replay(data, spawn, "quadruple")


# --- the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grade", "77_nothing"], "no lesson is called '77_nothing'"),
        (["grade", "05", "--class-dir", "EMPTY"], "nobody has handed in 05_made"),
        (["grade", "05", "--class-dir", "EMPTY", "--limit", "memory=3"], "'memory' is no limit"),
        (["grade", "05", "--class-dir", "EMPTY", "--limit", "x"], "name=value"),
        (
            ["grade", "05", "--submissions", "nothing.zip", "--class-dir", "EMPTY"],
            "there is no file",
        ),
        (["replay", "nothing.json"], "there is no record"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, said, tmp_path):
    given = [str(tmp_path) if a == "EMPTY" else a for a in arguments]
    ran = CliRunner().invoke(app, given)
    assert ran.exit_code == 2
    last = ran.stderr.strip().splitlines()[-1]
    assert last.startswith("autograder: ")
    assert said in last


def test_plain_processes_need_to_be_asked_for_twice(course):
    hand_in(course, "ada")
    place = str(course.submitted.parent)
    ran = CliRunner().invoke(app, ["grade", "05", "--sandbox", "plain", "--class-dir", place])
    assert ran.exit_code == 2
    assert "--trust-submissions" in ran.stderr
    assert not course.autograded.exists()


def test_help_names_every_command():
    ran = CliRunner().invoke(app, ["--help"])
    for command in ("grade", "replay", "doctor", "build", "check-build"):
        assert command in ran.stdout
