"""What one submission may use: time, memory, processes, files and output, in one place.

The defaults suit torch on a laptop: a cell that trains for half a minute, a model of a few hundred
megabytes, plots and progress bars. Every name is an option of nbgrader_config.py and of the command
line.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MIB = 2**20
GIB = 2**30
_UNITS = {"": 1, "K": 2**10, "M": MIB, "G": GIB}


@dataclass(frozen=True)
class Limits:
    """The limits of one guest.

    seconds_per_cell        a cell, or one question of a check; the judge enforces it
    seconds_per_submission  all of a guest's life, also enforced by its supervisor
    memory_bytes            memory that a process may ask for, beyond what the interpreter and its
                            libraries hold when student code starts; shared mappings get 1 GiB more
    disk_bytes, files       the private folder (in memory where namespaces are allowed);
                            bubblewrap does not count files
    file_bytes              one file
    processes               1: threads only, nothing can be forked. More than 1 needs a process
                            namespace, and memory_bytes then holds for each process
    threads                 threads of all processes together
    torch_threads           threads that torch starts with; student code may ask for more
    open_files              file descriptors of a process
    output_bytes            what one cell may print and show; the guest cuts there
    reply_bytes, reply_depth  what the judge accepts as one answer
    """

    seconds_per_cell: float = 60.0
    seconds_per_submission: float = 600.0
    memory_bytes: int = 4 * GIB
    disk_bytes: int = 256 * MIB
    files: int = 4096
    file_bytes: int = 128 * MIB
    processes: int = 1
    threads: int = 64
    torch_threads: int = 1
    open_files: int = 256
    output_bytes: int = MIB
    reply_bytes: int = 64 * MIB
    reply_depth: int = 40

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            kinds = (int, float) if field.name.startswith("seconds") else (int,)
            if isinstance(value, bool) or not isinstance(value, kinds):
                raise ValueError(f"limit {field.name} must be a number: got {value!r}")
            if not 0 < value < float("inf"):
                raise ValueError(f"limit {field.name} must be positive and finite: got {value!r}")
        if self.open_files < 16:
            raise ValueError(f"limit open_files must be at least 16: got {self.open_files}")
        if self.memory_bytes < 64 * MIB:
            raise ValueError(f"limit memory_bytes must be at least 64M: got {self.memory_bytes}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Limits:
        """Limits from option names and values; sizes may be written "4G" or "512 MiB".

        Raises ValueError, in one sentence, for a name that is no limit and for a bad value.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for name, value in mapping.items():
            if name not in known:
                raise ValueError(f"{name!r} is no limit: the limits are {', '.join(known)}")
            if value is None:
                continue
            if isinstance(value, str):
                value = _number(name, value)
            values[name] = value
        return cls(**values)

    def as_dict(self) -> dict[str, int | float]:
        """The limits as plain data; `from_mapping` reads it back."""
        return dataclasses.asdict(self)


def _number(name: str, text: str) -> int | float:
    """A number from text: seconds as "90" or "1.5", sizes with a unit."""
    if name.startswith("seconds"):
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"limit {name} must be a number of seconds: got {text!r}") from None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?)(?:i?B)?\s*", text, re.IGNORECASE)
    sized = name.endswith("_bytes")
    if match is None or (match[2] and not sized):
        wanted = "a size such as 512M or 4G" if sized else "a whole number"
        raise ValueError(f"limit {name} must be {wanted}: got {text!r}")
    value = float(match[1]) * _UNITS[match[2].upper()]
    if value != int(value):
        raise ValueError(f"limit {name} must be a whole number: got {text!r}")
    return int(value)
