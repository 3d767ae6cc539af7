"""Makes the key of a student: the name of a folder, of a record and in the gradebook.

A key can be read, is a safe file name everywhere (no reserved names, marks of direction, emoji,
leading dots; at most 100 bytes) and tells numbers apart: two numbers never share a key.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_NAME = 40  # bytes of the name in a key
MAX_NUMBER = 50
_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}
_AS_IT_IS = re.compile(r"[A-Za-z0-9_@+-][A-Za-z0-9_@.+-]*")


def folded(text: str) -> str:
    """`text` as it is compared: compatibility forms and letter case do not tell people apart."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def numbered_key(name: str, number: str) -> str:
    """The key of a person whom an LMS numbers: `doe_jane-12345`.

    What stands before the first hyphen is the name, what follows is the number.
    """
    stem = (_plain(name, MAX_NAME).replace("-", "_")) or "student"
    return f"{stem}-{_unmistakable(number, MAX_NUMBER)}"


def named_key(name: str) -> str:
    """The key of a person known by a name only; "" if nothing of the name can be written."""
    key = _plain(name, 60)
    if key and len(_slug(name).encode()) > 60:
        key += f"_{_digest(folded(name))}"
    return _not_reserved(key)


def login_key(login: str) -> str:
    """The key of a person known by a login: the login itself where it is a safe file name."""
    return _not_reserved(_unmistakable(login, 80))


def _unmistakable(text: str, most: int) -> str:
    """`text` if it is safe, else what is safe of it and a digest of it all."""
    text = unicodedata.normalize("NFC", text)
    if _AS_IT_IS.fullmatch(text) and len(text) <= most and not text.endswith("."):
        return text
    return "_".join(part for part in (_plain(text, most - 13), _digest(text)) if part)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _not_reserved(key: str) -> str:
    return f"student_{key}" if key.split(".")[0].lower() in _RESERVED else key


# Apostrophes of names, and letters and marks that nobody sees (fillers, variation selectors).
_UNSEEN = re.compile("['’`\u034f\u115f\u1160\u3164\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def _slug(text: str) -> str:
    """Letters, marks and digits of any alphabet, in one case; a low line for everything else."""
    text = _UNSEEN.sub("", folded(text))
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else "_" for c in text)
    kept = re.sub("_+", "_", kept).strip("_")
    while kept and unicodedata.category(kept[0])[0] == "M":  # a mark needs a letter before it
        kept = kept[1:].lstrip("_")
    return kept


def _plain(text: str, most: int) -> str:
    short = _slug(text).encode("utf-8", "ignore")[:most].decode("utf-8", "ignore")
    return unicodedata.normalize("NFC", short).strip("_")
