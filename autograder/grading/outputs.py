"""Makes the outputs of a guest harmless: text as text, pictures as checked PNG, and nothing else.

What a guest calls its outputs is data of an untrusted process. HTML, JavaScript, SVG, LaTeX, widget
views and metadata are left out, sizes and counts capped, so that nbgrader's feedback and formgrader
can show what is left.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from typing import Any

from autograder.plain import clean_text

MAX_OUTPUTS = 50  # of one cell
MAX_TEXT = 50_000  # characters of one cell
MAX_LINES = 1_000
MAX_PICTURE = 2 * 2**20  # bytes of one PNG
MAX_SIDE = 8_000  # pixels


@dataclass
class Allowance:
    """What the outputs of one notebook may hold altogether."""

    text: int = 1_000_000
    pictures: int = 10 * 2**20


def sanitize(outputs: Any, allowance: Allowance | None = None) -> list[dict[str, Any]]:
    """Valid nbformat outputs from whatever a guest said; never raises.

    stderr becomes stdout, since nbgrader takes any stderr for a failed cell and a warning is none.
    """
    allowance = allowance or Allowance()
    left = min(MAX_TEXT, allowance.text)
    kept: list[dict[str, Any]] = []
    if not isinstance(outputs, list):
        return kept
    for output in outputs[:MAX_OUTPUTS]:
        one = _output(output, left, allowance) if isinstance(output, dict) else None
        if one is None:
            continue
        size = len(_text_of(one))
        left -= size
        allowance.text -= size
        last = kept[-1] if kept else {}
        if one["output_type"] == "stream" == last.get("output_type"):
            last["text"] += one["text"]
        else:
            kept.append(one)
    if len(outputs) > MAX_OUTPUTS or left <= 0:
        kept.append(note("(The rest of this cell's output is left out.)"))
    return kept


def note(text: str) -> dict[str, Any]:
    """An output of ours: a line of text."""
    return {"output_type": "stream", "name": "stdout", "text": text.rstrip("\n") + "\n"}


def failure(name: str, text: str) -> dict[str, Any]:
    """An output of ours: an error, which nbgrader takes for a failed cell."""
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}


def _text_of(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return str(output["evalue"]) + "".join(output["traceback"])
    return str(output["data"].get("text/plain", ""))


def _output(output: dict[str, Any], left: int, allowance: Allowance) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        text = plain_text(output.get("text"), left)
        return {"output_type": "stream", "name": "stdout", "text": text} if text else None
    if kind == "error":
        trace = output.get("traceback")
        trace = trace[:50] if isinstance(trace, list) else []
        lines = [plain_text(line, left // 2) for line in trace]
        return {
            "output_type": "error",
            "ename": plain_text(output.get("ename"), 200) or "Error",
            "evalue": plain_text(output.get("evalue"), 2_000),
            "traceback": ["\n".join(lines)[: max(left, 0)]] if lines else [],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    data = output.get("data")
    if not isinstance(data, dict):
        return None
    kept = {}
    text = plain_text(data.get("text/plain"), left)
    if text:
        kept["text/plain"] = text
    picture = png(data.get("image/png"), min(MAX_PICTURE, allowance.pictures))
    if picture:
        kept["image/png"] = picture
        allowance.pictures -= len(picture)
    if not kept:
        return None
    whole = {"output_type": kind, "data": kept, "metadata": {}}
    return whole | ({"execution_count": None} if kind == "execute_result" else {})


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


# Terminal sequences: CSI (colors, cursor), OSC (titles, links), and two-character escapes.
_ANSI = re.compile(
    r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?|[@-_])|\x9b"
)


def plain_text(value: Any, limit: int) -> str:
    """`value` as text without terminal sequences and control characters; "" if it is no text.

    A progress bar that rewrote its line many times is left with the last of them.
    """
    if _is_list(value):
        value = "".join(value[:MAX_LINES])
    if not isinstance(value, str) or limit <= 0:
        return ""
    value = _ANSI.sub("", value[: 4 * limit + 10_000]).replace("\r\n", "\n")
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in value.split("\n")]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"(… {len(lines) - MAX_LINES:,} more lines)", ""]
    return clean_text("\n".join(lines))[:limit]


def png(value: Any, limit: int) -> str:
    """`value` as base64 of a PNG, encoded afresh; "" if it is none, too large or out of measure."""
    if not isinstance(value, str) or len(value) > limit * 4 // 3 + 100:
        return ""
    try:
        raw = base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return ""
    if not raw.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") or len(raw) < 33:
        return ""
    width, height = struct.unpack("!II", raw[16:24])
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE) or width * height > 2**24:
        return ""
    return base64.b64encode(raw).decode("ascii")
