"""`autograder release`: what a student needs, as a folder or a zip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands import refuse


def release(
    lessons: Annotated[
        list[str] | None, typer.Argument(help="Lessons (default: all, or those of term.toml).")
    ] = None,
    to: Annotated[Path, typer.Option(help="A folder to make, or a file that ends in .zip.")] = Path(
        "build/autoregressive-course"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier release.")] = False,
) -> None:
    """Write what a student needs: notebooks, the code that they import, how to install it."""
    from autograder.grading.course import CourseError, open_course
    from autograder.handout import MARK, handout, write_folder, write_zip

    try:
        files = handout(open_course().root, lessons or [])
        write = write_zip if to.suffix.lower() == ".zip" else write_folder
        write(files, to, force=force)
    except (CourseError, ValueError, OSError) as error:
        raise refuse(error) from None
    names = ", ".join(files[MARK].decode().split())
    size = sum(map(len, files.values())) / 2**20
    print(f"release: {to} ({len(files)} files, {size:.1f} MB): {names}")
