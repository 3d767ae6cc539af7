"""A zip of an LMS becomes a notebook for each person: the right one, once, and nothing else."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import unicodedata
import warnings
import zipfile
import zlib
from datetime import UTC, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograder.cli import app
from autograder.grading.arrivals import time_of
from autograder.grading.course import CourseError, open_course, tools_on_path
from autograder.grading.handed_in import (
    FORMATS,
    NoZip,
    arrivals_of,
    mapping_of,
    name_students,
    printable,
    read_roster,
    said,
    take_in,
)
from autograder.grading.handed_in import archive as archives
from autograder.grading.handed_in import formats as form
from autograder.grading.handed_in.arrivals import Arrival, arrivals_path
from autograder.grading.handed_in.students import folded, login_key, named_key, numbered_key

MADE = "05_made"
MOODLE = "{name}_{number}_assignsubmission_file_/lesson.ipynb"


@pytest.fixture
def course(tmp_path):
    return open_course(class_dir=tmp_path / "class")


def zipped(entries, path):
    """A zip at `path` of {name: content}, or of pairs; a content that is a dict is a zip, too."""
    pairs = entries.items() if isinstance(entries, dict) else entries
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        warnings.simplefilter("ignore", UserWarning)  # two entries of one name
        for name, content in pairs:
            if isinstance(content, dict):
                inner = io.BytesIO()
                zipped(content, inner)
                content = inner.getvalue()
            opened.writestr(name, content)
    return path


def mapped(course, entries, **options):
    """The mapping of a zip with these entries; a list of names has each name as content."""
    if isinstance(entries, list) and isinstance(entries[0], str):
        entries = {name: content_of(name) for name in entries}
    path = zipped(entries, course.submitted.parent.parent / "lms.zip")
    return mapping_of(course, MADE, path, **options)


def content_of(name):
    return json.dumps({"cells": [], "of": name})


def taken_in(course, entries, **options):
    mapping = mapped(course, entries, **options)
    assert take_in(mapping) == []
    return mapping


def statuses(mapping):
    """Key → status of the notebooks that are somebody's, but "older" and "left out" ones."""
    return {row.key: row.status for row in mapping.rows if row.status in ("new", "newer", "same")}


def keys(mapping):
    return sorted(statuses(mapping))


def files_of(course):
    """Everything in the class's folder, with its content."""
    root = course.submitted.parent
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def what_was_written(course):
    return sorted(
        path.relative_to(course.submitted).as_posix()
        for path in course.submitted.rglob("*")
        if path.is_file()
    )


# --- each LMS's form -----------------------------------------------------------------------------

GRADESCOPE_SAYS = """\
---
submission_1001:
  :submitters:
  - :name: Jane Doe
    :sid: '0123'
    :email: jane@x.edu
  :created_at: 2025-11-03 23:59:00.474706000 Z
  :score: 1.0
submission_1002:
  :submitters:
  - :name: Ann Lee
    :sid:
    :email: ann@x.edu
  - :name: Zoë Kim
    :sid: '77'
    :email: zoe@x.edu
  :created_at: 2025-11-04 00:00:01 Z
submission_1003:
  :submitters: []
"""

# Format → the entries of a zip, and the keys that are expected.
EXAMPLES = {
    "canvas": (
        [
            "doejane_12345_678901_lesson.ipynb",
            "alvarezjose_LATE_12346_678902_lesson-1.ipynb",
            "leeann_12347_678903_05_made_1_2.ipynb",
            "leeann_12399_678944_lesson.ipynb",
            "obrien-smithmary_12348_678904_lesson (1).ipynb",
            "_12351_678905_lesson.ipynb",
        ],
        [
            "alvarezjose-12346", "doejane-12345", "leeann-12347", "leeann-12399",
            "obrien_smithmary-12348", "student-12351",
        ],
    ),
    "canvas, anonymous": (
        ["anon_AbC12_678901_lesson.ipynb", "anon_XyZ99_LATE_678902_1_lesson.ipynb"],
        ["anon-AbC12", "anon-XyZ99"],
    ),
    "moodle": (
        [
            "Jane Doe_12345_assignsubmission_file_/lesson.ipynb",
            "José Álvarez Núñez_12346_assignsubmission_file_/lesson.ipynb",
            "Ann Lee_12347_assignsubmission_file_/deep/er/lesson.ipynb",
            "Ann Lee_12348_assignsubmission_file/lesson.ipynb",
            "李小龍_12349_assignsubmission_file_/lesson.ipynb",
            "Мария Иванова_12350_assignsubmission_file_/lesson.ipynb",
            "नमिता शर्मा_12351_assignsubmission_file_/lesson.ipynb",
        ],
        [
            "ann_lee-12347", "ann_lee-12348", "jane_doe-12345", "josé_álvarez_núñez-12346",
            "мария_иванова-12350", "नमिता_शर्मा-12351", "李小龍-12349",
        ],
    ),
    "moodle, flat": (
        [
            "Jane Doe_12345_assignsubmission_file_lesson.ipynb",
            "Ann Lee_12347_assignsubmission_file_x_99_88_lesson.ipynb",
            "Bo Li_12348_assignsubmission_file_Jane Doe_12345_assignsubmission_file_lesson.ipynb",
        ],
        ["ann_lee-12347", "bo_li-12348", "jane_doe-12345"],
    ),
    "moodle, blind": (
        [
            "Participant_12345_assignsubmission_file_/lesson.ipynb",
            "Participant_12346_67891_assignsubmission_file_/lesson.ipynb",
        ],
        ["participant-12345", "participant-12346"],
    ),
    "blackboard": (
        [
            "05_made_jdoe_attempt_2025-11-03-23-59-00_lesson.ipynb",
            "05_made_alee_attempt_2025-11-04-20-00-00_x_attempt_2020-01-01-00-00-00_l.ipynb",
        ],
        ["alee", "jdoe"],
    ),
    "brightspace": (
        [
            "12345-67890 - Jane Doe - Nov 3, 2025 1159 PM/lesson.ipynb",
            "12346-67890 - Ann - Lee - 4 November, 2025 0905/lesson.ipynb",
        ],
        ["ann_lee-12346", "jane_doe-12345"],
    ),
    "brightspace, flat": (
        ["12345-67890 - Jane Doe- Nov 3, 2025 1159 PM - lesson.ipynb"],
        ["jane_doe-12345"],
    ),
    "github": (
        [
            "05-made-submissions/05-made-janedoe/lesson.ipynb",
            "05-made-submissions/05-made-Ann-Lee/course/05_made/lesson.ipynb",
        ],
        ["Ann-Lee", "janedoe"],
    ),
    "ilias": (
        [
            "MADE/Abgaben/Doe_Jane_jdoe_12345/lesson.ipynb",
            "MADE/Abgaben/van der Berg_Piet_pb_12346/lesson.ipynb",
        ],
        ["doe_jane-12345", "van_der_berg_piet-12346"],
    ),
    "ilias, teams": (
        ["MADE/Submissions/Team 7/Doe_Jane_jdoe_12345/lesson.ipynb"],
        ["doe_jane-12345"],
    ),
    "ilias, for feedback": (
        ["Doe_Jane_jdoe_12345/lesson.ipynb", "Lee_Ann_alee_12346/lesson.ipynb"],
        ["doe_jane-12345", "lee_ann-12346"],
    ),
    "nbgrader": (
        ["jdoe/05_made/lesson.ipynb", "submit+ter/05_made/lesson.ipynb", "jdoe/03_fvsbn/x.ipynb"],
        ["jdoe", "submit+ter"],
    ),
    "nbgrader, exchange": (
        [
            "jdoe+05_made+2025-11-03 20:00:00.5 UTC+4H3hqRz/lesson.ipynb",
            "a+b+05_made+2025-11-03 21:00:00 UTC/lesson.ipynb",
        ],
        ["a+b", "jdoe"],
    ),
    "plain": (["Jane Doe.ipynb", "Ann Lee.ipynb"], ["ann_lee", "jane_doe"]),
    "plain, folders": (
        ["Jane Doe/lesson.ipynb", "Ann Lee.zip/x/lesson.ipynb"],
        ["ann_lee", "jane_doe"],
    ),
}  # fmt: skip


def of_each_format():
    return pytest.mark.parametrize("example", EXAMPLES, ids=lambda name: name.replace(", ", "-"))


@of_each_format()
def test_each_format_is_told_by_its_form(course, example):
    names, expected = EXAMPLES[example]
    mapping = mapped(course, names)
    assert mapping.format.name == example.split(",")[0]
    assert (keys(mapping), mapping.refused) == (sorted(expected), [])


@of_each_format()
def test_a_zip_around_a_zip_and_a_folder_around_folders_change_nothing(course, example):
    names, expected = EXAMPLES[example]
    inner = {name: content_of(name) for name in names}
    foldered = {f"05_made (1)/download/{name}": content for name, content in inner.items()}
    for entries in ({"download.zip": inner}, foldered, {"export/b.zip": {"c.zip": inner}}):
        assert keys(mapped(course, entries)) == sorted(expected)


@of_each_format()
def test_backslashes_and_what_macs_add_change_nothing(course, example):
    names, expected = EXAMPLES[example]
    entries = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        entries[name.replace("/", "\\")] = content_of(name)
        entries[f"__MACOSX/{folder}/._{file}"] = "x"
        entries[f"{folder}/.ipynb_checkpoints/{file}".lstrip("/")] = content_of("checkpoint")
    mapping = mapped(course, entries)
    assert keys(mapping) == sorted(expected)
    assert not [row for row in mapping.rows if "MACOSX" in row.entry or "checkpoint" in row.entry]


@pytest.mark.parametrize("example", [name for name in EXAMPLES if not name.startswith("plain")])
def test_one_strange_entry_does_not_change_the_format(course, example):
    names, expected = EXAMPLES[example]
    many = {}
    for name in names:
        many[name] = content_of(name)
    for number in range(10):  # the class is larger than its one joker
        many[other_person(example, number)] = content_of(str(number))
    many["zz_1/zz.ipynb"] = content_of("strange")
    mapping = mapped(course, many)
    assert mapping.format.name == example.split(",")[0]
    assert set(expected) <= set(keys(mapping))
    (strange,) = [row for row in mapping.rows if row.entry == "zz_1/zz.ipynb"]
    assert (strange.status, strange.key) == ("left out", "")
    assert "has not the form" in strange.reason


def other_person(example, number):
    name, digits = EXAMPLES[example][0][0], str(500 + number)
    for old, new in (
        ("12345", f"12{digits}"), ("AbC12", f"AbC{digits}"), ("jdoe", f"jdoe{digits}"),
        ("janedoe", f"janedoe{digits}"),
    ):  # fmt: skip
        if old in name:
            return name.replace(old, new)
    raise AssertionError(name)


def test_gradescope_says_who_handed_in_what(course):
    root = "assignment_123_export"
    names = [f"{root}/submission_{n}/lesson.ipynb" for n in (1001, 1002, 1003, 1004)]
    entries = {name: content_of(name) for name in names}
    entries[f"{root}/submission_1001/submission_metadata.yml"] = "submission_1002: mine"
    entries[f"{root}/submission_metadata.yml"] = GRADESCOPE_SAYS
    for around in ("", "download/"):
        mapping = mapped(course, {around + name: entries[name] for name in entries})
        # A student number keeps its zero; a group's notebook is each member's.
        assert keys(mapping) == [
            "ann_lee-ann@x.edu", "jane_doe-0123", "submission-1003", "submission-1004",
            "zoë_kim-77",
        ]  # fmt: skip
        jane = mapping.arrivals["jane_doe-0123"]
        assert (jane.name, jane.email, jane.number) == ("Jane Doe", "jane@x.edu", "0123")
        assert jane.time == "2025-11-03T23:59:00+00:00"
        assert any("submission 1003" in note for note in mapping.notes)


@pytest.mark.parametrize(
    "bad",
    [b"a: [", b"\xff\xfe", b"[" * 5_000 + b"]" * 5_000, b"? {a: b}\n: c", b"a: *nothing"],
)
def test_broken_metadata_are_a_sentence(bad):
    with pytest.raises(NoZip, match=r"submission_metadata.yml (cannot be read|is nested too deep)"):
        said.gradescope_metadata(bad)


def test_metadata_of_other_kinds_say_nobody():
    for odd in (b"", b"3", b"[1, 2]", b"submission_1: 3", b"submission_1: {':submitters': 7}"):
        assert all(not one.submitters for one in said.gradescope_metadata(odd).values())


def test_a_merge_in_metadata_is_not_expanded():
    bomb = ["x0: &x0 {k: v}"] + [
        f"x{n}: &x{n} {{<<: [{', '.join([f'*x{n - 1}'] * 50)}]}}" for n in range(1, 15)
    ]
    assert said.gradescope_metadata("\n".join(bomb).encode()) == {}


def test_blackboard_says_login_name_and_time(course):
    head = "05_made_jane_doe_attempt_2025-11-03-23-59-00"
    names = [f"{head}_lesson.ipynb", "05_made_ann_doe_attempt_2025-11-03-23-58-00_lesson.ipynb"]
    texts = {
        f"{head}.txt": "Name: Jane (alee) Doe (jane_doe)\nAssignment: 05_made\nName: Ann (x)\n",
        "05_made_ann_doe_attempt_2025-11-03-23-58-00.txt": "Name: Ann Doe (ann_doe)\n",
    }
    cest = timezone(timedelta(hours=2))
    mapping = mapped(course, {n: content_of(n) for n in names} | texts, zone=cest)
    assert keys(mapping) == ["ann_doe", "jane_doe"]
    jane = mapping.arrivals["jane_doe"]
    assert (jane.name, jane.time) == ("Jane (alee) Doe", "2025-11-03T21:59:00+00:00")
    # Without the texts: two people are still two.
    assert len(keys(mapped(course, names))) == 2


def test_times_are_read_as_each_lms_writes_them():
    zone = timezone(timedelta(hours=1))
    wanted = {
        "2025-11-03-23-59-00": "2025-11-03T22:59:00+00:00",
        "Nov 3, 2025 1159 PM": "2025-11-03T22:59:00+00:00",
        "Nov 3, 2025 1205 AM": "2025-11-02T23:05:00+00:00",
        "3 November, 2025 905": "2025-11-03T08:05:00+00:00",
        "2025-11-03 20:00:00.123456 UTC": "2025-11-03T20:00:00+00:00",
        "2025-11-03 20:00:00 Z": "2025-11-03T20:00:00+00:00",
        "2025-11-03T20:00:00-05:00": "2025-11-04T01:00:00+00:00",
    }
    assert {text: form.moment(text, zone).isoformat() for text in wanted} == wanted
    for text in ("", "yesterday", "2025-13-03-23-59-00", "Foo 3, 2025 1159 PM", "Nov 3, 0 2561"):
        assert form.moment(text, zone) is None


# --- what a zip is told by -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["lesson.ipynb"],
        ["lesson.ipynb", "lesson (1).ipynb"],
        ["homework/lesson.ipynb"],
        ["05_made_jane.ipynb", "05_made_ann.ipynb"],
        ["jane/lesson.ipynb", "ann.ipynb"],
        ["submissions/final.ipynb", "submissions/final (2).ipynb"],
        ["jane/a.ipynb", "jane/b.ipynb"],
        ["Smith 3/jane/lesson.ipynb", "Smith 3/ann/lesson.ipynb"],
    ],
)
def test_without_a_form_names_must_be_clearly_peoples(course, names):
    with pytest.raises(NoZip, match=r"--format NAME"):
        mapped(course, names)


def test_the_format_can_be_said_by_hand(course):
    names = ["hw_a_b_12/05_made/lesson.ipynb", "hw_c_d_13/05_made/lesson.ipynb"]
    assert keys(mapped(course, names)) == ["hw_a-12", "hw_c-13"]  # like ILIAS's
    assert keys(mapped(course, names, format="nbgrader")) == ["hw_a_b_12", "hw_c_d_13"]
    assert keys(mapped(course, ["lesson/x.ipynb"], format="plain")) == ["lesson"]
    names_of_a_class = ["Smith 3/jane/lesson.ipynb", "Smith 3/ann/lesson.ipynb"]
    assert keys(mapped(course, names_of_a_class, format="plain")) == ["ann", "jane"]
    with pytest.raises(NoZip, match="no notebook of the zip looks like moodle's"):
        mapped(course, names, format="moodle")
    with pytest.raises(NoZip, match="no format is called 'webct'"):
        mapped(course, names, format="webct")


def test_two_formats_that_fit_are_refused(course):
    name = "12-34 - Jo - Nov 3, 2025 1159 PM - x_{}_2_lesson.ipynb"
    with pytest.raises(NoZip, match=r"could be of canvas and brightspace: .*--format"):
        mapped(course, [name.format(n) for n in range(3)])


def test_every_example_of_a_format_is_of_that_format_only():
    for one in FORMATS.values():
        strong = [f.name for f in FORMATS.values() if f.name != "plain" and f.match(one.example)]
        assert strong == ([one.name] if one.name != "plain" else [])


# --- who is who ----------------------------------------------------------------------------------


def test_nfc_and_nfd_are_one_name(course):
    name = MOODLE.format(name="José Núñez", number=1)
    for shape in ("NFC", "NFD"):
        taken_in(course, [unicodedata.normalize(shape, name)])
    assert what_was_written(course) == ["josé_núñez-1/05_made/lesson.ipynb"]
    plain = [unicodedata.normalize(shape, "José.ipynb") for shape in ("NFC", "NFD")]
    (refused,) = {row.reason for row in mapped(course, dict.fromkeys(plain, "x")).refused} or [""]
    assert refused == ""  # the same file of the same person, twice


def test_names_that_old_tools_wrote_are_read(course, tmp_path):
    # Without the flag for UTF-8: cp437 by the standard, UTF-8 by macOS, an extra field by Info-ZIP.
    german, name = "Jürgen Müßig", MOODLE.format(name="Jürgen Müßig", number=7)
    for raw, extra in (
        (name.encode("cp437"), b""),
        (name.encode("utf-8"), b""),
        (name.encode("latin-1"), None),
    ):
        if extra is None:
            field = b"\1" + struct.pack("<I", zlib.crc32(raw)) + name.encode()
            extra = struct.pack("<HH", 0x7075, len(field)) + field
        info = zipfile.ZipInfo("n" * len(raw))
        info.extra = extra
        path = zipped([(info, "{}")], tmp_path / "old.zip")
        path.write_bytes(path.read_bytes().replace(b"n" * len(raw), raw))
        (row,) = mapping_of(course, MADE, path).rows
        assert (row.arrival.name, row.key) == (german, "jürgen_müssig-7")


def test_two_people_of_one_name_stay_two(course):
    names = [MOODLE.format(name="Ann Lee", number=n) for n in (12347, 12348)]
    taken_in(course, names)
    assert what_was_written(course) == [
        "ann_lee-12347/05_made/lesson.ipynb", "ann_lee-12348/05_made/lesson.ipynb",
    ]  # fmt: skip


def test_a_key_stays_when_the_name_is_spelled_anew(course):
    taken_in(course, [MOODLE.format(name="Jane Doe", number=5)])
    married = MOODLE.format(name="Jane Smith", number=5)
    mapping = taken_in(course, {married: "another"})
    assert statuses(mapping) == {"jane_doe-5": "newer"}
    assert arrivals_of(course, MADE)["jane_doe-5"].name == "Jane Smith"
    other = mapping_of(course, "03_fvsbn", mapping.archive)  # in another lesson, too
    assert [row.key for row in other.rows] == ["jane_doe-5"]


def test_moodles_new_numbers_are_told_by_a_roster_or_said(course, tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(
        "First name;Last name;Email address\nJane;Doe;jane@x.edu\nAnn;Lee;a@x.edu\n"
        "Ann;Lee;b@x.edu\n"
    )
    roster = read_roster(path)
    taken_in(
        course,
        [MOODLE.format(name=n, number=i) for n, i in (("Jane Doe", 1), ("Ann Lee", 2))],
        roster=roster,
    )
    later = zipped(
        {MOODLE.format(name=n, number=i): "x" for n, i in (("Jane Doe", 11), ("Ann Lee", 12))},
        tmp_path / "later.zip",
    )
    alone = mapping_of(course, "03_fvsbn", later)
    assert keys(alone) == ["ann_lee-12", "jane_doe-11"]
    assert [note for note in alone.notes if note.startswith("2 names are known")]
    told = mapping_of(course, "03_fvsbn", later, roster=roster)
    assert keys(told) == ["ann_lee-12", "jane_doe-1"]  # of two Ann Lees nobody knows which
    assert (told.refused, told.notes) == ([], [])
    path.write_text("id,name,email\n0,Eve,eve@x.edu\n1,Eva,eva@x.edu\n")  # nobody of this zip
    assert {
        one.email
        for one in mapping_of(course, MADE, later, roster=read_roster(path)).arrivals.values()
    } == {""}
    take_in(told)
    again = mapping_of(course, "03_fvsbn", later)  # the new number is known from now on
    assert statuses(again) == {"ann_lee-12": "same", "jane_doe-1": "same"}
    assert again.refused == []


@pytest.mark.parametrize(
    ("victim", "impostor"),
    [
        ("jdoe.ipynb", "JDoe.ipynb"),
        ("Jane Doe.ipynb", "jane_doe.ipynb"),
        ("Jane Doe.ipynb", "Ｊane Doe.ipynb"),
        ("Jane Doe.ipynb", "Jane Doe😀.ipynb"),
        ("jdoe/05_made/lesson.ipynb", "JDOE/05_made/lesson.ipynb"),
        ("hw-submissions/hw-jdoe/a.ipynb", "hw-submissions/hw-JDoe/a.ipynb"),
        ("anon_AbC12_1_l.ipynb", "anon_aBC12_2_l.ipynb"),
    ],
)
def test_a_name_that_two_claim_is_given_to_neither(course, victim, impostor):
    bystander = victim.replace("jdoe", "zed").replace("Jane Doe", "Zed").replace("AbC12", "ZzZ")
    taken_in(course, [victim])
    before = files_of(course)
    for names in ([victim, impostor, bystander], [impostor, victim, bystander]):
        mapping = mapped(course, dict.fromkeys(names, "changed"))
        assert {row.entry for row in mapping.refused} == {victim, impostor}
        assert all("claimed by" in row.reason for row in mapping.refused)
        assert len(statuses(mapping)) == 1
    # The impostor alone, later: the place is taken.
    mapping = taken_in(course, {impostor: "changed"})
    assert [row.entry for row in mapping.refused] == [impostor]
    assert files_of(course) == before


def test_a_folder_that_came_another_way_is_not_taken_over(course):
    place = course.submission_of("jane_doe", MADE)
    place.parent.mkdir(parents=True)
    place.write_text("collected")
    for name in ("Jane Doe.ipynb", "JANE_DOE.ipynb"):
        mapping = taken_in(course, [name])
        assert [row.status for row in mapping.rows] == ["refused"]
    assert place.read_text() == "collected"
    assert statuses(taken_in(course, ["jane_doe.ipynb"])) == {"jane_doe": "newer"}


@pytest.mark.parametrize(
    "name",
    ["template", "CON", "aux.x", "a" * 300, "José 😀", "\u202eenaj", "null", "-rf", "~", "x" * 90],
)
def test_odd_names_are_handled(course, name):
    for shape in ("{}_12345_assignsubmission_file_/l.ipynb", "{}_1_2_l.ipynb", "{}.ipynb"):
        entries = {shape.format(name): "x", shape.format("Zed").replace("_1", "_9"): "y"}
        mapping = taken_in(course, entries, **({"format": "plain"} if shape == "{}.ipynb" else {}))
        for row in mapping.rows:
            assert row.status in ("new", "refused", "left out"), row
    for path in course.submitted.iterdir():
        assert len(path.name.encode()) <= 110
        assert path.name.isprintable()
        assert path.name.split(".")[0].lower() not in ("con", "aux")
    assert not (course.submitted.parent / "records").exists()


def test_keys_can_be_read():
    assert numbered_key("Jane Doe", "12345") == "jane_doe-12345"
    assert numbered_key("Mary O'Brien-Smith", "7") == "mary_obrien_smith-7"
    assert numbered_key("😀", "7") == "student-7"
    assert numbered_key("a-1", "2") != numbered_key("a", "1-2")
    assert named_key("CON") == "student_con"
    assert named_key("...") == ""
    assert login_key("jdoe@x.edu") == "jdoe@x.edu"
    assert login_key("nul") == "student_nul"
    assert login_key("a b").startswith("a_b_")


words = st.text(max_size=60) | st.text("aA_-. é\u0301ß１1", max_size=8)
numbers = st.text("0123456789", min_size=1, max_size=20) | words


@settings(max_examples=200, deadline=None)
@given(words, numbers, words, numbers)
@example("a_", "1", "a", "1")
@example("A", "\u1e9e", "a", "ss")
def test_two_numbers_never_share_a_key(name, number, other_name, other_number):
    number, other_number = (unicodedata.normalize("NFC", n) for n in (number, other_number))
    mine, theirs = numbered_key(name, number), numbered_key(other_name, other_number)
    if number != other_number:
        assert mine != theirs
    logins = login_key(number), login_key(other_number)
    if number != other_number and all(logins):
        assert logins[0] != logins[1]
    for key in (mine, theirs, *logins, named_key(name)):
        assert key == unicodedata.normalize("NFC", key)
        assert len(key.encode()) <= 110
        assert not set(key) & set('/\\:*?"<>|\0 ')
        assert not key.startswith(".") and not key.endswith(".")
        assert key.isprintable()
        assert Path(key).name == key


# --- which of several counts ---------------------------------------------------------------------


def test_the_newest_attempt_counts_and_the_others_are_named(course):
    shape = "05_made_jdoe_attempt_2025-11-0{}-20-00-00_lesson.ipynb"
    mapping = mapped(course, [shape.format(day) for day in (2, 4, 3)], zone=UTC)
    assert mapping.arrivals["jdoe"].entry == shape.format(4)
    assert [(row.status, row.key) for row in mapping.left_out] == [("older", "jdoe")] * 2
    assert {row.reason for row in mapping.left_out} == {"there is a newer attempt"}


def test_canvas_counts_names_of_files(course):
    names = [f"kimsoo_12350_{n}_lesson{count}.ipynb" for n, count in enumerate(("", "-2", "-1"))]
    mapping = mapped(course, names)
    assert (mapping.arrivals["kimsoo-12350"].entry, mapping.arrivals["kimsoo-12350"].attempt) == (
        names[1], 2,
    )  # fmt: skip


def test_an_older_attempt_does_not_come_back(course):
    shape = "05_made_jdoe_attempt_2025-11-0{}-20-00-00_lesson.ipynb"
    taken_in(course, [shape.format(4)])
    before = files_of(course)
    mapping = taken_in(course, [shape.format(3)])
    assert [row.status for row in mapping.rows] == ["older"]
    assert files_of(course) == before
    canvas = "doejane_1_{}_lesson.ipynb"
    taken_in(course, [canvas.format(20)])
    assert [row.status for row in mapped(course, [canvas.format(9)]).rows] == ["older"]
    assert [row.status for row in mapped(course, [canvas.format(21)]).rows] == ["newer"]


def test_of_two_notebooks_the_lessons_counts(course):
    folder = "Jane Doe_1_assignsubmission_file_"
    ours, notes = f"{folder}/answers.ipynb", f"{folder}/notes.ipynb"
    is_ours = lambda raw: b"answers" in raw  # noqa: E731
    mapping = mapped(course, [ours, notes], is_of_lesson=is_ours)
    assert mapping.arrivals["jane_doe-1"].entry == ours
    named = mapped(course, [f"{folder}/lesson (2).ipynb", notes])
    assert named.arrivals["jane_doe-1"].entry == f"{folder}/lesson (2).ipynb"
    (left,) = named.left_out
    assert (left.entry, left.status, left.key) == (notes, "left out", "jane_doe-1")
    same = mapped(course, {ours: "x", notes: "x"})
    assert [row.reason for row in same.left_out] == ["it is the same file again"]


def test_two_notebooks_of_one_person_are_not_guessed(course):
    folder = "Jane Doe_1_assignsubmission_file_"
    a, b = f"{folder}/a.ipynb", f"{folder}/b.ipynb"
    for options in ({}, {"is_of_lesson": lambda raw: True}, {"is_of_lesson": lambda raw: None}):
        mapping = taken_in(course, [a, b], **options)
        assert [row.entry for row in mapping.refused] == [a, b]
        assert all(a in row.reason and b in row.reason for row in mapping.refused)
    assert what_was_written(course) == []
    twice = mapped(course, [(a, "x"), (a, "y")])  # two entries of one name
    assert len(twice.refused) == 2


def test_a_zip_that_a_student_handed_in_is_looked_into(course):
    for shape in ("Jane Doe_1_assignsubmission_file_/hw.zip", "doejane_1_2_hw.zip"):
        mapping = mapped(course, {shape: {"deep/05_made.ipynb": "x", "a.csv": "1"}})
        assert list(statuses(mapping).values()) == ["new"]
        assert [row.reason for row in mapping.left_out] == ["it is no notebook"]


def test_what_is_left_out_is_named(course):
    mapping = mapped(
        course,
        {
            MOODLE.format(name="Jane Doe", number=1): "x",
            "Piet_2_assignsubmission_onlinetext/onlinetext.html": "<p>",
            "Ann_3_assignsubmission_file_/lesson.pdf": "%PDF",
            "Bo_4_assignsubmission_file_/broken.zip": b"PK\3\4 no",
        },
    )
    assert [(row.entry.split("/")[1], row.status) for row in mapping.left_out] == [
        ("onlinetext.html", "left out"), ("lesson.pdf", "left out"), ("broken.zip", "refused"),
    ]  # fmt: skip
    assert "its zip cannot be read" in mapping.refused[0].reason


# --- what is written -----------------------------------------------------------------------------


def test_the_same_zip_again_changes_nothing(course):
    names, expected = EXAMPLES["blackboard"]
    taken_in(course, names, zone=UTC)
    before = {path: path.stat().st_mtime_ns for path in course.submitted.parent.rglob("*")}
    mapping = taken_in(course, names, zone=UTC)
    assert set(statuses(mapping).values()) == {"same"}
    later = {name.replace("2025", "2026"): content_of(name) for name in names}  # the same files
    taken_in(course, later, zone=UTC)
    after = {path: path.stat().st_mtime_ns for path in course.submitted.parent.rglob("*")}
    assert after == before
    assert sorted(arrivals_of(course, MADE)) == expected


def test_arrivals_are_what_the_lms_said(course):
    taken_in(course, ["12345-67890 - Jane Doe - Nov 3, 2025 1159 PM/lesson.ipynb"], zone=UTC)
    (jane,) = arrivals_of(course, MADE).values()
    assert (jane.key, jane.lms, jane.number, jane.name) == (
        "jane_doe-12345", "brightspace", "12345", "Jane Doe",
    )  # fmt: skip
    time = time_of(course.submitted, jane.key, MADE, jane.sha256)
    assert time.isoformat() == "2025-11-03T23:59:00"
    assert time_of(course.submitted, jane.key, MADE, "another file's") is None
    assert not set(path.parts[-2] for path in course.submitted.parent.glob("submitted/*.json"))


def test_the_gradebook_knows_names_that_nobody_entered(course, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text('Student,ID,Email\n"Doe, Jane",12345,jane@x.edu\n')
    names = ["doejane_12345_1_l.ipynb", "leeann_12346_2_l.ipynb"]
    taken_in(course, names, roster=read_roster(roster))
    course.submitted.parent.mkdir(exist_ok=True)
    with tools_on_path(), Gradebook(course.db_url, course.course_id) as gradebook:
        gradebook.add_student("doejane-12345")
        gradebook.add_student("leeann-12346", last_name="Lee-Smith")
        gradebook.add_student("else")
    assert name_students(course, MADE) == []
    with tools_on_path(), Gradebook(course.db_url, course.course_id) as gradebook:
        told = {
            one.id: (one.first_name, one.last_name, one.email, one.lms_user_id)
            for one in gradebook.students
        }
    assert told == {
        "doejane-12345": ("Jane", "Doe", "jane@x.edu", "12345"),
        "leeann-12346": (None, "Lee-Smith", None, "12346"),
        "else": (None, None, None, None),
    }


def test_a_time_of_the_students_machine_is_no_word_of_the_lms(course):
    taken_in(course, ["jdoe+05_made+2025-11-03 20:00:00 UTC/lesson.ipynb"])
    jdoe = arrivals_of(course, MADE)["jdoe"]
    assert (jdoe.time, jdoe.trusted) == ("2025-11-03T20:00:00+00:00", False)
    assert time_of(course.submitted, "jdoe", MADE, jdoe.sha256) is None


def test_canvas_says_late(course):
    mapping = mapped(course, EXAMPLES["canvas"][0])
    late = {key: arrival.late for key, arrival in mapping.arrivals.items()}
    assert late["alvarezjose-12346"] is True
    assert late["doejane-12345"] is False


def test_a_broken_file_of_arrivals_is_a_sentence(course):
    taken_in(course, EXAMPLES["moodle"][0])
    path = arrivals_path(course, MADE)
    whole = json.loads(path.read_text())
    key = next(iter(whole["arrivals"]))
    for name, value in (
        ("time", "now"),
        ("late", "no"),
        ("attempt", "1"),
        ("name", 3),
        ("key", ""),
    ):
        broken = json.loads(path.read_text())
        broken["arrivals"][key][name] = value
        path.write_text(json.dumps(broken))
        with pytest.raises(CourseError, match=r"arrivals/05_made.json cannot be read"):
            arrivals_of(course, MADE)
        path.write_text(json.dumps(whole))
    path.write_text("[" * 10**5)
    with pytest.raises(CourseError, match="cannot be read"):
        mapped(course, EXAMPLES["moodle"][0])


def test_a_link_in_the_class_is_not_followed(course, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    course.submitted.mkdir(parents=True)
    (course.submitted / "jane_doe-1").symlink_to(tmp_path / "elsewhere")
    names = [MOODLE.format(name="Jane Doe", number=1), MOODLE.format(name="Ann", number=2)]
    mapping = mapped(course, names)
    assert [row.key for row in take_in(mapping)] == ["jane_doe-1"]
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert course.submission_of("ann-2", MADE).is_file()


# --- safety --------------------------------------------------------------------------------------


def test_a_zip_cannot_write_elsewhere_nor_fill_the_disk(course, tmp_path):
    link = zipfile.ZipInfo("dan_1_2_lesson.ipynb")
    link.external_attr = 0o120777 << 16
    odd = zipfile.ZipInfo("lzma_1_2_lesson.ipynb")
    odd.compress_type = zipfile.ZIP_LZMA
    entries = [
        ("../../evil_1_2_l.ipynb", "{}"),
        ("/tmp/evil_1_2_l.ipynb", "{}"),
        ("..\\..\\evil_1_2_l.ipynb", "{}"),
        ("C:/evil_1_2_l.ipynb", "{}"),
        ("x_1_2_/../../l.ipynb", "{}"),
        (link, "/etc/passwd"),
        (odd, "{}"),
        ("eve_4_2_lesson.ipynb", b"\0" * (19 * 2**20)),
        ("fay_5_2_lesson.ipynb", b"\0" * (21 * 2**20)),
        *((f"hal{n}_{n}_2_lesson.ipynb", "{}") for n in range(10, 60)),
    ]
    mapping = taken_in(course, entries)
    assert len(mapping.left_out) == 9
    assert {row.reason.split(",")[0].split(":")[0] for row in mapping.left_out} == {
        "its name leads out of the zip", "it is a link or a device",
        "it is packed in a way that is not read here",
        "it is packed far too tightly for a notebook", "it has 21 MB",
    }  # fmt: skip
    assert len(what_was_written(course)) == 50
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]


def test_zips_in_zips_are_capped_as_part_of_the_whole(course, monkeypatch):
    def deep(levels):
        return {"l.ipynb": "x"} if not levels else {"z.zip": deep(levels - 1)}

    jane = "Jane Doe_1_assignsubmission_file_"
    ann = MOODLE.format(name="Ann", number=2)
    mapping = mapped(course, {f"{jane}/h.zip": deep(5), ann: "x"})
    assert [row.reason for row in mapping.left_out] == ["it is no notebook"]  # a zip too deep
    assert keys(mapping) == ["ann-2"]
    monkeypatch.setattr(archives, "MAX_TOTAL", 3_000)
    mapping = mapped(
        course,
        {ann: "x", f"{jane}/h.zip": zip_bytes({f"{n}.ipynb": bytes([n]) * 900 for n in range(20)})},
    )
    assert {row.reason for row in mapping.refused} == {"the zip as a whole is too large"}
    monkeypatch.setattr(archives, "MAX_ENTRIES", 20)
    with pytest.raises(NoZip, match="more than 20 files"):
        mapped(course, {ann: "x", f"{jane}/h.zip": {f"{n}.ipynb": "x" for n in range(20)}})


def zip_bytes(entries):
    inner = io.BytesIO()
    zipped(entries, inner)
    return inner.getvalue()


def test_a_size_that_lies_is_found_while_unpacking(course, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1_000)
    name, big = MOODLE.format(name="Jane Doe", number=1), b"x" * 5_000
    path = zipped({name: big, MOODLE.format(name="Ann", number=2): "{}"}, tmp_path / "lie.zip")
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5_000), struct.pack("<I", 10)))
    mapping = mapping_of(course, MADE, path)
    assert keys(mapping) == ["ann-2"]
    assert [row.key for row in mapping.refused] == ["jane_doe-1"]


def test_what_is_no_zip_is_a_sentence(course, tmp_path):
    path = tmp_path / "x.zip"
    for content in (b"", b"PK no", b"PK\5\6" + b"\0" * 18, b"PK\5\6" + b"\xff" * 18):
        path.write_bytes(content)
        with pytest.raises(NoZip, match=r"is not a zip file|cannot be read|holds no notebook"):
            mapping_of(course, MADE, path)
    for missing in (tmp_path / "nothing.zip", tmp_path):
        with pytest.raises(NoZip, match=r"there is no file|not a zip file"):
            mapping_of(course, MADE, missing)
    with pytest.raises(NoZip, match="holds no notebook"):
        mapped(course, ["a.txt"])
    whole = zipped({MOODLE.format(name="Ann", number=2): "{}" * 500}, path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NoZip):
        mapping_of(course, MADE, path)
    assert printable("a\x1b[2Jb\u202e") == "a?[2Jb?"


SHAPES = (
    "{}.ipynb", "{}/l.ipynb", "{}_1_2_l.ipynb", "anon_{}_1_l.ipynb", "{}_7_assignsubmission_file_",
    "{}_7_assignsubmission_file_/{}.ipynb", "hw_{}_attempt_2025-01-01-01-01-01_{}.ipynb",
    "1-2 - {} - Nov 3, 2025 1159 PM/{}.ipynb", "submission_1/{}.ipynb",
    "h-submissions/h-{}/l.ipynb", "x/Abgaben/{}_{}_login_3/{}.ipynb", "{}/05_made/{}.ipynb",
    "{}+05_made+2025-01-01 1:2:3/l.ipynb", "{}.zip", "{}",
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(SHAPES), words, words, words), min_size=1, max_size=6),
    st.none() | st.sampled_from(sorted(FORMATS)),
    st.binary(max_size=40),
)
def test_whatever_a_zip_holds_nothing_but_notebooks_in_their_places_is_written(parts, named, raw):
    with tempfile.TemporaryDirectory() as folder:
        course = open_class(Path(folder))
        entries = []
        for shape, *fills in parts:
            name = shape.format(*fills).encode("utf-8", "ignore").decode()[:200] or "x"
            entries.append((name.replace("\0", "0"), raw))
        try:
            mapping = mapped(course, entries, format=named)
            take_in(mapping)
        except NoZip as error:
            assert "\n" not in str(error)
            return
        written = what_was_written(course)
        assert written == sorted(f"{key}/{MADE}/lesson.ipynb" for key in statuses(mapping))
        assert len({folded(key) for key in statuses(mapping)}) == len(statuses(mapping))
        beside = {path.name for path in Path(folder).iterdir()}
        assert beside <= {"class", "lms.zip"}
        taken_again = mapped(course, entries, format=named)
        assert set(statuses(taken_again).values()) <= {"same"}


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_zip_or_a_sentence(raw):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.zip"
        good = zip_bytes({MOODLE.format(name="Ann", number=2): "{}"})
        for content in (raw, good[: len(raw)] + raw, raw + good, good[: -len(raw) or None] + raw):
            path.write_bytes(content)
            try:
                mapping_of(open_class(Path(folder)), MADE, path)
            except NoZip as error:
                assert "\n" not in str(error)


_OPENED = {}


def open_class(folder):
    """A class in a folder; nbgrader's configuration is read once."""
    from dataclasses import replace

    if not _OPENED:
        _OPENED[0] = open_course()
    places = {n: folder / "class" / n for n in ("submitted", "autograded", "feedback", "records")}
    return replace(_OPENED[0], **places)


# --- the class list ------------------------------------------------------------------------------

ROSTERS = {
    "canvas": (
        "Student,ID,SIS User ID,SIS Login ID,Section,Lesson 5 (77)\n"
        "    Points Possible,,,,,22\n"
        '"Doe, Jane",12345,S1,jdoe,A,\n'
        '"Lee, Ann",12347,S2,alee,A,\n"Kim, Zoë",99,S3,zkim,A,\n"Student, Test",1,,,A,\n'
    ),
    "moodle": (
        "\ufeffFirst name;Last name;ID number;Email address\n"
        "Jane;Doe;12345;jane@x.edu\nAnn;Lee;12347;ann@x.edu\nZoë;Kim;99;zoe@x.edu\n"
    ),
    "moodle's worksheet": (
        "Identifier\tFull name\tEmail address\nParticipant 12345\tJane Doe\tjane@x.edu\n"
        "Participant 12347\tAnn Lee\tann@x.edu\nParticipant 99\tZoë Kim\tzoe@x.edu\n"
    ),
    "plain": "ID , Name,E-Mail\r\n12345,Jane Doe,\r\n12347,Ann Lee,\r\n99,Zoë Kim,\r\n",
}


@pytest.mark.parametrize("kind", ROSTERS)
def test_a_roster_says_who_is_missing_and_who_is_unknown(course, tmp_path, kind):
    path = tmp_path / "roster.csv"
    path.write_text(ROSTERS[kind], encoding="utf-8", newline="")
    people = (("Jane Doe", 12345), ("Ann Lee", 12347), ("Eve", 666))
    mapping = mapped(course, [MOODLE.format(name=n, number=i) for n, i in people])
    joined = read_roster(path).join(mapping.arrivals.values())
    assert sorted(joined.people) == ["ann_lee-12347", "jane_doe-12345"]
    assert [arrival.key for arrival in joined.unknown] == ["eve-666"]
    (missing,) = joined.missing
    assert "Zoë" in missing.name and "Kim" in missing.name
    mapping = mapped(
        course, list(mapping.places[k].path for k in mapping.places), roster=read_roster(path)
    )
    assert mapping.arrivals["jane_doe-12345"].email == ("jane@x.edu" if "moodle" in kind else "")


def test_a_roster_joins_by_login_address_and_only_then_by_a_name_of_one(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text("name,login,email\nJane Doe,jdoe,J@X.edu\nAnn Lee,,\nBo Li,,\nBo Li,,\n")
    arrivals = [
        Arrival("k1", "github", number="JDOE", login="JDOE"),
        Arrival("k2", "canvas", number="7", name="leeann"),
        Arrival("k3", "canvas", number="8", name="bo li"),
    ]
    joined = read_roster(path).join(arrivals)
    assert {key: one.name for key, one in joined.people.items()} == {
        "k1": "Jane Doe", "k2": "Ann Lee",
    }  # fmt: skip
    assert joined.by_name == ["k2"]
    assert [arrival.key for arrival in joined.unknown] == ["k3"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "no column of people"),
        (b"name\nJ\xfcrgen\n", "is not UTF-8"),
        (None, "cannot be opened"),
    ],
)
def test_a_roster_that_cannot_be_read_is_a_sentence(tmp_path, raw, said):
    path = tmp_path / "roster.csv"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(CourseError, match=said):
        read_roster(path)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_roster_or_a_sentence(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.csv"
        path.write_bytes(("name,id\n" + text).encode("utf-8", "ignore"))
        try:
            read_roster(path).join([Arrival("k", "canvas", number="7", name=text)])
        except CourseError as error:
            assert "\n" not in str(error)


# --- the command ---------------------------------------------------------------------------------


def grade(course, *options):
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["grade", "05", "--class-dir", str(course.submitted.parent), *map(str, options)]
    )
    assert not isinstance(ran.exception, Exception), ran.exception
    return ran


def test_a_dry_run_shows_the_mapping_and_writes_nothing(course, tmp_path):
    names = EXAMPLES["canvas"][0]
    path = zipped({name: content_of(name) for name in names}, tmp_path / "c.zip")
    roster = tmp_path / "roster.csv"
    roster.write_text('Student,ID\n"Doe, Jane",12345\n"Kim, Zoë",99\n')
    ran = grade(course, "--submissions", path, "--roster", roster, "--dry-run")
    assert ran.exit_code == 0
    for told in ("doejane-12345", "canvas", "late", "Kim, Zoë (99) of the roster", "1 of 2 handed"):
        assert told in ran.stdout
    assert files_of(course) == {}


def test_a_lesson_is_told_by_its_cells(course, tmp_path):
    root, folder = Path(__file__).parent.parent / "course", "Jane Doe_1_assignsubmission_file_"
    others = {"a": "05_made", "lesson": "03_fvsbn", "z": "02_chain_rule"}
    lessons = {name: (root / of / "lesson.ipynb").read_bytes() for name, of in others.items()}
    path = zipped(
        {f"{folder}/{name}.ipynb": raw for name, raw in lessons.items()}, tmp_path / "m.zip"
    )
    assert grade(course, "--submissions", path, "--dry-run").exit_code == 0
    said_ = grade(course, "--submissions", path, "--dry-run").stdout
    for name in ("lesson", "z"):
        assert f"{name}.ipynb is left out: its cells are not those of 05_made" in said_


def test_a_clash_ends_with_exit_code_1_and_a_missing_zip_with_2(course, tmp_path):
    path = zipped({"jdoe.ipynb": "a", "JDoe.ipynb": "b"}, tmp_path / "c.zip")
    for options in (("--dry-run",), ()):
        ran = grade(course, "--submissions", path, *options)
        assert ran.exit_code == 1
        assert "jdoe is claimed by" in ran.stdout
    assert files_of(course) == {}
    for given_, said_ in (
        (("--submissions", tmp_path / "no.zip"), "there is no file"),
        (("--submissions", path, "--format", "webct"), "no format is called"),
        (("--submissions", path, "--timezone", "Mars/Base"), "no time zone is called"),
        (("--submissions", path, "--roster", tmp_path / "no.csv"), "cannot be opened"),
    ):
        ran = grade(course, *given_)
        assert ran.exit_code == 2
        assert said_ in ran.stderr
