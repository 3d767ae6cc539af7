"""A guest that does what it is told, for measuring a sandbox from inside: the doctor and the tests.

`serve` runs Python text that the other side sends, and answers with the value of `answer`, or with
the error. A message is a line of JSON. It belongs in a guest and nowhere else.
"""

from __future__ import annotations

import json
import socket
import traceback
from typing import Any


def serve(connection: socket.socket, nonce: str = "") -> None:
    """Runs every text that comes, in one namespace, until the connection closes."""
    namespace: dict[str, Any] = {"__name__": "__main__", "nonce": nonce}
    with connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            namespace.pop("answer", None)
            try:
                exec(json.loads(line), namespace)
                reply = {"answer": namespace.get("answer")}
            except Exception as error:
                reply = {
                    "error": f"{type(error).__name__}: {error}",
                    "trace": traceback.format_exc()[-4000:],
                }
            stream.write(json.dumps(reply, default=repr) + "\n")
            stream.flush()


class ProbeFailed(Exception):
    """The text raised inside the guest; the message is the guest's."""


def ask(connection: socket.socket, text: str, seconds: float = 120.0) -> Any:
    """Runs `text` in a guest that serves probes; its `answer`.

    Raises ProbeFailed when it raised, EOFError when the guest ended.
    """
    connection.settimeout(seconds)
    received = bytearray()
    try:
        connection.sendall(json.dumps(text).encode() + b"\n")
        while not received.endswith(b"\n"):
            data = connection.recv(65536)
            if not data:
                raise EOFError("the guest ended")
            received += data
    except ConnectionError:  # it ended before it had read the question
        raise EOFError("the guest ended") from None
    reply = json.loads(received)
    if "error" in reply:
        raise ProbeFailed(reply["error"] + "\n" + reply.get("trace", ""))
    return reply["answer"]
