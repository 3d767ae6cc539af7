"""Reads what an LMS says in files of its own: Gradescope's metadata, Blackboard's texts.

These files hold what students chose, too (names, comments): they are capped, and only plain texts
are taken from their places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograder.grading.handed_in.archive import NoZip

MAX_YAML = 32 * 2**20
MAX_DEPTH = 20
MAX_SUBMITTERS = 20
MAX_TEXT = 2_000


@dataclass(frozen=True)
class Submitter:
    """A person as Gradescope's metadata tell: any of the texts may be missing."""

    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass(frozen=True)
class Submission:
    """One submission of Gradescope's metadata."""

    submitters: tuple[Submitter, ...] = ()
    created: str = ""


def gradescope_metadata(raw: bytes) -> dict[str, Submission]:
    """The submissions of submission_metadata.yml by their numbers; NoZip if it cannot be read.

    Every scalar is read as text (a student number 0123 is no octal number), and nesting is capped
    before anything is built, since a parser's stack is not.
    """
    import yaml

    if len(raw) > MAX_YAML:
        raise NoZip(f"submission_metadata.yml has more than {MAX_YAML / 2**20:.0f} MB")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        text = raw.decode("utf-8-sig")
        depth = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise NoZip("submission_metadata.yml is nested too deep")
        data = yaml.load(text, Loader=loader)
    except NoZip:
        raise
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        first = " ".join(str(error).split())[:100]
        raise NoZip(f"submission_metadata.yml cannot be read: {first}") from None
    found = {}
    for name, one in data.items() if isinstance(data, dict) else ():
        number = re.fullmatch("submission_([0-9]+)", name) if isinstance(name, str) else None
        if number and isinstance(one, dict):
            listed = one.get(":submitters")
            people = listed[:MAX_SUBMITTERS] if isinstance(listed, list) else []
            found[number[1]] = Submission(
                tuple(_submitter(p) for p in people if isinstance(p, dict)),
                _text(one, ":created_at"),
            )
    return found


def _submitter(person: dict[Any, Any]) -> Submitter:
    return Submitter(_text(person, ":name"), _text(person, ":sid"), _text(person, ":email"))


def _text(mapping: dict[Any, Any], key: str) -> str:
    value = mapping.get(key)
    value = value.strip() if isinstance(value, str) else ""
    return value[:300] if value.lower() not in ("", "null", "~") else ""


@dataclass(frozen=True)
class Attempt:
    """What Blackboard's text beside an attempt says: "Name: Jane Doe (jdoe)" and a date."""

    name: str = ""
    login: str = ""


def blackboard_attempt(raw: bytes) -> Attempt:
    """The name and login in the first line of an attempt's text; empty if it has none."""
    first = raw[:MAX_TEXT].decode("utf-8-sig", "replace").lstrip().split("\n")[0].strip()
    found = re.fullmatch(r"[^:]{1,20}:\s*(?P<name>.*?)\s*\((?P<login>[^()]+)\)", first)
    return Attempt(found["name"], found["login"]) if found else Attempt()


def blackboard_login(head: str, heads: Iterable[str], attempt: Attempt) -> str:
    """The login in `head` = assignment_login, where both may have low lines.

    Blackboard's own text says it. Without one it is what follows the last low line, if all entries
    then name one assignment, and else what follows the part that all entries share.
    """
    if attempt.login and head.endswith(f"_{attempt.login}"):
        return attempt.login
    heads = set(heads)
    if len({one.rpartition("_")[0] for one in heads}) == 1:
        return head.rpartition("_")[2]
    shared = min(heads)
    for one in heads:
        while not one.startswith(shared):
            shared = shared[:-1]
    return head[shared.rfind("_") + 1 :]
