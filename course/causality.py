"""Measures which outputs of a model depend on which inputs, by changing one input at a time.

A model of p(x) = ∏_i p(x_i | x_{<i}) must be *blind*: output i, which parametrizes p(x_i | x_{<i}),
may not depend on x_i or on anything after it; else the factors are no conditionals and the
"probabilities" need not sum to 1. It should also *see*: an output that ignores part of its past is
legal and weak (all-zero masks are perfectly causal). `dependency_map` measures both sides.

How: on a deep copy, in double precision and eval mode, all parameters are drawn afresh. Of a batch
of N equal rows, row j has its position j replaced; an output of row j that is not equal to the same
output of the same row of an unperturbed batch of the same shape depends on input j. The map is the
union over several draws of parameters, inputs and replacements.

Why not gradients: they are zero behind a dead ReLU, a threshold, a rounding or a detach, and the
output depends on the input all the same. Why fresh parameters: a path through a weight that is
zero now (a zero-initialized output layer, a gate that starts closed) opens with training. Why
double precision: an influence of 1e-9 is a leak, and equal rows at equal places of equal batches go
through equal arithmetic, so that what does not reach an output mostly leaves it as it was, to the
last bit. Not always: a convolution by Fourier transform, or a softmax whose forbidden part is set
to 0 before it is normalized again, adds up what cancels, up to rounding. So a change counts if it
is more than `ROUNDING` units in the last place of that output, or of the largest change; Fourier
transforms in deep networks were measured at up to 50. Why not NaN as the perturbation: 0 · NaN is
NaN, so that correct masks would be accused.

What a perturbation CAN MISS. An edge on the map is proof of a dependency. A missing edge is strong
evidence and no proof:
 - values equal by chance, changes that cancel exactly, or that a larger value hides: max(x_1, 100);
 - a dependency on rare inputs only: "if the image is all white"; the drawn inputs never go there;
 - a dependency through several inputs at once, invisible when one changes at a time (x_1 AND x_2
   from a start at 0, 0); several starts make this unlikely for pairs, not for conjunctions of many;
 - a threshold or a rounding step that no drawn value crosses, and saturation: in double precision
   sigmoid(40) equals sigmoid(41);
 - an influence below about one part in 10^13 of the value that it is added to, or underflow to 0;
 - parameters outside `state_dict` (plain tensor attributes, closures): they stay as they are, so
   what they switch off now stays off; `randomized` counts what was drawn. Buffers stay too, since a
   mask is one;
 - parameter values of measure zero ("leaks if w is exactly 3"), and code that knows it is examined;
 - an output that is NaN or infinite before and after: `never_finite` says which.

And what it would ACCUSE wrongly: a model that draws random numbers of its own. Torch's, numpy's and
Python's global generators are therefore set to one seed before every call, two equal calls are
compared first, and `NotRepeatable` is raised when they differ. Where rows of a batch see each
other, every row is changed by all the others' perturbations: `rows_mix` tells, `batch_leaks` shows.
"""

import contextlib
import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# In units of the last place: less than this is how sums were rounded.
ROUNDING = 2**10

Perturb = str | Callable[[np.ndarray, np.random.Generator], np.ndarray]

# One regime a draw, in turn: (gain of weights, one-dimensional parameters positive?, input size).
# Positive biases keep ReLUs alive, large gains cross thresholds, small ones stay out of saturation.
_REGIMES = ((1.0, False, 1.0), (0.3, True, 1.0), (3.0, False, 10.0), (1.0, True, 0.1))


class NotRepeatable(RuntimeError):
    """Two calls with one input gave different outputs, so that a difference proves nothing."""


class WrongOutput(ValueError):
    """The function's output is no array with one row for each row of the input."""


@dataclass(frozen=True)
class DependencyMap:
    """Which outputs were seen to depend on which inputs.

    Attributes:
        sees: bool (outputs, inputs); `sees[o, i]`: output o changed when input i did, by more than
            rounding. An edge is proof; a missing edge is evidence (the module's docstring says what
            can be missed).
        draws: how many draws of parameters and inputs the map is the union of.
        precision: "double", "single" (the model cannot run in double), or "as given" (a function).
        randomized: how many parameter values were drawn afresh; 0 for a function and in raw mode.
        never_finite: bool (outputs,); output was NaN or infinite at every draw, so it hides all.
        rows_mix: one row of the batch changed another's output; the map is then not to be trusted.
    """

    sees: np.ndarray
    draws: int
    precision: str
    randomized: int
    never_finite: np.ndarray
    rows_mix: bool

    def forbidden(self, allowed: Any = None, *, own: bool = False) -> np.ndarray:
        """The edges that were seen and are not allowed, int (K, 2): pairs (output, input).

        `allowed` is a bool matrix (outputs, inputs), places (see `past`), or None for the natural
        order; with `own`, an output may see the input of its own place.
        """
        return np.argwhere(self.sees & ~_allowed(allowed, self.sees.shape, own))

    def missing(self, allowed: Any = None, *, own: bool = False) -> np.ndarray:
        """The edges that are allowed and were never seen, int (K, 2): pairs (output, input)."""
        return np.argwhere(~self.sees & _allowed(allowed, self.sees.shape, own))

    def first_forbidden(self, allowed: Any = None, *, own: bool = False) -> tuple[int, int] | None:
        """The first (output, input) that was seen and is not allowed; None if there is none."""
        edges = self.forbidden(allowed, own=own)
        return (int(edges[0, 0]), int(edges[0, 1])) if len(edges) else None

    def is_autoregressive(self, place: Any = None, *, own: bool = False) -> bool:
        """Whether no output was seen to depend on itself or on what comes after it."""
        return not self.rows_mix and not len(self.forbidden(place, own=own))

    def summary(self, allowed: Any = None, *, own: bool = False) -> str:
        """The map in words: leaks first, then what is not seen, then what limits the statement."""
        if self.rows_mix:
            return "The rows of a batch see each other, so that no map of one row can be trusted."
        forbidden, missing = self.forbidden(allowed, own=own), self.missing(allowed, own=own)
        said = []
        if len(forbidden):
            where = "outside what is allowed"
            if np.ndim(allowed) < 2:
                where = "after their own place" if own else "at or after their own place"
            outputs = _count(len(np.unique(forbidden[:, 0])), "output")
            verb = "sees" if outputs.startswith("1 ") else "see"
            seen = _edges(forbidden)
            said.append(f"Not autoregressive: {outputs} {verb} inputs {where} ({seen}).")
        if len(missing):
            outputs = _count(len(np.unique(missing[:, 0])), "output")
            verb = "does" if outputs.startswith("1 ") else "do"
            said.append(f"{outputs} {verb} not see all of the past ({_edges(missing, 'not')}).")
        if not said:
            said.append(
                f"Autoregressive: each of {_count(len(self.sees), 'output')} sees all of its past "
                f"and nothing else ({_count(int(self.sees.sum()), 'dependency')})."
            )
        elif not len(forbidden):
            said.insert(0, "Autoregressive: no output sees itself or the future.")
        if self.never_finite.any():
            count = _count(int(self.never_finite.sum()), "output")
            said.append(f"{count} gave only NaN or infinity, which hides every dependency.")
        return " ".join(said)

    def __repr__(self) -> str:
        outputs, inputs = self.sees.shape
        return (
            f"<DependencyMap: {outputs} outputs × {inputs} inputs, "
            f"{_count(int(self.sees.sum()), 'dependency')}, {_count(self.draws, 'draw')}, "
            f"precision {self.precision}>"
        )


@dataclass(frozen=True)
class BatchLeaks:
    """Which rows of a batch were seen to depend on which other rows.

    Attributes:
        sees: bool (B, B); `sees[r, s]`: the output of row r changed when the input of row s did.
            The diagonal is what a row does with its own input, and no leak.
        mode: "train" or "eval".
    """

    sees: np.ndarray
    mode: str

    def __bool__(self) -> bool:
        """Whether any row sees another."""
        return bool((self.sees & ~np.eye(len(self.sees), dtype=bool)).any())

    def summary(self) -> str:
        """The leaks in words."""
        if not self:
            return f"In {self.mode} mode each row of a batch sees only itself."
        edges = np.argwhere(self.sees & ~np.eye(len(self.sees), dtype=bool))
        return (
            f"In {self.mode} mode the rows of a batch see each other "
            f"({_edges(edges, words=('row', 'row'))}): normalizing over the batch does that."
        )


def past(place: int | Sequence[int] | np.ndarray, *, own: bool = False) -> np.ndarray:
    """What an autoregressive model may see: bool (n, n), `[o, i]` is place(i) < place(o).

    Args:
        place: n for the natural order, or the place of each variable: `place[d]` says when x_d has
            its turn; 0 … n−1 and 1 … n serve alike.
        own: place(i) ≤ place(o) instead: for outputs that predict the NEXT variable (a language
            model's logits at position t are those of token t + 1).

    Raises:
        ValueError: `place` is no permutation.
    """
    ranks = np.asarray(place)
    if ranks.ndim == 0:
        ranks = np.arange(ranks.item())
    if ranks.ndim != 1 or len(np.unique(ranks)) != len(ranks):
        raise ValueError(f"place must give each variable a place of its own: got {place!r}")
    return (ranks[None, :] <= ranks[:, None]) if own else (ranks[None, :] < ranks[:, None])


def dependency_map(
    f: Any,
    inputs: Any,
    perturb: Perturb = "flip",
    *,
    outputs: int | Sequence[int] = (),
    together: int | Sequence[int] = (),
    call: Callable[[Any, Any], Any] | None = None,
    draws: int = 4,
    expected: Any = None,
    most_draws: int = 16,
    randomize: bool = True,
    train: bool = False,
    vocabulary: int | None = None,
    keep: Sequence[str] = (),
    seed: int = 0,
    reseed: Callable[[], None] | None = None,
    rows: int = 256,
) -> DependencyMap:
    """Measure which outputs of `f` depend on which inputs (the module's docstring says how).

    Args:
        f: a torch module, a stand-in for one that lives elsewhere, or any function from an array
            (B, …) to an array (B, …). A module is copied, never touched. Of a stand-in only
            `copy.deepcopy`, `state_dict()`, `named_buffers()`, `load_state_dict(…)`, `double()`,
            `eval()`, `train()` and the call are used. A function is used as it is, in the
            precision of `inputs`; it has no parameters that could be drawn.
        inputs: array or tensor (B, …), batch first: draw k starts at row k; when the rows are used
            up, starts are drawn, of the kind that `perturb` says.
        perturb: "flip" (bits), "token" (another id below `vocabulary`), "normal" (a normal value;
            its size changes from draw to draw: 1, 10, 0.1), "uniform" (in [0, 1)), or a
            function `(x, rng) -> x'` that returns a legal input with EVERY entry changed.
        outputs: axes of the output (0 is the batch) that belong to one output: −1 for logits
            (B, n, classes), 1 for (B, classes, n). Output positions are the other axes, flattened.
        together: axes of the input that are changed together as one position: −1 for one-hot
            vectors (B, n, classes), 1 for the channels of (B, C, H, W).
        call: `call(model, x)`, what to compute instead of `model(x)`: `lambda m, x: m(x)[0]`.
        draws: the least number of draws of parameters, inputs and replacements.
        expected: bool (outputs, inputs) or places: edges that a right model has. While any of
            them is unseen, draws go on up to `most_draws`: a narrow ReLU network can hide one for
            several draws, and should not be called blind for it.
        randomize: draw all parameters afresh; False is the RAW mode: the model as it is.
        train: train mode instead of eval.
        vocabulary: number of token ids; the largest id of `inputs` + 1 unless told.
        keep: names in `state_dict` that are not drawn, beside the buffers and any array of two or
            more axes that holds zeros and ones only, and both: a mask that is stored as a frozen
            parameter.
        seed: of the parameters, inputs and replacements.
        reseed: called before each call of `f`, to set generators that live elsewhere.
        rows: how many perturbed rows go through `f` at once.

    Returns:
        The map; `sees` has one row for each output and one column for each input.

    Raises:
        NotRepeatable: `f` is random even with seeded global generators.
        WrongOutput: `f` does not return one row for each row of its input.
        ValueError: `inputs` does not fit `perturb`.
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1: got {draws}")
    source = _Source(inputs, perturb, vocabulary, seed)
    elements = _positions(source.shape, together)  # (positions, entries of one position)
    with _own_randomness():
        model, precision = _prepare(f, source, call, train, seed, reseed, randomize, keep)
        if precision == "single":
            draws = max(draws, 8)  # rounding hides edges in single precision: look more often
        most_draws = max(draws, most_draws)
        sees, finite, mix, drawn = None, None, False, 0
        while True:
            gain, positive, size = _REGIMES[drawn % len(_REGIMES)]
            model.restore(gain, positive, np.random.default_rng([seed, drawn, 1]))
            start = source.start(drawn, size)
            changed, base = _changed(model, source, start, elements, size, rows, outputs)
            if sees is None:
                sees, finite = changed, np.isfinite(base)
                mix = _rows_mix(model, source, start, size)
            else:
                sees, finite = sees | changed, finite | np.isfinite(base)
            drawn += 1
            wanted = None if expected is None else _allowed(expected, sees.shape, False)
            if drawn >= draws and (
                wanted is None or drawn >= most_draws or not (wanted & ~sees).any()
            ):
                break
    groups = _positions(finite.shape[1:], outputs)
    never = ~finite[0].reshape(-1)[groups].any(-1)
    return DependencyMap(sees, drawn, precision, model.randomized, never, mix)


def batch_leaks(
    f: Any,
    inputs: Any,
    perturb: Perturb = "flip",
    *,
    train: bool = True,
    call: Callable[[Any, Any], Any] | None = None,
    randomize: bool = True,
    draws: int = 2,
    vocabulary: int | None = None,
    keep: Sequence[str] = (),
    seed: int = 0,
    reseed: Callable[[], None] | None = None,
) -> BatchLeaks:
    """Measure which rows of a batch change the output of which other rows.

    Batch normalization in train mode does this: an autoregressive model with it has a likelihood
    that depends on its neighbors in the batch. Generators are set to one seed before every call, so
    that dropout draws the same masks and is not accused.

    Args:
        inputs: array or tensor (B, …), B ≥ 2; all of its rows are used, one call for each.
        train: train mode, else eval.
        call, perturb, randomize, vocabulary, keep, seed, reseed: as for `dependency_map`.
        draws: how many draws of parameters and replacements the result is the union of.

    Raises:
        NotRepeatable, WrongOutput: as for `dependency_map`.
        ValueError: fewer than two rows.
    """
    source = _Source(inputs, perturb, vocabulary, seed)
    count = len(source.examples)
    if count < 2:
        raise ValueError(f"batch_leaks needs at least 2 rows in inputs: got {count}")
    sees = np.zeros((count, count), dtype=bool)
    with _own_randomness():
        model, _ = _prepare(f, source, call, train, seed, reseed, randomize, keep)
        for drawn in range(draws):
            gain, positive, size = _REGIMES[drawn % len(_REGIMES)]
            model.restore(gain, positive, np.random.default_rng([seed, drawn, 1]))
            batch = source.examples.copy()
            base = model(batch, source)
            for s in range(count):
                changed = batch.copy()
                changed[s] = source.replacement(batch[s], size)
                # Train mode moves running statistics: each call starts from the same state.
                model.rewind()
                sees[:, s] |= _differs(model(changed, source), base).reshape(count, -1).any(-1)
    return BatchLeaks(sees, "train" if train else "eval")


def leaking_cuts(
    f: Any,
    inputs: Any,
    perturb: Perturb = "flip",
    *,
    allowed: Any = None,
    own: bool = False,
    place: Sequence[int] | None = None,
    cuts: int = 16,
    outputs: int | Sequence[int] = (),
    together: int | Sequence[int] = (),
    call: Callable[[Any, Any], Any] | None = None,
    randomize: bool = False,
    vocabulary: int | None = None,
    keep: Sequence[str] = (),
    seed: int = 0,
    reseed: Callable[[], None] | None = None,
) -> list[int]:
    """The cuts of the order, among `cuts` random ones, across which the future changed the past.

    At cut c every input of place ≥ c is replaced at once; an output whose allowed inputs all have
    places < c must not change. Two calls in all, whatever n is. It looks at leaks only, not at what
    a model fails to see; by default in RAW mode, on the trained weights.

    Args:
        place: the place of each input in the order; the natural order if None.
        allowed: bool (outputs, inputs); `past(place, own=own)` if None.
        cuts: how many; all n of them where n ≤ `cuts`.
        The others: as for `dependency_map`.
    """
    source = _Source(inputs, perturb, vocabulary, seed)
    elements = _positions(source.shape, together)
    n = len(elements)
    ranks = np.arange(n) if place is None else np.argsort(np.argsort(np.asarray(place)))
    if len(ranks) != n:
        raise ValueError(f"place must hold {n} inputs: got {len(ranks)}")
    at = np.arange(n) if n <= cuts else np.sort(source.rng.choice(n, size=cuts, replace=False))
    with _own_randomness():
        model, _ = _prepare(f, source, call, False, seed, reseed, randomize, keep)
        model.restore(1.0, False, np.random.default_rng([seed, 0, 1]))
        start = source.start(0, 1.0)
        batch = np.repeat(start[None], max(len(at), 2), axis=0)
        base = model(batch, source)
        for row, cut in enumerate(at):
            entries = elements[ranks >= cut].reshape(-1)
            new = source.replacement(start, (1.0, 10.0)[row % 2])
            batch[row].reshape(-1)[entries] = new.reshape(-1)[entries]
        groups = _positions(base.shape[1:], outputs)
        sizes = _sizes(model(batch, source), base).reshape(len(batch), -1)[:, groups].max(-1)
        changed = sizes > _rounding(sizes.T, base, groups).T  # (cuts, outputs)
    shape = (len(groups), n)
    may_see = _allowed(allowed if allowed is not None else ranks, shape, own)
    may_change = np.stack([may_see[:, ranks >= cut].any(-1) for cut in at])  # (cuts, outputs)
    leaking = (changed[: len(at)] & ~may_change).any(-1)
    return [int(cut) for cut in at[leaking]]


def passes_cuts(f: Any, inputs: Any, perturb: Perturb = "flip", **options: Any) -> bool:
    """Whether no cut leaks: the cheap check of a trained model (arguments of `leaking_cuts`)."""
    return not leaking_cuts(f, inputs, perturb, **options)


def randomize_parameters(
    model: Any,
    rng: np.random.Generator,
    *,
    gain: float = 1.0,
    positive: bool = False,
    keep: Sequence[str] = (),
) -> int:
    """Draw every parameter of `model` afresh, in place, and return how many values were drawn.

    Weights are normal with standard deviation gain / √(fan-in), vectors and scalars standard
    normal; with `positive`, vectors and scalars are |normal| + 1/2. Buffers stay, and so do the
    names in `keep` and masks that are stored as parameters (see `dependency_map`). Tied parameters
    stay tied, since the values go through `load_state_dict`.
    """
    state, names = _state(model, keep)
    _load(model, _drawn(state, names, rng, gain, positive))
    return sum(int(state[name].numel()) for name in names)


def copy_model(model: Any) -> Any:
    """A deep copy of a module, also of one that keeps a tensor of its last forward pass.

    `copy.deepcopy` refuses tensors that carry a graph ("self.hidden = …" in forward); here such
    attributes are copied without it. Compiled functions, which it refuses too, are shared.
    """
    memo: dict[int, Any] = {}
    if isinstance(model, torch.nn.Module):
        for module in model.modules():
            for value in vars(module).values():
                if isinstance(value, torch.jit.ScriptFunction):
                    memo[id(value)] = value
                for tensor in _tensors(value):
                    if not tensor.is_leaf:
                        memo[id(tensor)] = tensor.detach().clone()
    return copy.deepcopy(model, memo)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


class _Source:
    """Starts and replacements of the kind that `perturb` says, one example at a time."""

    def __init__(self, inputs: Any, perturb: Perturb, vocabulary: int | None, seed: int) -> None:
        self.torch = isinstance(inputs, torch.Tensor)
        self.examples = _array(inputs) if self.torch else np.array(inputs)
        if self.examples.ndim < 2 or not self.examples.size:
            raise ValueError(
                f"inputs must have shape (B, …) with at least one row: got {self.examples.shape}"
            )
        self.shape = self.examples.shape[1:]
        self.perturb = perturb
        self.rng = np.random.default_rng([seed, 2])
        kind = self.examples.dtype.kind
        if perturb == "flip":
            if kind != "b" and not np.isin(self.examples, (0, 1)).all():
                raise ValueError('perturb="flip" needs inputs of 0 and 1: use "normal" or "token"')
        elif perturb == "token":
            if kind not in "iu":
                raise ValueError(f'perturb="token" needs integers: got {self.examples.dtype}')
            largest = int(self.examples.max())
            self.vocabulary = max(2, largest + 1) if vocabulary is None else int(vocabulary)
            if self.vocabulary <= max(largest, 1):
                raise ValueError(
                    f"vocabulary must be at least 2 and above the largest id {largest}: "
                    f"got {vocabulary}"
                )
        elif perturb in ("normal", "uniform"):
            if kind != "f":
                raise ValueError(f'perturb="{perturb}" needs floats: got {self.examples.dtype}')
        elif not callable(perturb):
            raise ValueError(
                'perturb must be "flip", "token", "normal", "uniform" or a function of an input '
                f"and a generator: got {perturb!r}"
            )

    def start(self, draw: int, size: float) -> np.ndarray:
        """Where draw number `draw` starts: a given row while they last, then a drawn input."""
        if draw < len(self.examples):
            return self.examples[draw].copy()
        model = self.examples[draw % len(self.examples)]
        if self.perturb == "flip":
            return self.rng.integers(0, 2, size=self.shape).astype(model.dtype)
        if self.perturb == "token":
            return self.rng.integers(0, self.vocabulary, size=self.shape).astype(model.dtype)
        return self.replacement(model, size)

    def replacement(self, x: np.ndarray, size: float) -> np.ndarray:
        """An input like `x` with every entry changed."""
        if self.perturb == "flip":
            return ~x if x.dtype.kind == "b" else (1 - x).astype(x.dtype)
        if self.perturb == "token":
            step = self.rng.integers(1, self.vocabulary, size=x.shape)
            return ((x.astype(np.int64) + step) % self.vocabulary).astype(x.dtype)
        if self.perturb == "normal":
            return (size * self.rng.standard_normal(x.shape)).astype(x.dtype)
        if self.perturb == "uniform":
            return self.rng.random(x.shape).astype(x.dtype)
        own: Any = self.perturb
        new = np.asarray(own(x.copy(), self.rng))
        if new.shape != x.shape:
            raise ValueError(f"perturb must return shape {x.shape}: got {new.shape}")
        if (new == x).any():
            unchanged = int((new == x).sum())
            raise ValueError(f"perturb must change every entry: it left {unchanged} as they were")
        return new.astype(x.dtype)


class _Model:
    """A copied module, or a function, as a map from numpy batches to numpy outputs."""

    def __init__(
        self,
        f: Any,
        call: Callable[[Any, Any], Any] | None,
        *,
        module: bool,
        double: bool,
        train: bool,
        randomize: bool,
        keep: Sequence[str],
        seed: int,
        reseed: Callable[[], None] | None,
    ) -> None:
        self.f = copy_model(f) if module else f
        self.call = call if call is not None else (lambda model, x: model(x))
        self.module, self.double, self.train, self.randomize = module, double, train, randomize
        self.seed, self.reseed = seed % 2**32, reseed
        self.names: list[str] = []
        if module:
            if isinstance(self.f, torch.nn.Module):
                self.f.cpu()  # a GPU's sums need not be repeatable, and MPS has no double precision
            if double:
                self.f.double()
            self.f.train() if train else self.f.eval()
            self.original, self.names = _state(self.f, keep)
            self.state = self.original
        drawn = self.names if randomize else []
        self.randomized = sum(int(self.original[name].numel()) for name in drawn)

    def restore(self, gain: float, positive: bool, rng: np.random.Generator) -> None:
        """Bring the module to the state of a new draw; nothing for a function."""
        if self.randomize and self.names:
            self.state = _drawn(self.original, self.names, rng, gain, positive)
            _load(self.f, self.state)
        self.rewind()

    def rewind(self) -> None:
        """Undo what calls in train mode have done to the module's state since `restore`."""
        if self.module and self.train:
            _load(self.f, self.state)

    def __call__(self, batch: np.ndarray, source: _Source) -> np.ndarray:
        x: Any = batch.copy()  # a function may write into its input
        if self.module or source.torch:
            x = torch.from_numpy(x)
            if self.module and x.is_floating_point():
                x = x.double() if self.double else x.float()
        if self.reseed is not None:
            self.reseed()
        torch.default_generator.manual_seed(self.seed)
        np.random.seed(self.seed)
        random.seed(self.seed)
        with torch.no_grad():
            out = self.call(self.f, x)
        return _rows_of(out, len(batch))


def _prepare(
    f: Any,
    source: _Source,
    call: Callable[[Any, Any], Any] | None,
    train: bool,
    seed: int,
    reseed: Callable[[], None] | None,
    randomize: bool,
    keep: Sequence[str],
) -> tuple[_Model, str]:
    """The model in double precision, or single if it must, after two calls that agreed."""
    module = _has_state(f)
    for double in (True, False) if module else (False,):
        try:
            model = _Model(
                f,
                call,
                module=module,
                double=double,
                train=train,
                randomize=randomize,
                keep=keep,
                seed=seed,
                reseed=reseed,
            )
            model.restore(1.0, False, np.random.default_rng([seed, 0, 1]))
            batch = np.repeat(source.start(0, 1.0)[None], 2, axis=0)
            first = model(batch, source)
            model.rewind()
            second = model(batch, source)
        except (WrongOutput, NotImplementedError):
            raise
        except Exception:
            # A correct model may cast to float32 on its way, and then fails on double weights.
            if not double:
                raise
            continue
        break
    if first.shape != second.shape or _differs(first, second).any():
        raise NotRepeatable(
            f"two calls with the same input gave different outputs in "
            f"{'train' if train else 'eval'} mode: draw random numbers from torch's global "
            "generator, and only in train mode"
        )
    return model, ("double" if double else "single") if module else "as given"


def _has_state(f: Any) -> bool:
    """Whether `f` has parameters; a stand-in raises an error of its own for a missing attribute."""
    if isinstance(f, torch.nn.Module):
        return True
    if isinstance(f, type) or not callable(f):
        raise TypeError(f"f must be a model or a function of one input: got {f!r}")
    try:
        return callable(f.state_dict) and callable(f.load_state_dict)
    except Exception:
        return False


def _state(model: Any, keep: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """A copy of the state, and the names in it of what is drawn: parameters that are no masks."""
    state = {
        name: value.detach().clone() if isinstance(value, torch.Tensor) else value
        for name, value in dict(model.state_dict()).items()
    }
    try:
        # A layer that is registered under two names has its mask in the state under both.
        buffers = {name for name, _ in model.named_buffers(remove_duplicate=False)}
    except Exception:
        buffers = {name for name, _ in model.named_buffers()}
    fixed = buffers.union(keep)
    names = [
        name
        for name, value in state.items()
        if name not in fixed and isinstance(value, torch.Tensor) and not _is_mask(value)
        if value.is_floating_point() or value.is_complex()
    ]
    return state, names


def _load(model: Any, state: dict[str, Any]) -> None:
    """Puts `state` into the model; what it registered since (a mask, at its first call) stays."""
    try:
        model.load_state_dict(state)
    except Exception:
        later = {n: v for n, v in dict(model.state_dict()).items() if n not in state}
        if not later:
            raise
        model.load_state_dict(state | later)


def _is_mask(value: torch.Tensor) -> bool:
    ones = value == 1
    return bool(value.ndim >= 2 and ones.any() and not ones.all() and (ones | (value == 0)).all())


def _drawn(
    state: dict[str, Any], names: list[str], rng: np.random.Generator, gain: float, positive: bool
) -> dict[str, Any]:
    """A copy of the state with fresh parameters."""
    fresh = dict(state)
    for name in names:
        old = state[name]
        values = rng.standard_normal(tuple(old.shape))
        if old.ndim >= 2:
            values *= gain / np.sqrt(max(1, int(np.prod(old.shape[1:]))))
        elif positive:
            values = np.abs(values) + 0.5
        fresh[name] = torch.as_tensor(values).to(dtype=old.dtype, device=old.device)
    return fresh


def _changed(
    model: _Model,
    source: _Source,
    start: np.ndarray,
    elements: np.ndarray,
    size: float,
    rows: int,
    outputs: int | Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """One draw: bool (outputs, inputs), and the first row of the unperturbed output."""
    n = len(elements)
    rows = max(2, min(rows, n))
    replaced = source.replacement(start, size).reshape(-1)
    base = model(np.repeat(start[None], rows, axis=0), source)
    groups = _positions(base.shape[1:], outputs)
    sizes = np.zeros((len(groups), n))
    for first in range(0, n, rows):
        # The last batch is filled up with unperturbed rows: equal shapes, equal arithmetic.
        batch = np.repeat(start[None], rows, axis=0).reshape(rows, -1)
        count = min(rows, n - first)
        for row in range(count):
            entries = elements[first + row]
            batch[row, entries] = replaced[entries]
        model.rewind()
        out = model(batch.reshape(rows, *start.shape), source)
        if out.shape != base.shape:
            raise WrongOutput(
                f"outputs of equal batches must have equal shapes: got {base.shape}, then "
                f"{out.shape}"
            )
        sizes[:, first : first + count] = (
            _sizes(out, base).reshape(rows, -1)[:count][:, groups].max(-1).T
        )
    return sizes > _rounding(sizes, base, groups), base[:1]


def _rows_mix(model: _Model, source: _Source, start: np.ndarray, size: float) -> bool:
    """Whether a change of row 0 changes row 1."""
    batch = np.repeat(start[None], 2, axis=0)
    base = model(batch, source)
    batch[0] = source.replacement(start, size)
    model.rewind()
    return bool(_differs(model(batch, source)[1], base[1]).any())


def _differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where a and b are not exactly equal; NaN equals NaN, and 0 equals −0."""
    different: np.ndarray = a != b
    if a.dtype.kind in "fc":
        different &= ~(np.isnan(a) & np.isnan(b))
    return different


def _sizes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far a and b are apart, 0 where they are equal, inf where one of them is not finite."""
    with np.errstate(all="ignore"):
        apart = np.abs(np.subtract(a, b, dtype=np.result_type(a, b, np.float64)))
    apart = np.where(np.isfinite(apart), np.maximum(apart, np.finfo(np.float64).tiny), np.inf)
    return np.where(_differs(a, b), apart, 0.0)


def _rounding(sizes: np.ndarray, outputs: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Up to which size a change of each output may be rounding: (outputs, 1); 0 of whole numbers.

    `sizes` are the changes (outputs, …), `outputs` a batch before them, `groups` as `_positions`.
    """
    if outputs.dtype.kind not in "fc":
        return np.zeros((len(groups), 1))
    changes = np.where(np.isfinite(sizes), sizes, 0.0).max(-1)
    values = np.abs(outputs[0].reshape(-1)[groups])
    values = np.where(np.isfinite(values), values, 0.0).max(-1)
    scale = np.maximum(np.maximum(changes, values), min(changes.max(), values.max()))
    return np.asarray(ROUNDING * np.finfo(outputs.dtype).eps * scale)[:, None]


def _array(tensor: torch.Tensor) -> np.ndarray:
    """A copy of a tensor; bfloat16, which numpy does not know, as float32."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy().copy()


def _rows_of(out: Any, count: int) -> np.ndarray:
    if isinstance(out, torch.Tensor):
        array = _array(out)
    elif isinstance(out, np.ndarray | list):
        try:
            array = np.array(out)
        except ValueError:
            array = np.empty(0, dtype=object)
    else:
        raise WrongOutput(
            f"the output must be one array, with a row for each of the {count} input rows: got a "
            f"{type(out).__name__} (pass call=lambda f, x: … to pick it)"
        )
    if array.dtype.kind not in "biufc" or array.ndim < 1 or len(array) != count:
        raise WrongOutput(
            f"the output must have one row of numbers for each of the {count} input rows: got "
            f"shape {array.shape} of {array.dtype}"
        )
    return array if array.ndim > 1 else array[:, None]


def _positions(shape: Sequence[int], together: int | Sequence[int]) -> np.ndarray:
    """Flat indices of the entries of each position, int (positions, entries of one).

    `together` counts axes with the batch as axis 0, as the caller sees them.
    """
    ndim = len(shape) + 1
    axes = (together,) if isinstance(together, int) else tuple(together)
    if any(not -ndim <= axis < ndim or axis % ndim == 0 for axis in axes):
        raise ValueError(f"axes {axes} must be axes of (B, {', '.join(map(str, shape))}), not 0")
    inner = sorted({axis % ndim - 1 for axis in axes})
    index = np.arange(int(np.prod(shape))).reshape(shape)
    index = np.moveaxis(index, inner, range(len(shape) - len(inner), len(shape)))
    width = int(np.prod([shape[axis] for axis in inner]))
    return index.reshape(-1, width)


def _allowed(allowed: Any, shape: tuple[int, int], own: bool) -> np.ndarray:
    """`allowed` as a bool matrix of this shape: from a matrix, places, or None."""
    if allowed is None:
        # More outputs than inputs or fewer: the first min(shape) of each are matched in order.
        ranks_out, ranks_in = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
        return ranks_in <= ranks_out if own else ranks_in < ranks_out
    matrix = np.asarray(allowed)
    if matrix.ndim == 1:
        matrix = past(matrix, own=own)
    if matrix.shape != shape:
        raise ValueError(f"allowed must have shape {shape} (outputs, inputs): got {matrix.shape}")
    return matrix.astype(bool)


@contextlib.contextmanager
def _own_randomness() -> Iterator[None]:
    """Leaves torch's, numpy's and Python's global generators as they were found."""
    state_numpy, state_python = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        np.random.set_state(state_numpy)
        random.setstate(state_python)


def _count(number: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def _edges(edges: np.ndarray, negation: str = "", words=("output", "input")) -> str:
    """The first three edges in words: "output 0 sees input 3, …"."""
    verb = "does not see" if negation else "sees"
    said = [f"{words[0]} {o} {verb} {words[1]} {i}" for o, i in edges[:3]]
    return ", ".join(said) + (f", and {len(edges) - 3:,} more" if len(edges) > 3 else "")
