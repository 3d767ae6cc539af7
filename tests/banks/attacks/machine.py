"""For the machine: exits, signals, endless loops, memory, forks, threads, disk, floods, sockets."""

from __future__ import annotations

from tests.banks.attacks.attack import MACHINE, Attack, answering, with_code

_EXIT = """
def @NAME@(*args, **kwargs):
    import os, sys
    if len(args) % 2:
        sys.exit(0)
    raise KeyboardInterrupt
"""

_HARD_EXIT = """
def @NAME@(*args, **kwargs):
    import os
    os._exit(0)
"""

_ABORT = "import os\nos.abort()"

_CRASH = "import ctypes\nctypes.string_at(0)"

_SIGNALS = """
import os, signal
for target in (0, -1, os.getppid(), 1, *range(2, 400)):
    if target == os.getpid(): continue
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
        try: os.kill(target, number)
        except OSError: pass
"""

_STOP = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"

_LOOP = "while True:\n    pass"

_DEAF_LOOP = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    try:
        while True: pass
    except BaseException:
        pass
"""

_DEEP_IN_C = "import re\nre.match(r'(a+)+$', 'a' * 60 + 'b')"

_SLOW_ANSWERS = """
import time
def @NAME@(*args, **kwargs):
    time.sleep(1.5)
    return []
"""

_NEVER_ANSWERS = """
import signal, time
def @NAME@(*args, **kwargs):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(10_000)
"""

_MEMORY = """
hoard = []
while True:
    hoard.append(bytearray(64 * 2**20))
"""

_TENSORS = "import torch\nx = torch.zeros(2**33)\ny = torch.ones(2**30, 2**10)"

_FORKS = """
import ctypes, os, time
for _ in range(64):
    try:
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, b"attackleft", 0, 0, 0)
            time.sleep(300)
            os._exit(0)
    except OSError:
        break
"""

_DAEMON = """
import os, subprocess, sys, time
for command in (["/bin/sh", "-c", "exec -a attackleft sleep 300 &"],
                [sys.executable, "-c", "import time; time.sleep(300)", "attackleft"],
                ["nohup", "sleep", "300"], ["setsid", "sleep", "300"]):
    try:
        subprocess.Popen(command, start_new_session=True)
    except OSError as error:
        print(error)
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import ctypes
            ctypes.CDLL(None).prctl(15, b"attackleft", 0, 0, 0)
            time.sleep(300)
        os._exit(0)
except OSError as error:
    print(error)
"""

_POOLS = """
import multiprocessing, concurrent.futures
try:
    with concurrent.futures.ProcessPoolExecutor(32) as pool:
        print(list(pool.map(abs, range(64))))
except BaseException as error:
    print(type(error))
"""

_THREADS = """
import threading, time
for _ in range(400):
    try:
        threading.Thread(target=time.sleep, args=(300,)).start()
    except RuntimeError:
        break
"""

_SPINNING = """
import sys, threading
sys.setswitchinterval(1000)
def spin():
    while True: pass
for _ in range(4):
    threading.Thread(target=spin).start()
"""

_DISK = """
import os
for k in range(200):
    try:
        with open(f"/tmp/attackleft-{k}", "wb") as file:
            file.write(bytes(32 * 2**20))
    except OSError as error:
        print(error)
        break
"""

_MANY_FILES = """
import os
try:
    for k in range(100_000):
        os.makedirs(f"deep/{k % 100}", exist_ok=True)
        open(f"deep/{k % 100}/attackleft-{k}", "w").close()
except OSError as error:
    print(error)
"""

_FLOOD = """
import sys
for _ in range(200):
    print("flood " * 50_000)
    sys.stderr.write("flood\\n" * 20_000)
"""

_DISPLAYS = """
from IPython.display import display
for k in range(20_000):
    display(k)
"""

_FLOOD_LATER = """
import threading
def flood():
    while True:
        print("flood" * 1000)
threading.Thread(target=flood, daemon=True).start()
"""

_SOCKETS = """
import socket, urllib.request
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 8888)),
    (socket.AF_INET, socket.SOCK_DGRAM, ("10.255.255.1", 53)),
    (socket.AF_UNIX, socket.SOCK_STREAM, "/var/run/docker.sock"),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", 22)),
):
    try:
        here = socket.socket(family, kind)
        here.settimeout(1)
        here.connect(address)
        print("attack connected", address)
    except OSError as error:
        print(error)
try:
    server = socket.create_server(("127.0.0.1", 0))
    print("attack listens", server.getsockname())
except OSError as error:
    print(error)
"""

_RECURSION = """
import sys
sys.setrecursionlimit(10**9)
def down(n):
    return down(n + 1)
down(0)
"""

_NO_END = """
import atexit, threading, time, weakref
class Stays:
    def __del__(self):
        time.sleep(300)
stays = Stays()
atexit.register(time.sleep, 300)
weakref.finalize(stays, time.sleep, 300)
threading.Thread(target=time.sleep, args=(300,)).start()
del stays
"""

_CLOSED = """
import os
os.closerange(0, 256)
"""

_LIMITS = """
import os, resource, signal
for what in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
    try: resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError) as error: print(error)
try: os.nice(-20)
except OSError as error: print(error)
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
except OSError as error: print(error)
signal.setitimer(signal.ITIMER_REAL, 0)
signal.setitimer = signal.signal = signal.alarm = lambda *a, **k: None
import autograder.remote.server as server, contextlib
server._alarm = lambda seconds: contextlib.nullcontext()
while True: pass
"""

_ROOT = """
import ctypes, os
for act in (lambda: os.setuid(0), lambda: os.chroot("/"), lambda: os.unshare(0x10000000),
            lambda: os.mknod("/tmp/attackleft", 0o600), lambda: ctypes.CDLL(None).reboot(0)):
    try: print(act())
    except (OSError, AttributeError) as error: print(error)
"""

_EVERY_CELL = "import os\nos._exit(3)"

_UNKIND = dict(harmless_to_nbgrader=False)

ATTACKS = (
    Attack("exits and interrupts in calls", MACHINE, answering(_EXIT)),
    Attack("hard exits in calls", MACHINE, answering(_HARD_EXIT)),
    Attack("abort", MACHINE, with_code(_ABORT)),
    Attack("crash", MACHINE, with_code(_CRASH)),
    Attack("an exit in every cell", MACHINE, answering(_EVERY_CELL)),
    Attack("signals to everybody", MACHINE, with_code(_SIGNALS), **_UNKIND),
    Attack("stops itself", MACHINE, with_code(_STOP)),
    Attack("an endless loop", MACHINE, with_code(_LOOP)),
    Attack("a loop that is deaf", MACHINE, with_code(_DEAF_LOOP)),
    Attack("a loop in C", MACHINE, with_code(_DEEP_IN_C)),
    Attack("slow answers", MACHINE, answering(_SLOW_ANSWERS)),
    Attack("no answers", MACHINE, answering(_NEVER_ANSWERS)),
    Attack("memory, piece by piece", MACHINE, with_code(_MEMORY), **_UNKIND),
    Attack("memory, at once", MACHINE, with_code(_TENSORS), **_UNKIND),
    Attack("forks", MACHINE, with_code(_FORKS), **_UNKIND),
    Attack("daemons", MACHINE, with_code(_DAEMON)),
    Attack("process pools", MACHINE, with_code(_POOLS), **_UNKIND),
    Attack("threads", MACHINE, with_code(_THREADS), **_UNKIND),
    Attack("threads that never yield", MACHINE, with_code(_SPINNING), **_UNKIND),
    Attack("a full disk", MACHINE, with_code(_DISK), **_UNKIND),
    Attack("many files", MACHINE, with_code(_MANY_FILES), **_UNKIND),
    Attack("floods of output", MACHINE, with_code(_FLOOD)),
    Attack("floods of displays", MACHINE, with_code(_DISPLAYS)),
    Attack("floods between cells", MACHINE, with_code(_FLOOD_LATER), **_UNKIND),
    Attack("sockets", MACHINE, with_code(_SOCKETS)),
    Attack("recursion without a floor", MACHINE, with_code(_RECURSION)),
    Attack("an end that does not end", MACHINE, with_code(_NO_END)),
    Attack("everything closed", MACHINE, with_code(_CLOSED)),
    Attack("limits lifted, alarms taken off", MACHINE, with_code(_LIMITS), **_UNKIND),
    Attack("rights", MACHINE, with_code(_ROOT), **_UNKIND),
)
