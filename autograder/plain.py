"""The one entrance for text of others: valid Unicode, nothing that a screen acts on, bounded.

Whatever a submission, a guest or a student's own process says passes here before anything is
compared, written or shown. What is behind may rely on it: it can be encoded, printed, put into a
file, a database or a page.
"""

from __future__ import annotations

import re
from typing import Any

MAX_BITS = 14_000  # of an integer: Python writes no more than 4,300 digits

# Control characters (but tab and newline) and the characters that reorder text on a screen.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_text(text: str) -> str:
    """`text` with newlines as \\n, and without control characters and halves of characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub("", text).encode("utf-8", "replace").decode("utf-8")


def clean_line(value: Any, most: int) -> str:
    """Anything as one line of clean text, of at most `most` characters."""
    text = value if isinstance(value, str) else type(value).__name__
    return " ".join(clean_text(text[: 4 * most]).split())[:most]


def whole_characters(text: str) -> str:
    """`text` as data: halves of characters replaced by a question mark, all else as it is."""
    return text.encode("utf-8", "replace").decode("utf-8")


def plain_fields(mapping: dict[Any, Any]) -> dict[str, Any]:
    """Of a mapping, what is text by name: texts, lists of texts, and mappings of these."""
    kept: dict[str, Any] = {}
    for name, value in mapping.items():
        if type(name) is not str:
            continue
        if type(value) is dict:
            value = {k: v for k, v in plain_fields(value).items() if type(v) is not dict}
        elif type(value) is list and not all(type(v) is str for v in value):
            continue
        elif type(value) not in (str, list):
            continue
        kept[name] = value
    return kept
