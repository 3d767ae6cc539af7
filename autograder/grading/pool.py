"""Runs jobs in worker processes, and survives what a job does to its worker.

The local pool forks its workers from a server that has imported torch once, and they share one warm
parent of the sandbox. A worker that dies or hangs costs nobody but the submission that it was at,
and that one gets a second chance alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver
from types import ModuleType
from typing import Any

from autograder.checking import module_of
from autograder.grading.errors import CourseError

SLACK = 120.0  # seconds past a submission's own time, after which a worker counts as stuck
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Failed:
    """A job that gave no result: `crashed` if its process died, else our own failure."""

    job: Any
    reason: str
    crashed: bool


class Workers:
    """Worker processes on this machine that run `function` on jobs; ended when a job goes wrong."""

    def __init__(self, workers: int, function: Callable[[Any], Any]) -> None:
        self.workers, self.function = workers, function
        self._executor: ProcessPoolExecutor | None = None
        self._method = "forkserver" if sys.platform.startswith("linux") else "spawn"
        self._context = multiprocessing.get_context(self._method)

    def _new(self, workers: int) -> ProcessPoolExecutor:
        """Fresh processes."""
        raise NotImplementedError

    def submit(self, job: Any) -> Future[Any]:
        """Gives the job to a worker."""
        if self._executor is None:
            self._executor = self._new(self.workers)
        with _one_thread(), _without_main():  # workers start when the first jobs arrive
            return self._executor.submit(self.function, job)

    def kill(self) -> None:
        """Ends all workers at once; their jobs fail with BrokenProcessPool."""
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in list((executor._processes or {}).values()):
                process.kill()
            executor.shutdown(wait=True, cancel_futures=True)

    def alone(self, job: Any, seconds: float) -> Any:
        """The job's result from a worker of its own; raises what went wrong."""
        self.kill()
        workers, self.workers = self.workers, 1
        try:
            return self.submit(job).result(timeout=seconds)
        finally:
            self.kill()
            self.workers = workers

    def close(self) -> None:
        """Ends the workers."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
            self._executor = None


class LocalPool(Workers):
    """Worker processes that grade, with their sandbox."""

    def __init__(self, lesson: str, workers: int, sandbox: str, trust: bool) -> None:
        super().__init__(workers, _grade)
        self.lesson, self.sandbox, self.trust = lesson, sandbox, trust
        self._guests: Any = None
        self._failure: BaseException | None = None
        # The sandbox takes longest to warm up, so it begins first.
        self._opening = threading.Thread(target=self._open, daemon=True)
        self._opening.start()

    def start_server(self) -> None:
        """Starts the process that workers are forked from, which imports torch; once is enough.

        Later than the sandbox: on two cores the sandbox needs one of them all the time, and what
        the caller imports itself goes before this on the other.
        """
        if self._method == "forkserver":
            multiprocessing.set_forkserver_preload(
                ["torch", "autograder.grading.worker", module_of(self.lesson)]
            )
            with _one_thread():
                forkserver.ensure_running()

    def _open(self) -> None:
        from autograder.grading.guests import open_guests

        try:
            self._guests = open_guests(self.sandbox, trust_submissions=self.trust)
        except BaseException as error:
            self._failure = error

    def _new(self, workers: int) -> ProcessPoolExecutor:
        from autograder.grading.worker import start_worker

        self.start_server()
        self._opening.join()
        if self._guests is not None and not self._guests.alive:
            self._guests.close()
            self._open()
        if self._failure is not None:
            raise self._failure
        control = getattr(self._guests, "control", None)
        arguments = (self.lesson, self.sandbox, self.trust, control, self._guests.kind)
        return ProcessPoolExecutor(
            workers, self._context, initializer=start_worker, initargs=arguments
        )

    def submit(self, job: Any) -> Future[Any]:
        """Gives the job to a worker; CourseError if none can start."""
        try:
            return super().submit(job)
        except EOFError:  # the server that workers are forked from ended while it imported
            raise CourseError(
                f"no worker can start: importing {module_of(self.lesson)} fails, as said above"
            ) from None

    def close(self) -> None:
        """Ends the workers and the sandbox."""
        super().close()
        self._opening.join()
        if self._guests is not None:
            self._guests.close()


def _grade(job: Any) -> Any:
    from autograder.grading.worker import grade

    return grade(job)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Processes started within do not run the caller's script again, which may grade a class."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def run_local(
    pool: Workers, jobs: Iterable[Any], seconds: float, slack: float = SLACK
) -> Iterator[Any]:
    """The results of the jobs as they come, and a `Failed` for each that gave none twice.

    `seconds` is what one job may take; past that and `slack` its worker counts as stuck. Only a
    CourseError, which is the whole class's, ends the run: a worker raises it for a wrong lesson or
    configuration, and for nothing that a submission holds.
    """
    waiting, suspects = deque(jobs), []
    running: dict[Future[Any], Any] = {}
    while waiting or running:
        while waiting and len(running) < pool.workers + 1:
            job = waiting.popleft()
            try:
                running[pool.submit(job)] = job
            except BrokenProcessPool:
                waiting.appendleft(job)
                break
        done, _ = wait(running, timeout=2 * seconds + slack, return_when=FIRST_COMPLETED)
        broken = not done
        for future in done:
            job = running.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                suspects.append(job)
                broken = True
            except CourseError:
                raise
            except Exception:
                suspects.append(job)
        if broken:
            pool.kill()
            suspects += running.values()
            running.clear()
    for job in suspects:
        try:
            yield pool.alone(job, seconds + slack)
        except CourseError:
            raise
        except (BrokenProcessPool, TimeoutError):
            yield Failed(job, "the grader's own process ended over it, twice", crashed=True)
        except Exception as error:
            yield Failed(job, f"{type(error).__name__}: {error}", crashed=False)


def run_on(executor: Executor, jobs: Iterable[Any], at_once: int = 64) -> Iterator[Any]:
    """The same on any executor, `at_once` jobs in flight; each that fails is tried once more."""
    from autograder.grading.cluster import grade_here

    waiting = iter(jobs)
    running: dict[Future[Any], tuple[Any, bool]] = {}
    while True:
        while len(running) < at_once and (job := next(waiting, None)) is not None:
            running[executor.submit(grade_here, job)] = (job, True)
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            job, again = running.pop(future)
            try:
                yield future.result()
            except CourseError:
                raise
            except Exception as error:
                if again:
                    running[executor.submit(grade_here, job)] = (job, False)
                else:
                    yield Failed(job, f"{type(error).__name__}: {error}", crashed=False)
