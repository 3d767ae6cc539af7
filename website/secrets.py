"""Looks through a folder of pages for what students must not read: solutions, model answers.

Every file of the folder is read: pages, scripts, the search index, style sheets, whatever lies
there. A line counts as secret if a lesson has it only between its solution marks.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from sphinx.search.en import SearchEnglish

from autograder.lessons import Lesson, without_solutions

LEAST_WORDS, LEAST_LETTERS = 3, 12  # a shorter line may stand in any text
LONGEST = 40  # letters of a word that is none, but an image or the like
TEXTS = {".html", ".js", ".json", ".css", ".txt", ".svg", ".xml", ".md", ".ipynb", ".py", ".map"}
TEXTS |= {".scss", ".po", ".pot", ".buildinfo", ".nojekyll", ".rst", ".template"}
NO_TEXTS = {".png", ".jpg", ".gif", ".ico", ".woff", ".woff2", ".ttf", ".eot", ".mo"}
INDEX = "searchindex.js"

_MARK = re.compile(r"^\s*(\d+\.|[-*])\s")  # of a list, which a page sets itself

Words = tuple[str, ...]


def words_of(text: str) -> Words:
    """The words of a text, without the signs between them, of which Markdown and HTML differ."""
    return tuple(re.findall(r"[^\W_]+", text))


def secret_lines(lessons: Iterable[Lesson], public: Iterable[str] = ()) -> dict[Words, str]:
    """The lines that lessons have only in their solutions, by their words.

    public: other texts that anybody may read. Of a line that a reader finds there nothing is told.
    """
    secret: dict[Words, str] = {}
    shown = [*public]
    for lesson in lessons:
        for cell in lesson.cells:
            rest = without_solutions(cell.source)
            shown.append(rest)
            lines = set(cell.source.split("\n")) - set(rest.split("\n"))
            for line in lines:
                words = words_of(_MARK.sub("", line))
                if len(words) >= LEAST_WORDS and sum(map(len, words)) >= LEAST_LETTERS:
                    secret[words] = f"{lesson.name}: {line.strip()}"
    starts = _by_start(secret)
    for text in shown:
        for words in _told(words_of(text), starts):
            secret.pop(words, None)
    return secret


def _by_start(lines: Iterable[Words]) -> dict[Words, list[Words]]:
    starts: dict[Words, list[Words]] = {}
    for line in lines:
        starts.setdefault(line[:3], []).append(line)
    return starts


def _told(words: Words, starts: dict[Words, list[Words]]) -> Iterator[Words]:
    """The lines, sorted by their first three words, that stand in a text."""
    for place, start in enumerate(zip(words, words[1:], words[2:], strict=False)):
        for line in starts.get(start, ()):
            if words[place : place + len(line)] == line:
                yield line


def leaks(site: Path, lessons: Iterable[Lesson], public: Iterable[str] = ()) -> list[str]:
    """Every secret line that a file of the site holds, and every file that could not be read.

    The search index holds words without their order: of it is asked that it names no word of a
    secret that no page shows.
    """
    secret = secret_lines(lessons, public)
    starts = _by_start(secret)
    found, shown = [], set()
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        text = _text_of(path)
        if text is None:
            found.append(f"{path.relative_to(site)}: what it holds cannot be read")
            continue
        words = words_of(text)
        if path.suffix == ".html":
            shown.update(word.lower() for word in words if len(word) < LONGEST)
        told = sorted({secret[line] for line in _told(words, starts)})
        found += [f"{path.relative_to(site)}: tells a solution's line, {line}" for line in told]
    stem = SearchEnglish({}).stem
    hidden = {stem(word.lower()) for words in secret for word in words}
    hidden -= set(map(stem, shown))
    for path in site.rglob(INDEX):
        indexed = set(_terms(path.read_text("utf-8")))
        found += [f"{INDEX}: knows {word!r}, of a solution" for word in sorted(hidden & indexed)]
    return found


def _text_of(path: Path) -> str | None:
    """A file's text, and of a page also what its reader sees; None for an unknown kind."""
    if path.suffix == ".inv":  # Sphinx's list of a site's places
        return zlib.decompress(path.read_bytes().split(b"zlib.\n", 1)[1]).decode("utf-8")
    if path.suffix in NO_TEXTS:
        return ""
    if path.suffix not in TEXTS and path.name not in TEXTS:
        return None
    text = path.read_text("utf-8")
    if path.suffix != ".html":
        return text.replace("\\n", "\n")
    # Colored code has a tag about every word; scripts hold texts as JSON.
    return "\n".join((text, unescape(re.sub(r"<[^>]*>", "", text)))).replace("\\n", "\n")


def _terms(index: str) -> Iterator[str]:
    """The words of Sphinx's search index, cut to their stems as it cuts them."""
    told = json.loads(index[index.index("{") : index.rindex("}") + 1])
    for part in ("terms", "titleterms", "alltitles", "indexentries"):
        for text in told.get(part, {}):
            yield from (word.lower() for word in words_of(text))
