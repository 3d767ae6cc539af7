"""`autograder`, or `python -m autograder`: the command line, or one sentence where it cannot run.

This module imports nothing that a plain install, or a Python without Unix's modules, lacks.
"""

from __future__ import annotations

import sys

INSTALL = "pip install 'autoregressive-course[grade]'"


def main() -> None:
    """Runs the command line. What is missing here is told in one sentence, with exit code 2."""
    try:
        from autograder.cli import app

        app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "autograder", "course", "figures"):
            raise  # of ours: a fault, not a matter of what is installed
        print(f"autograder: {_advice(missing)}", file=sys.stderr)
        raise SystemExit(2) from None


def _advice(missing: str) -> str:
    if missing in sys.stdlib_module_names:
        return (
            f"this command needs Linux, and Python here has no module {missing}: use WSL2 or a "
            "container (docs/deployment.md); notebooks and their checks run without it"
        )
    return f"this command needs {missing}, which is not installed: {INSTALL}"


if __name__ == "__main__":
    main()
