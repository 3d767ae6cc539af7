"""Marks go into the LMS's own file: the right field of the right person, and no other byte."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from autograder.cli import app
from autograder.grading.handed_in.arrivals import Arrival
from autograder.report.class_report import class_report
from autograder.report.lms import (
    CANVAS,
    MOODLE,
    NoSheet,
    Person,
    fill,
    match,
    plain_csv,
    read_sheet,
)
from autograder.report.marks import marks_of_class
from tests.made_class import LESSON, WRONG, Student, made_class

# The columns of Canvas's "Gradebook Exports": its guide for instructors, "How do I import grades".
CANVAS_FILE = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,"
    '"05_made (9871)","Essay, first (9872)",Current Score,Unposted Final Grade\r\n'
    "    Points Possible,,,,,8.00,10.00,(read only),(read only)\r\n"
    '"Lovelace, Ada",1001,S-77,ada1,"Sec ""A""",,3.5,70.1,B\r\n'
    '"Müller,  Ben",1002,S-78,ben@x.org,Sec A,\'5,,,\r\n'
    '"Curie, Cora",1003,S-79,cora,Sec A,"",,,\r\n'
    '"=HYPERLINK(""http://x"")",1004,S-80,dev,"Sec\r\nB",,,,\r\n'
    '"Nobody, Known",1009,,nobody,Sec A,4,,,\r\n'
    '"Student, Test",,,,Sec A,,,,\r\n'
)
# The columns of Moodle's grading worksheet: assign/feedback/offline of its source.
MOODLE_FILE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Online text","Last modified (grade)","Feedback comments"\n'
    'Participant 1001,"Ada Lovelace",ada@x.org,"Submitted for grading - ",,8.00,Yes,'
    '"Friday, 20 November 2026, 3:00 PM",,-,"<p>old, ""kept""</p>\n<p>two lines</p>"\n'
    'Participant 17,"Ben Müller",BEN@x.org,"Submitted for grading - ",4.00,8.00,Yes,-,,-,\n'
    'Participant 18,"Cora Curie",c@x.org,"Submitted for grading - ",,8.00,No,-,,-,\n'
)  # fmt: skip


def the_class() -> list[Student]:
    return [
        Student("ada_1001", first_name="Ada", last_name="Lovelace"),
        Student("ben", WRONG, mistake="adds", manual=2.5, email="ben@x.org", penalty=0.5),
        Student("cora", number="1003", answer_score=None),
        Student("dev", marked=False, number="1004"),
        Student("erin", number="1005"),
    ]


@pytest.fixture
def course(tmp_path):
    return made_class(tmp_path / "class", the_class())


def filled(course, kind: str, text: str, arrivals: dict | None = None, **options):
    marks, report = marks_of_class(course, LESSON), class_report(course, LESSON)
    return fill(kind, text.encode(), "lms.csv", marks, report, arrivals or {}, **options)


def differences(before: str, after: bytes) -> list[tuple[list[str], list[str]]]:
    """The rows that differ once both are parsed; and no byte of any other line does."""
    old, new = before.encode().split(b"\n"), after.split(b"\n")
    assert len(old) == len(new)
    rows = [list(csv.reader(io.StringIO(text))) for text in (before, after.decode())]
    return [(a, b) for a, b in zip(*rows, strict=True) if a != b]


def test_canvas_gets_marks_in_one_column_and_every_other_byte_back(course) -> None:
    done = filled(course, CANVAS, CANVAS_FILE)
    expected = CANVAS_FILE.replace('"Sec ""A""",,3.5', '"Sec ""A""",7,3.5')
    expected = expected.replace("Sec A,'5,", "Sec A,3,")
    assert done.content == expected.encode()
    assert (done.column, done.filled) == ("05_made (9871)", ["ada_1001", "ben"])
    assert done.changed == ["ben: '5 → 3"]
    assert done.left == [("cora", "answers to read"), ("dev", "not graded")]
    assert done.unmatched_rows == [("Nobody, Known", "")]
    assert done.unmatched_students == ["erin"]
    assert done.by_name == []


def test_marks_with_answers_to_read_are_filled_in_only_if_asked(course) -> None:
    done = filled(course, CANVAS, CANVAS_FILE, provisional=True)
    assert "cora" in done.filled
    assert b'S-79,cora,Sec A,"6",' in done.content  # in quotes, as it stood


def test_a_canvas_file_filled_once_is_not_changed_by_filling_it_again(course) -> None:
    once = filled(course, CANVAS, CANVAS_FILE).content
    again = filled(course, CANVAS, once.decode())
    assert (again.content, again.changed) == (once, [])


def test_who_is_excused_stays_excused(course) -> None:
    text = CANVAS_FILE.replace('"Sec ""A""",,3.5', '"Sec ""A""",EX,3.5')
    assert ("ada_1001", "excused in Canvas") in filled(course, CANVAS, text).left


def test_moodle_gets_grades_and_every_other_byte_back(course) -> None:
    done = filled(course, MOODLE, MOODLE_FILE, {"cora": Arrival("cora", "moodle", number="18")})
    expected = MOODLE_FILE.replace('grading - ",,8.00,Yes', 'grading - ",7,8.00,Yes')
    assert done.content == expected.replace(",4.00,8.00", ",3,8.00").encode()
    assert done.left == [("cora", "answers to read")]
    closed = filled(
        course, MOODLE, MOODLE_FILE, {"cora": Arrival("cora", "moodle", number="18")},
        provisional=True,
    )  # fmt: skip
    assert closed.left == [("cora", "Moodle says that this grade cannot be changed")]


def test_a_decimal_comma_is_kept_and_quoted_where_it_must_be(course) -> None:
    text = MOODLE_FILE.replace("8.00", '"8,00"').replace("4.00", '"4,00"')
    done = filled(made_with_a_half(course), MOODLE, text)
    assert b'grading - ","6,5","8,00",Yes' in done.content
    semicolons = "Identifier;Grade;Maximum Grade;Grade can be changed\nParticipant 1001;;8,00;Yes\n"
    done = filled(course, MOODLE, semicolons)
    assert done.content.endswith(b"\nParticipant 1001;6,5;8,00;Yes\n")


def made_with_a_half(course):
    import sqlite3

    with sqlite3.connect(course.db_url.removeprefix("sqlite:///")) as db:
        db.execute("UPDATE submitted_notebook SET late_submission_penalty = 0.5")
    return course


def test_other_points_are_said_and_scaled_only_if_asked(course) -> None:
    text = CANVAS_FILE.replace(",8.00,", ",100,")
    done = filled(course, CANVAS, text)
    assert b'"Sec ""A""",7,3.5' in done.content
    (note,) = done.notes
    assert "100 points" in note
    assert b'"Sec ""A""",87.5,3.5' in filled(course, CANVAS, text, scale=True).content


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (CANVAS, "a,b\n1,2\n", "no column 'Student'"),
        (MOODLE, CANVAS_FILE, "no column 'Identifier'"),
        (CANVAS, CANVAS_FILE.replace("05_made", "Week 5"), "no assignment for 05_made"),
        (CANVAS, CANVAS_FILE.replace("Essay, first", "05_MADE"), "more than one assignment"),
        (CANVAS, CANVAS_FILE + '"open', "quotation mark"),
        (CANVAS, "", "no column"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_sentence(course, kind, text, words) -> None:
    with pytest.raises(NoSheet, match=words):
        filled(course, kind, text)


def test_what_a_spreadsheet_saved_in_another_encoding_is_refused() -> None:
    with pytest.raises(NoSheet, match="not UTF-8"):
        read_sheet("Müller".encode("latin-1"), "lms.csv")


# --- who is who -----------------------------------------------------------------------------------


def test_a_number_goes_before_an_address_and_a_name_comes_last() -> None:
    students = {
        "a": Person(("1",), ("x@x.org",), ("a",), ("Ada Lovelace",)),
        "b": Person(("2",), ("y@x.org",), ("b",), ("José Núñez",)),
    }
    rows = {
        0: Person(("2", "1"), ("x@x.org",), (), ("Ada Lovelace",)),
        1: Person((), (), (), ("LOVELACE, Ada",)),
    }
    assert match(rows, students) == ({0: ("b", "number"), 1: ("a", "name")}, {})
    accents = {0: Person(names=("Nu\u0301n\u0303ez, Jose\u0301",))}
    assert match(accents, students)[0] == {0: ("b", "name")}


def test_what_fits_several_gets_nothing() -> None:
    twins = {"a": Person(names=("Kim Lee",)), "b": Person(names=("Lee, Kim",))}
    found, why = match({0: Person(names=("Kim Lee",))}, twins)
    assert (found, why) == ({}, {0: "its name fits a, b"})
    one = {"a": Person(("1",), (), (), ("Kim Lee",))}
    found, why = match({0: Person(("1",)), 1: Person(("1",)), 2: Person(names=("Kim Lee",))}, one)
    assert found == {2: ("a", "name")}
    assert set(why) == {0, 1}


# --- the bytes of a sheet ------------------------------------------------------------------------

FIELDS = st.text(st.sampled_from("ab,;\"'\t\r\n =é"), max_size=6)


@given(st.lists(st.lists(FIELDS, min_size=1, max_size=4), min_size=1, max_size=4), st.booleans())
def test_a_sheet_reads_as_the_csv_module_does_and_keeps_every_byte(rows, quoted) -> None:
    out = io.StringIO()
    rows = [["id", "x"], *rows]  # a first row that says what the delimiter is
    csv.writer(out, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(rows)
    sheet = read_sheet(out.getvalue().encode(), "x.csv")
    assert sheet.as_bytes() == out.getvalue().encode()
    assert [[field.value for field in row] for row in sheet.rows] == rows


# --- a plain table, and the command --------------------------------------------------------------


def test_a_plain_table_is_safe_in_a_spreadsheet_and_numbers_stay_numbers(tmp_path) -> None:
    nasty = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"]
    students = [Student(f"s_{900 + k}", first_name=text) for k, text in enumerate(nasty)]
    students += [Student("=x_7000", number="=2"), Student("late_100", marked=False)]
    course = made_class(tmp_path / "class", students)
    raw = plain_csv(marks_of_class(course, LESSON), class_report(course, LESSON))
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert [row["number"] for row in rows][:3] == ["100", "900", "901"]
    for row in rows:
        for text in row.values():
            assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert (rows[0]["score"], rows[0]["state"]) == ("", "not graded")
    assert b',7.0,8.0,0.0,0.0,0,"graded"' in raw


def test_the_command_writes_a_new_file_and_lists_who_was_not_found(course, tmp_path) -> None:
    lms = tmp_path / "canvas.csv"
    lms.write_text(CANVAS_FILE, encoding="utf-8", newline="")
    options = ["--class-dir", str(tmp_path / "class")]
    run = CliRunner().invoke
    done = run(app, ["export", "05", "--canvas", str(lms), *options])
    assert done.exit_code == 0, done.stderr
    assert "2 marks filled in, column 05_made (9871)" in done.stdout
    assert "not in the gradebook: Nobody, Known" in done.stderr
    assert "not in the LMS's file: erin" in done.stderr
    place = Path(done.stdout.splitlines()[-1].removeprefix("marks: "))
    assert differences(CANVAS_FILE, place.read_bytes())
    assert lms.read_bytes() == CANVAS_FILE.encode()
    refused = run(app, ["export", "05", "--canvas", str(lms), "--out", str(lms), *options])
    assert refused.exit_code == 2
    assert "the file of the LMS itself" in refused.stderr
    assert run(app, ["export", "05", *options]).exit_code == 0
    assert (tmp_path / "class" / "exports" / "05_made-marks.csv").is_file()
