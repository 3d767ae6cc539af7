"""The judge's end of the protocol: sends requests to a guest, and trusts nothing that comes back.

Every request carries a fresh nonce and a deadline. A guest that dies, lies about the form of a
message, or keeps the judge waiting is gone for good (`GuestGone`); the judge decides what that
costs.
"""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.plain import plain_fields
from autograder.remote import protocol
from autograder.remote.protocol import Failure, Request, generators_in
from autograder.remote.proxy import StudentFailed

MAX_OUTPUTS = 1_000  # of one cell
GRACE = 3.0  # seconds that a guest has, past its own alarm, before it counts as resisting


class GuestGone(StudentFailed):
    """The guest is dead, or counts as dead; the message says why in one sentence."""


class GuestChannel:
    """Requests to one guest over a connected socket; `Channel` of `autograder.remote.proxy`.

    `seconds` bounds each request, `deadline` (time.monotonic) all of them; `why_dead` may tell how
    the process ended.
    """

    def __init__(
        self,
        connection: socket.socket,
        *,
        seconds: float = 30.0,
        deadline: float | None = None,
        max_reply: int = 64 * 2**20,
        why_dead: Callable[[], str] | None = None,
    ) -> None:
        self.connection = connection
        self.seconds = seconds
        self.deadline = deadline
        self.max_reply = max_reply
        self.why_dead = why_dead
        self.gone: GuestGone | None = None

    def run(self, text: str, seconds: float | None = None) -> dict[str, Any]:
        """Runs the text of a cell: {"status": "ok" | "error" | "timeout", "outputs": […]}.

        Of what the guest calls its outputs, texts by name are kept; see
        `autograder.grading.outputs` for what may be shown of them.
        """
        answer = self._exchange(("run", text), seconds)
        if isinstance(answer, Failure):
            return {"status": "error", "outputs": [], "reason": answer.message}
        if not (
            isinstance(answer, dict)
            and type(answer.get("status")) is str
            and answer["status"] in ("ok", "error", "timeout")
            and isinstance(answer.get("outputs"), list)
        ):
            raise self._give_up("the process of this notebook answered with nonsense")
        outputs = [plain_fields(o) for o in answer["outputs"][:MAX_OUTPUTS] if type(o) is dict]
        return {"status": answer["status"], "outputs": outputs}

    def ask(self, request: Request) -> Any:
        """Plain data with Refs, or a Failure."""
        return self._exchange(request, None)

    def _exchange(self, request: Request, seconds: float | None) -> Any:
        if self.gone is not None:
            raise self.gone
        seconds = self.seconds if seconds is None else seconds
        now = time.monotonic()
        until = now + seconds + GRACE
        if self.deadline is not None:
            if now >= self.deadline:
                raise self._give_up("the notebook as a whole has used up its time")
            until = min(until, self.deadline + GRACE)
            seconds = max(0.05, min(seconds, self.deadline - now))
        nonce = secrets.token_hex(16)
        generators = generators_in(request)
        try:
            protocol.send(
                self.connection,
                protocol.pack(request, nonce=nonce, seconds=seconds),
                deadline=until,
            )
            answer, fields = protocol.receive(self.connection, until, self.max_reply)
        except TimeoutError:
            raise self._give_up(
                f"it took longer than {seconds:g} s and could not be stopped"
            ) from None
        except (EOFError, OSError):
            reason = self.why_dead() if self.why_dead else ""
            raise self._give_up(
                "it ended the process that it runs in" + (f" ({reason})" if reason else "")
            ) from None
        except protocol.ProtocolError as error:
            raise self._give_up(f"its answer breaks the rules: {error}") from None
        if fields.get("nonce") != nonce or type(answer) is not list or len(answer) != 2:
            raise self._give_up("its answer does not belong to the question") from None
        value, states = answer
        _restore(generators, states)
        if isinstance(value, Failure) and value.out_of_time:
            sentence = f"the call took longer than {seconds:g} s"
            return Failure("Timeout", sentence, value.line, out_of_time=True)
        return value

    def _give_up(self, sentence: str) -> GuestGone:
        self.gone = GuestGone(sentence)
        return self.gone


def _restore(generators: list[Any], states: Any) -> None:
    """Advances the judge's generators to where the guest says that it left them."""
    if type(states) is not list or len(states) != len(generators):
        return
    for mine, theirs in zip(generators, states, strict=True):
        if type(mine) is not type(theirs):
            continue
        if isinstance(mine, np.random.Generator):
            if (
                mine.bit_generator.state["bit_generator"]
                == theirs.bit_generator.state["bit_generator"]
            ):
                mine.bit_generator.state = theirs.bit_generator.state
        else:
            mine.set_state(theirs.get_state())
