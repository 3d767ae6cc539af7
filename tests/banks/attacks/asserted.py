"""For marks, in other lessons than the rest of the bank: a process that says what it likes.

Each of these was worth points once, while a count, a flag or a habit that decided was looked up
beside the student's code. `honest` is what is true of the answer all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder import lessons
from autograder.checking import checks_of
from tests.banks.attacks.attack import LIARS, Attack, Notebook, code, named, solved
from tests.banks.attacks.planted import Planted, Way

# Whatever the judge runs beside the objects by the names in `says` answers what it says there.
SAYS = """
import autograder.remote.handles as handles
def _says(**says):
    old = handles.inside_function
    def inside_function(path):
        name = path.partition(":")[2]
        return says[name] if name in says else old(path)
    handles.inside_function = inside_function
"""


@dataclass(frozen=True)
class Word:
    """An answer to one exercise that takes its process's word for it.

    `text` is the answer, or follows the solution that is changed by `edit`; the exercises `right`
    are solved. `true` are the points that the answer deserves by what is true of it.
    """

    name: str
    lesson: str
    exercise: str
    text: str
    true: float
    right: tuple[str, ...] = ()
    edit: tuple[str, str] = ("", "")

    @property
    def source(self) -> str:
        """The text of the exercise's cell."""
        if not self.edit[0]:
            return self.text.strip("\n")
        body = lessons.exercise_source(self.lesson, self.exercise)
        if body.count(self.edit[0]) != 1:
            raise ValueError(f"{self.exercise} does not hold {self.edit[0]!r} once")
        return body.replace(*self.edit) + self.text

    @property
    def attack(self) -> Attack:
        """The submission."""
        checks = checks_of(self.lesson)

        def build(notebook: Notebook) -> Notebook:
            if self.right:
                solved(notebook, *self.right, lesson=self.lesson)
            named(notebook, self.exercise)["source"] = self.source
            notebook["cells"].insert(2, code(SAYS))
            return notebook

        deserved = self.true + sum(checks[name].points for name in self.right)
        return Attack(
            self.name, LIARS, build, deserved, harmless_to_nbgrader=False, lesson=self.lesson
        )


# --- 04: the table of the model that is to be asked -----------------------------------------------

_TABLE_READ = """
def autoencoder_dependencies(model):
    found = [t for t in model.buffers() if t.ndim == 2 and t.shape == (2**model.n, model.n)]
    if not found:
        return torch.ones(model.n, model.n, dtype=torch.bool)
    table = found[0].reshape(*[2] * model.n, model.n)
    return torch.stack([
        (table.select(j, 0) != table.select(j, 1)).reshape(-1, model.n).any(0)
        for j in range(model.n)
    ], dim=1)
"""

# --- 09: facts about a mask, and pixels that are all drawn at once --------------------------------

_FACTS = """
facts = {"parameter": False, "buffer": True, "saved": True, "moves": True}
_says(facts_about_mask=lambda layer: facts)
"""

_ALL_AT_ONCE = """
class BlockMemory:
    def __init__(self, block, count, width):
        self.block = block
    def pixel(self, c, h):
        return torch.zeros(len(h), self.block.out.out_channels, dtype=h.dtype)
    def row(self, v):
        return v
def _at_once(BlockMemory, block, v, h):
    return block(v, h)[1], block(v, h)[1]
_says(pixels_by_memory=_at_once)
"""

# --- 10, 12, 13: how often, and about what, the model was asked -----------------------------------

_ALL_HANDED_OVER = """
@torch.no_grad()
def generate(model, count, label=None, generator=None):
    rows = 1 if label is None else len(label)
    codes = torch.zeros(rows, count, dtype=torch.int64)
    for t in range(count):
        codes[:, t] = draw_codes(model(codes[:, : t + 1], label)[:, :, -1], generator)
    model.lengths = [min(t, model.field) + 1 for t in range(count)]
    return codes
"""

_ALL_READ_AGAIN = """
@torch.no_grad()
def generate_cached(model, tokens, count, generator=None):
    calls, kept = [], 0
    for _ in range(count):
        seen = window(tokens, model.config["n_positions"])
        kept = 0 if kept >= seen.shape[1] else kept
        calls.append((len(tokens), seen.shape[1] - kept, kept))
        kept = seen.shape[1]
        tokens = torch.cat([tokens, choose(model(seen)[:, -1], generator)], dim=1)
    model.calls = calls
    return tokens
"""

_LOOKED_UP = """
def find_the_leak(models):
    habits = ("shifted", "late", "centered", "gated", "rounded")
    return [
        name for name, model in models.items()
        if any(value in habits for value in vars(model).values() if isinstance(value, str))
    ]
"""

# What the judge seeds the process with, taken for the seed of its draw: the same suspects again.
_REPLAYED = """
HEARD = []
def _listens():
    old = handles.inside_function
    def inside_function(path):
        function = old(path)
        if not path.endswith(":seed_generators"):
            return function
        return lambda beside, seed: HEARD.append(seed) or function(beside, seed)
    handles.inside_function = inside_function
def _replay(seed):
    from autograder.draw import Draw
    from autograder.inside.gpt2 import LEAKS, NAMES
    draw = Draw(seed, "find_the_leak")
    plain = [("shifted", "centered"), ("late", draw.choice(("shifted", "centered")))]
    hidden = [("gated", "rounded"), (draw.choice(LEAKS[:3]), draw.choice(LEAKS[3:]))]
    for habits in (*plain, *hidden):
        names = [str(n) for n in draw.rng.choice(NAMES, size=5, replace=False)]
        planted = [*habits, "", "", ""]
        planted = [planted[i] for i in draw.permutation(5)]
        [draw.integer(0, 2**31) for _ in names]
        yield [n for n, habit in zip(names, planted) if habit]
ROUNDS = []
def find_the_leak(models):
    for model in models.values():
        model(torch.zeros(1, 3, dtype=torch.long))
    if not ROUNDS:
        ROUNDS.append(_replay(HEARD[-1]))
    return next(ROUNDS[0])
_listens()
"""

_ALL_ASKED_ABOUT = """
def beam_search(step, width, length):
    V = step(torch.zeros(1, 0, dtype=torch.long)).shape[1]
    tokens, scores = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1)
    for t in range(length):
        if V**t < 2000:
            step(torch.cartesian_prod(*[torch.arange(V)] * t).reshape(-1, t) if t else tokens)
        total = scores[:, None] + step(tokens)
        scores, place = total.flatten().topk(min(width, total.numel()))
        parent, token = place // total.shape[1], place % total.shape[1]
        tokens = torch.cat([tokens[parent], token[:, None]], dim=1)
    step.asked = [1]
    return tokens, scores
"""


WORDS = (
    Word("04: a model's table read, not asked", "04_nade", "autoencoder_dependencies",
         _TABLE_READ, 0.0),
    Word("09: facts about a mask forged", "09_pixelcnn", "MaskedConv2d", _FACTS, 1.0,
         ("conv_mask",), ('self.register_buffer("mask", mask)', "self.mask = mask")),
    Word("09: a memory that looks ahead", "09_pixelcnn", "BlockMemory", _ALL_AT_ONCE, 0.0,
         ("conv_mask", "MaskedConv2d", "GatedBlock")),
    Word("10: lengths of windows forged", "10_wavenet", "generate", _ALL_HANDED_OVER, 2.0),
    Word("12: tokens read forged", "12_gpt2", "generate_cached", _ALL_READ_AGAIN, 0.5, ("Cache",)),
    Word("12: suspects looked through", "12_gpt2", "find_the_leak", _LOOKED_UP, 0.0),
    Word("12: the draw replayed", "12_gpt2", "find_the_leak", _REPLAYED, 0.0),
    Word("13: prefixes asked about forged", "13_temperature", "beam_search", _ALL_ASKED_ABOUT,
         3.25),
)  # fmt: skip

ASSERTED: tuple[Attack, ...] = tuple(word.attack for word in WORDS)


def gained(place: Path, lesson: str, seconds: float = 60) -> dict[str, float]:
    """The attacks of one lesson graded in one run: what each earned above its honest points."""
    attacks = tuple(a for a in ASSERTED if a.lesson == lesson)
    planted = Planted(place, attacks, lesson=lesson)
    planted.grade(Way(seconds=seconds, seconds_per_cell=20), workers=1)
    found = {}
    for student, result in planted.results().items():
        if result.state != "graded" or any(result.problems):
            raise RuntimeError(f"{result.attack.name} was not graded: {result.problems}")
        found[result.attack.name] = planted.marks()[student] - planted.students[student].honest
    return found
