"""The sandbox: for each submission a process that reaches nothing but its folder and a socket.

`open_sandbox()` gives a spawner; `spawner.spawn(limits)` gives a `GuestProcess`;
`autograder.sandbox.doctor.doctor()` says what this machine can do.
"""

from autograder.sandbox.choose import NoSandbox, open_sandbox
from autograder.sandbox.guest_process import Ending, GuestProcess, SandboxError
from autograder.sandbox.limits import Limits

__all__ = [
    "Ending",
    "GuestProcess",
    "Limits",
    "NoSandbox",
    "SandboxError",
    "open_sandbox",
]
