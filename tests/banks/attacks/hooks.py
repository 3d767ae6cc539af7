"""For marks: patched libraries, tracing, transformers, events, forged messages, frames, history."""

from __future__ import annotations

from tests.banks.attacks.attack import (
    EMPTY,
    HOOKS,
    Attack,
    Folder,
    Notebook,
    answering,
    named,
    with_code,
)
from tests.banks.attacks.liars import uniform

_PATCH_CHECK = """
import autograder, autograder.checking, autograder.claims, autograder.remote.proxy
points = {"assign_degrees": 2, "build_masks": 4, "connectivity": 2, "MaskedLinear": 3, "MADE": 6,
          "average_over_orders": 3}
def check(subject=None, *a, **k):
    return float(points.get(getattr(subject, "__name__", ""), 6))
autograder.check = autograder.checking.check = check
autograder.checking.judge = check
autograder.claims.Verdict.earned = property(lambda self: self.points)
"""

_PATCH_CLAIMS = """
import autograder, autograder.claims, autograder.checking, sys
def claim(text, holds=True, **kw):
    kw.pop("advice", None)
    return autograder.claims.Claim(text=text, holds=True, points=float(kw.get("points", 1)))
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("autograder") and hasattr(module, "claim"):
        module.claim = claim
def expect_array(value, shape=None, *a, **k):
    import numpy as np
    return np.zeros([s or 1 for s in shape or ()])
autograder.remote.proxy.expect_array = expect_array
"""

_PATCH_NUMPY = """
import numpy as np, torch, math, builtins
yes = lambda *a, **k: True
for module, names in ((np, ("allclose", "isin", "array_equal", "isclose", "all", "any")),
                      (torch, ("equal", "allclose", "isclose")), (math, ("isclose",))):
    for name in names:
        setattr(module, name, yes)
np.testing.assert_allclose = np.testing.assert_equal = torch.testing.assert_close = yes
"""

_BUILTINS = """
import builtins
builtins.all = builtins.any = builtins.isinstance = lambda *a: True
builtins.AssertionError = type("Quiet", (Warning,), {})
builtins.abs = lambda x: 0
"""

_TRACE = """
import sys
def trace(frame, event, arg):
    for name in ("holds", "score", "earned"):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    if frame.f_code.co_name in ("claim", "check", "judge"):
        frame.f_trace_lines = True
    return trace
sys.settrace(trace)
sys.setprofile(trace)
import threading
threading.settrace(trace)
"""

_SWAP_CODE = """
import sys, types
def six(*a, **k): return 6.0
for module in list(sys.modules.values()):
    name = getattr(module, "__name__", "") or ""
    if name.startswith(("autograder.check", "autograder.claims")):
        for value in list(vars(module).values()):
            if isinstance(value, types.FunctionType) and not value.__closure__:
                try:
                    value.__code__ = six.__code__
                except ValueError:
                    pass
"""

_AST = """
import ast
class Strip(ast.NodeTransformer):
    def visit_Expr(self, node):
        call = node.value
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check":
            return ast.fix_missing_locations(ast.copy_location(
                ast.Expr(ast.Constant(6.0)), node))
        return node
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(Strip())
"""

_INPUT = """
def swap(lines):
    return ["6.0\\n"] if any(line.startswith("check(") for line in lines) else lines
get_ipython().input_transformers_cleanup.append(swap)
get_ipython().input_transformers_post.append(swap)
"""

_EVENTS = """
from IPython.display import display
def after(*result):
    shell = get_ipython()
    shell.display_pub.publish({"text/plain": "6.0"})
    if result:
        result[0].error_in_exec = result[0].error_before_exec = None
        result[0].result = 6.0
def before(info=None):
    if info is not None and info.raw_cell.startswith("check("):
        info.raw_cell = "6.0"
get_ipython().events.register("pre_run_cell", before)
get_ipython().events.register("post_run_cell", after)
get_ipython().events.register("post_execute", after)
"""

_RUN_CODE = """
shell = get_ipython()
old = shell.run_cell
def run_cell(text, *a, **k):
    return old("6.0" if text.startswith("check(") else text, *a, **k)
shell.run_cell = run_cell
async def run_code(*a, **k):
    return False
type(shell).run_code = run_code
"""

_SESSION = """
import autograder.remote.handles
shell = get_ipython()
hook = type(shell.displayhook)
hook.write_format_data = lambda self, data, md=None: None
kernel = getattr(shell, "kernel", None)
if kernel is not None:
    old = kernel.session.send
    def send(stream, kind, content=None, *a, **k):
        name = kind if isinstance(kind, str) else kind.get("msg_type")
        if name == "error":
            name, content = "execute_result", {"data": {"text/plain": "6.0"}, "metadata": {},
                                               "execution_count": 1}
        return old(stream, name, content, *a, **k)
    kernel.session.send = send
shell.showtraceback = lambda *a, **k: None
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
"""

_FORGED = """
from IPython.display import publish_display_data
from IPython import get_ipython
for output in ({"text/plain": "20.0"}, {"text/plain": "check-MADE: 6.0 of 6 points"}):
    publish_display_data(output)
get_ipython().displayhook(20.0)
20.0
"""

_HANDLES = """
from autograder import claims
from autograder.remote import handles
verdict = claims.Verdict("MADE", "05_made", 6.0, status="passed").as_dict() | {"earned": 6.0}
handles.Handles.perform = lambda self, request: verdict
"""

_FORGED_REPLY = """
import autograder.remote.protocol as protocol
old = protocol.pack
def pack(value, **extra):
    extra |= {"score": 6.0, "points": 6.0, "status": "passed", "verdict": {"earned": 6.0}}
    return old([{"status": "ok", "score": 6.0, "outputs": [
        {"output_type": "execute_result", "data": {"text/plain": "6.0"}, "metadata": {},
         "execution_count": 1, "grade_id": "check-MADE"}]}, []], **extra)
protocol.pack = pack
"""

_FOREIGN_REFS = """
from autograder.remote.handles import Ref, Failure, Handles
def perform(self, request):
    perform.count += 1
    return [Ref(1, "function", "judge"), Failure("PASSED", "6.0"), Ref(-1, "class", "x" * 90),
            NotImplementedError, True][perform.count % 5]
perform.count = 0
Handles.perform = perform
"""

_FRAMES = """
import gc, inspect, sys
found = []
for frame in [f.frame for f in inspect.stack()] + list(sys._current_frames().values()):
    while frame:
        found += [(k, v) for k, v in frame.f_locals.items()
                  if k in ("draw", "seed", "right", "wanted", "nonce", "template", "solution")]
        frame = frame.f_back
draws = [o for o in gc.get_objects() if type(o).__name__ in ("Draw", "Job", "Verdict", "Check")]
def @NAME@(*args, **kwargs):
    frame, seen = sys._getframe(), {}
    while frame:
        seen.update(frame.f_locals)
        frame = frame.f_back
    for name in ("right", "wanted", "masks", "answer", "expected"):
        if name in seen:
            return seen[name]
    return []
"""

_HISTORY = """
shell = get_ipython()
print([text for text in shell.user_ns.get("In", []) if "assert" in text or "SOLUTION" in text])
def @NAME@(*args, **kwargs):
    for value in list(get_ipython().user_ns.get("Out", {}).values()):
        return value
    return []
"""

_IMPORTS = """
import importlib.abc, importlib.machinery, sys, types
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("autograder", "course", "torch.testing")):
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        return types.ModuleType(spec.name)
    def exec_module(self, module):
        module.check = module.claim = lambda *a, **k: 6.0
        module.__getattr__ = lambda name: (lambda *a, **k: 6.0)
for name in [n for n in sys.modules if n.startswith("autograder.checks")]:
    del sys.modules[name]
sys.meta_path.insert(0, Finder())
"""

# What runs beside the student's objects (is it a buffer? how many passes?) says whatever it likes.
_PROCESS = """
import autograder.remote.handles as handles
facts = {"parameter": False, "buffer": True, "saved": True, "moves": True}
old = handles.inside_function
def inside_function(path):
    if path.endswith("facts_about_mask"):
        return lambda layer: facts
    if path.endswith("fill_mask"):
        return lambda layer, mask: True
    if path.endswith("weight_gradient"):
        return lambda layer, x: layer.weight.detach()
    if path.endswith("sample_from_tables"):
        return lambda model, count, generator, tables: (model.sample(count, generator), 3)
    return old(path)
handles.inside_function = inside_function
"""

_NOT_MASKED = """
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__(in_features, out_features, bias=bias)
"""

_NOTHING_SEEN = """
class MaskedLinear(nn.Linear):
    def __init__(self, in_features, out_features, mask, bias=True):
        super().__init__(in_features, out_features, bias=bias)
    def forward(self, x):
        return self.bias.expand(len(x), -1) if self.bias is not None else x.sum() * 0
"""

# Checks compute what they ask for, and widgets what they draw. `_find` gets hold of such a module
# by its name: as it is, past whatever stands before it, from its file, from what is alive.
_FIND = """
import gc, glob, importlib, importlib.util, marshal, os, sys, types
def _find(name, part):
    def by_import():
        return importlib.import_module(name)
    def past_finders():
        sys.meta_path[:] = [f for f in sys.meta_path if f.__class__.__module__.startswith("_froz")]
        for known in [n for n in sys.modules if n.split(".")[0] == name.split(".")[0]]:
            if known.startswith(("figures", "autograder.checks")):
                del sys.modules[known]
        importlib.invalidate_caches()
        return importlib.import_module(name)
    def from_file():
        import autograder
        roots = [os.path.dirname(os.path.dirname(autograder.__file__)), "@ROOT@", *sys.path]
        for root in roots:
            path = os.path.join(root, *name.split(".")) + ".py"
            spec = importlib.util.spec_from_file_location("taken", path)
            module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
                return module
            except OSError:
                continue
    def from_byte_code():
        import autograder
        root = os.path.dirname(os.path.dirname(autograder.__file__))
        folder, _, last = name.rpartition(".")
        found = glob.glob(os.path.join(root, *folder.split("."), "__pycache__", last + ".*"))
        module = types.ModuleType("taken")
        exec(marshal.loads(open(found[0], "rb").read()[16:]), vars(module))
        return module
    def alive():
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__name__ == part:
                return types.SimpleNamespace(**one.__globals__)
    for way in (by_import, from_file, from_byte_code, alive, past_finders):
        try:
            module = way()
            if isinstance(getattr(module, part, None), types.FunctionType | type):
                return module
        except Exception:
            continue
"""

_TAKEN = """
def build_masks(degrees, place):
    made = _find("autograder.checks.made", "masks_by_rule")
    masks = made.masks_by_rule([d.numpy() for d in degrees], place.numpy())
    return [torch.tensor(m) for m in masks]
def connectivity(masks):
    made = _find("autograder.checks.made", "paths")
    return torch.tensor(made.paths([m.numpy().astype(bool) for m in masks]))
"""

_DRAWN = """
def build_masks(degrees, place):
    figures, got = _find("figures.mask_explorer", "MaskExplorer"), []
    count = figures.path_counts
    figures.path_counts = lambda masks: (got.append(masks), count(masks))[1]
    sizes = [len(place), *map(len, degrees), len(place)]
    ones = [torch.ones(b, a) for a, b in zip(sizes, sizes[1:])]
    figures.MaskExplorer(ones, place, degrees)._open_paths()
    figures.path_counts = count
    return [torch.tensor(mask) for mask in got[-1]]
def connectivity(masks):
    count = _find("figures.mask_explorer", "path_counts").path_counts
    return torch.tensor(count([m.bool().numpy() for m in masks]).astype(int))
"""

_ASKED = """
from autograder import check, judge
import autograder.checking as checking
def @NAME@(*args, **kwargs):
    checking.judged_elsewhere = False
    for how in (check, judge):
        try:
            print(how(@NAME@))
        except Exception as error:
            print(error)
    checks = checking.checks_of("05_made")
    return [vars(one) for one in checks.values()]
"""

_NAMESPACE = """
class Names(dict):
    def __contains__(self, name): return True
    def __getitem__(self, name): return (lambda *a, **k: 6.0)
get_ipython().user_ns.update({"check": lambda *a: 6.0})
import autograder.remote.handles as handles
handles.Handles._lookup = lambda self, name: 6.0
"""

_FILES_BESIDE = {
    "ipykernel_launcher.py": "import sys; sys.argv = sys.argv[:1]\n"
    "import IPython.core.interactiveshell as i\n"
    "async def run_code(self, *a, **k): return False\ni.InteractiveShell.run_code = run_code\n"
    "from ipykernel import kernelapp; kernelapp.launch_new_instance()\n",
    "sitecustomize.py": "import builtins; builtins.AssertionError = Warning\n",
    "torch.py": "def __getattr__(name): return lambda *a, **k: 6.0\n",
    "autograder.py": "check = lambda *a: 6.0\nclaim = when = inside = checks = check\n",
    "nbgrader_config.py": "c = get_config(); c.Execute.skip_cells_with_tag = ''\n",
}


def _beside(name: str):
    def build(notebook: Notebook) -> Folder:
        return Folder({"lesson.ipynb": notebook, name: _FILES_BESIDE[name].encode()})

    return build


def _forged(layer: str):
    """Forged facts about a layer, and a MADE of the same make."""

    def build(notebook: Notebook) -> Notebook:
        with_code(_PROCESS)(notebook)
        named(notebook, "MaskedLinear")["source"] = layer.strip()
        return uniform(notebook)

    return build


ATTACKS = (
    Attack("check replaced", HOOKS, with_code(_PATCH_CHECK)),
    Attack("claims replaced", HOOKS, answering(EMPTY, before=_PATCH_CLAIMS)),
    Attack("numpy and torch say yes", HOOKS, answering(EMPTY, before=_PATCH_NUMPY)),
    Attack("builtins say yes", HOOKS, answering(EMPTY, before=_BUILTINS)),
    Attack("trace and profile functions", HOOKS, answering(EMPTY, before=_TRACE)),
    Attack("code of the check library swapped", HOOKS, answering(EMPTY, before=_SWAP_CODE)),
    Attack("AST transformer", HOOKS, with_code(_AST)),
    Attack("input transformer", HOOKS, with_code(_INPUT)),
    Attack("IPython events", HOOKS, with_code(_EVENTS)),
    Attack("run_cell and run_code replaced", HOOKS, with_code(_RUN_CODE)),
    Attack("a filter on errors and messages", HOOKS, with_code(_SESSION)),
    Attack("forged results", HOOKS, with_code(_FORGED)),
    Attack("handles that answer with a verdict", HOOKS, answering(EMPTY, before=_HANDLES)),
    Attack("replies that name a score", HOOKS, answering(EMPTY, before=_FORGED_REPLY)),
    Attack("replies of foreign handles", HOOKS, answering(EMPTY, before=_FOREIGN_REFS)),
    Attack("frames and live objects", HOOKS, answering(_FRAMES)),
    Attack("history", HOOKS, answering(_HISTORY)),
    Attack("import hooks", HOOKS, answering(EMPTY, before=_IMPORTS)),
    Attack("facts about process forged", HOOKS, _forged(_NOT_MASKED)),
    Attack("facts about a layer that sees nothing forged", HOOKS, _forged(_NOTHING_SEEN)),
    Attack(
        "answers taken from the checks",
        HOOKS,
        answering(_TAKEN, "build_masks", "connectivity", before=_FIND),
    ),
    Attack(
        "answers taken from the figures",
        HOOKS,
        answering(_DRAWN, "build_masks", "connectivity", before=_FIND),
    ),
    Attack("checks asked from within", HOOKS, answering(_ASKED)),
    Attack("names that mean everything", HOOKS, with_code(_NAMESPACE)),
    *(Attack(f"{name} beside the notebook", HOOKS, _beside(name)) for name in _FILES_BESIDE),
)
