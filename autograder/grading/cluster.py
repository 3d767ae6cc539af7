"""Grades on a Dask cluster, where a class outgrows one machine.

A job carries the submission's bytes and the lesson's notebook, so a worker needs this package and
a sandbox, and neither the class's folder nor its gradebook. Marks are written by the one process
that asked. The cluster is the instructor's own: Dask's messages are trusted as its machines are.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

from autograder.grading.course import CourseError

SECONDS_TO_CONNECT = 20
RETRIES = 2  # of a job whose worker died: it goes to another one
_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def executor_of(scheduler: str | None) -> Iterator[Executor | None]:
    """An executor on the cluster at `scheduler` ("tcp://host:8786"); None for no scheduler.

    Raises CourseError, in one sentence, if nobody answers there, it has no worker, or a worker has
    other code than this machine.
    """
    if scheduler is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise CourseError(
            "--scheduler needs Dask: pip install 'autoregressive-course[grade,cluster]'"
        ) from None
    try:
        client = Client(scheduler, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        first = str(error).split("\n")[0]
        raise CourseError(f"no Dask scheduler answers at {scheduler}: {first}") from None
    try:
        try:
            code = client.run(code_of_this_machine)
        except ImportError as error:
            raise CourseError(f"a worker of {scheduler} lacks a package: {error}") from None
        if not code:
            raise CourseError(f"the scheduler at {scheduler} has no worker: start `dask worker`")
        mine = code_of_this_machine()
        for worker, theirs in sorted(code.items()):
            if theirs != mine:
                raise CourseError(
                    f"the worker {worker} has other code than this machine, and would judge by it:"
                    " install the same version of autoregressive-course on both"
                )
        yield client.get_executor(pure=False, retries=RETRIES)
    finally:
        client.close()


def code_of_this_machine() -> str:
    """A hash of everything of this package that judges, whatever the lesson."""
    from autograder import closure

    digest = hashlib.sha256()
    for package in ("autograder", "course"):
        for path in sorted((closure.ROOT / package).rglob("*.py")):
            digest.update(path.relative_to(closure.ROOT).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def grade_here(job: Any) -> Any:
    """Grades one job in a worker of the cluster, one after the other in each process.

    A process's streams and generators are set aside while it judges, so that two threads must not.
    """
    import torch

    from autograder.grading.worker import grade

    with _one_at_a_time:
        torch.set_num_threads(1)
        return grade(job)
