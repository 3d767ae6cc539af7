"""For the grader's readers: files that are no notebooks, links, pipes, and zip files that bite."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable

from tests.banks.attacks.attack import (
    FILES,
    Archive,
    Attack,
    Folder,
    Link,
    Notebook,
    Pipe,
    code,
    markdown,
    with_cells,
)


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Notebook], bytes]:
    return lambda notebook: change(json.dumps(notebook).encode())


def _constant(raw: bytes) -> Callable[[Notebook], bytes]:
    return lambda notebook: raw


def _linked(target: str) -> Callable[[Notebook], Folder]:
    return lambda notebook: Folder({"lesson.ipynb": Link(target)})


def _many_cells(notebook: Notebook) -> bytes:
    notebook["cells"] += [code(f"x = {k}") for k in range(20_000)]
    return json.dumps(notebook).encode()


def _odd_cells(notebook: Notebook) -> Notebook:
    notebook["cells"] += [
        None, 7, [], {"cell_type": "code"}, {"cell_type": ["code"], "source": {}},
        {"cell_type": "code", "source": [1, 2], "metadata": []},
        {"cell_type": "markdown", "source": "x", "metadata": {"nbgrader": [1]}, "id": {}},
        {"cell_type": "code", "source": ["a\n", None], "metadata": {"nbgrader": {"grade_id": {}}}},
    ]  # fmt: skip
    return notebook


def _surrogates(notebook: Notebook) -> Notebook:
    notebook["cells"].insert(2, code("x = '\ud800\x00\x1b]8;;http://attacker.invalid/\x07'"))
    notebook["cells"].insert(2, markdown("\ud83d \x00 \u202e evil \u2066"))
    return notebook


def _doubled_keys(notebook: Notebook) -> bytes:
    raw = json.dumps(notebook)
    return ('{"cells": [], "nbformat": 4, ' + raw[1:-1] + ', "nbformat": 4, "cells": 5}').encode()


def _timestamp(notebook: Notebook) -> Folder:
    return Folder({"lesson.ipynb": notebook, "timestamp.txt": b"1970-01-01 00:00:00 UTC"})


def _links_beside(notebook: Notebook) -> Folder:
    return Folder(
        {
            "lesson.ipynb": notebook,
            "book.db": Link("@CLASS@/gradebook.db"),
            "home": Link("@HOME@"),
            "vera.ipynb": Link("@CLASS@/submitted/vera/05_made/lesson.ipynb"),
            "deep": Folder({"lesson.ipynb": notebook, "up": Link("..")}),
        }
    )


def _zip(fill: Callable[[zipfile.ZipFile, bytes], object]) -> Callable[[Notebook], Archive]:
    def build(notebook: Notebook) -> Archive:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            fill(archive, json.dumps(notebook).encode())
        return Archive(file.getvalue())

    return build


def _traversal(archive: zipfile.ZipFile, raw: bytes) -> None:
    for name in (
        "../../attackleft.ipynb", "/tmp/attackleft.ipynb", "..\\..\\attackleft.ipynb",
        "a/../../../attackleft.ipynb", "C:\\attackleft.ipynb",
        "../lesson.ipynb", "..ipynb", ".ipynb",
    ):  # fmt: skip
        archive.writestr(name, raw)


def _link_in_zip(archive: zipfile.ZipFile, raw: bytes) -> None:
    entry = zipfile.ZipInfo("zoe/lesson.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def _bomb(archive: zipfile.ZipFile, raw: bytes) -> None:
    archive.writestr("bo/lesson.ipynb", bytes(300 * 2**20))


def _lying_bomb(notebook: Notebook) -> Archive:
    """An entry that says it is small, in both of its headers."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("liz/lesson.ipynb", bytes(60 * 2**20))
    size = (60 * 2**20).to_bytes(4, "little")
    return Archive(file.getvalue().replace(size, (1000).to_bytes(4, "little")))


def _instead_of_vera(archive: zipfile.ZipFile, raw: bytes) -> None:
    """Names that could be taken for a classmate's after they have been cleaned."""
    for name in ("./vera/../ve\x1bra/x.ipynb", "ver\u0430/x.ipynb", "\nvera\n/../x.ipynb"):
        archive.writestr(name, b"{}")


def _prose(text: str) -> Callable[[Notebook], Notebook]:
    return with_cells(*(markdown(text + " " * k) for k in range(4)))


_NESTED = "".join("  " * k + "- a\n" for k in range(300))

ATTACKS = (
    Attack("truncated", FILES, _bytes(lambda raw: raw[: len(raw) // 2])),
    Attack("empty", FILES, _constant(b"")),
    Attack("zeros", FILES, _constant(bytes(10**6))),
    Attack("huge", FILES, _constant(b" " * (25 * 2**20))),
    Attack("not UTF-8", FILES, _bytes(lambda raw: raw.replace(b"MADE", b"\xff\xfe\x80"))),
    Attack("UTF-16", FILES, _bytes(lambda raw: raw.decode().encode("utf-16"))),
    Attack("deeply nested", FILES, _constant(b'{"nbformat": 4, "cells": ' + b"[" * 400_000)),
    Attack("many brackets", FILES, _constant(b'{"nbformat": 4, "cells": [' + b"[]," * 10**6)),
    Attack("NaN and endless numbers", FILES, _constant(
        b'{"nbformat": 4, "nbformat_minor": NaN, "x": 1' + b"0" * 10**6 + b', "cells": []}'
    )),
    Attack("a list", FILES, _constant(b"[1, 2]")),
    Attack("format 3", FILES, _constant(b'{"nbformat": 3, "worksheets": [{"cells": []}]}')),
    Attack("format true", FILES, _constant(b'{"nbformat": true, "cells": []}')),
    Attack("cells that are none", FILES, _constant(b'{"nbformat": 4, "cells": {"a": 1}}')),
    Attack("another notebook", FILES, lambda n: {**n, "cells": [code("6.0")]}),
    Attack("20,000 cells", FILES, _many_cells),
    Attack("odd cells", FILES, _odd_cells),
    Attack("halves of characters", FILES, _surrogates),
    Attack("doubled keys", FILES, _doubled_keys),
    Attack("one endless line of code", FILES, with_cells(code("# " + "a." * 200_000))),
    Attack("a million backticks", FILES, _prose("`" * 110_000)),
    Attack("endless environments of TeX", FILES, _prose("\\begin{a}" * 12_000)),
    Attack("endless display math", FILES, _prose("\\\\[" * 36_000)),
    Attack("endless nesting of lists", FILES, _prose(_NESTED)),
    Attack("a link to a classmate's notebook", FILES,
           _linked("@CLASS@/submitted/vera/05_made/lesson.ipynb")),
    Attack("a link to the gradebook", FILES, _linked("@CLASS@/gradebook.db")),
    Attack("a link to itself", FILES, _linked("lesson.ipynb")),
    Attack("a link to a device", FILES, _linked("/dev/zero"), harmless_to_nbgrader=False),
    Attack("the folder is a link", FILES,
           lambda n: Link("@CLASS@/submitted/vera/05_made"), harmless_to_nbgrader=False),
    Attack("a pipe", FILES, lambda n: Folder({"lesson.ipynb": Pipe()}), harmless_to_nbgrader=False),
    Attack("a folder called lesson.ipynb", FILES,
           lambda n: Folder({"lesson.ipynb": Folder({"x": b""})})),
    Attack("links beside the notebook", FILES, _links_beside),
    Attack("a forged time stamp", FILES, _timestamp),
    Attack("zip: paths that lead out", FILES, _zip(_traversal), harmless_to_nbgrader=False),
    Attack("zip: a link", FILES, _zip(_link_in_zip), harmless_to_nbgrader=False),
    Attack("zip: a bomb", FILES, _zip(_bomb), harmless_to_nbgrader=False),
    Attack("zip: a bomb that says it is small", FILES, _lying_bomb, harmless_to_nbgrader=False),
    Attack("zip: a classmate's name", FILES, _zip(_instead_of_vera), harmless_to_nbgrader=False),
)  # fmt: skip
