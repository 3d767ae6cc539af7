"""The DAG editor: click the arrows of a small Bayes net, and its conditional tables follow.

The tables are drawn from the arrows alone: a row for each combination of the parents' values, a
column for each value of the node, and the last cell of a row hollow, since the row sums to 1.
Beside them stands what the student's own `bayes_net_parameters` says of the same graph, so that a
wrong count is seen before a check names it.

A graph with a cycle is no Bayes net: its arrows on the cycle are dashed, and it has no tables
(Pearl, 1988, "Probabilistic Reasoning in Intelligent Systems", section 3.3).
"""

import math
from collections.abc import Callable, Sequence

import traitlets

from figures import widget
from figures.drawing import Drawing

MOST_NODES = 6
MOST_VALUES = 6
MOST_KEPT = 400  # answers that are remembered, so that a graph seen before costs no call

# Pearl's garden ("Causality", 2000, figure 1.2): the season decides on rain and sprinkler, either
# wets the path, and a wet path is slippery.
NAMES = ("season", "rain", "sprinkler", "wet", "slippery")
CARDINALITIES = (4, 2, 2, 2, 2)
PARENTS = ((), (0,), (0,), (1, 2), (3,))


class DagEditor(widget.Widget):
    """A Bayes net of at most six variables whose arrows can be clicked on and off.

    bayes_net_parameters   the student's function of (cardinalities, parents); None: no answer line.
    cardinalities          how many values each variable has, 2 … 6.
    parents                for each variable the list of its parents' numbers, from 0.
    names                  a name for each variable.

    Raises ValueError, in one sentence, for a graph that cannot be drawn. A cycle can be drawn.
    """

    _esm, _css = widget.parts("dag_editor", ".dag-editor")

    _names = traitlets.List().tag(sync=True)
    _cardinalities = traitlets.List().tag(sync=True)
    _parents = traitlets.List().tag(sync=True)
    _start = traitlets.List().tag(sync=True)  # the parents it began with, to go back to
    # What the student's function says, by graph: {"kind": "good" | "bad" | "waiting", "words": …}.
    _answers = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        bayes_net_parameters: Callable | None = None,
        cardinalities: Sequence[int] = CARDINALITIES,
        parents: Sequence[Sequence[int]] = PARENTS,
        names: Sequence[str] = NAMES,
    ) -> None:
        cardinalities = _cardinalities_of(cardinalities)
        parents = _parents_of(parents, len(cardinalities))
        names = [str(name) for name in names][: len(cardinalities)]
        if len(names) != len(cardinalities):
            raise ValueError(
                f"each of the {len(cardinalities)} variables needs a name: got {len(names)} names"
            )
        super().__init__()
        self._names, self._cardinalities = names, cardinalities
        self._parents, self._start = parents, parents
        self._live = bayes_net_parameters is not None
        self.draw_from(self._begin, bayes_net_parameters)
        self.observe(self._answer, names=["_parents", "_cardinalities"])

    @property
    def parents(self) -> list[list[int]]:
        """The graph as it stands: for each variable, its parents' numbers."""
        return [list(row) for row in self._parents]

    @property
    def cardinalities(self) -> list[int]:
        """How many values each variable has, as it stands."""
        return list(self._cardinalities)

    def __repr__(self) -> str:
        lines = [f"DagEditor: {self.in_words()}"]
        if not cycle_of(self._parents):
            lines += [self.node_in_words(i) for i in range(len(self._names))]
        answer = self._answers.get(self._key())
        return "\n".join([*lines, answer["words"]] if answer else lines)

    def picture(self) -> Drawing:
        """The variables on a ring, with their arrows, and the size of each table."""
        n, drawing = len(self._names), Drawing(700, 300)
        ring = [*range(0, n, 2), *reversed(range(1, n, 2))]
        turns = [2 * math.pi * ring.index(i) / n for i in range(n)]
        places = [(170 + 118 * math.sin(t), 150 - 118 * math.cos(t)) for t in turns]
        halves = [4.1 * len(name) + 8 for name in self._names]
        cycle = cycle_of(self._parents)
        for child, parents in enumerate(self._parents):
            for parent in parents:
                (x, y), (u, v) = places[parent], places[child]
                length = math.hypot(u - x, v - y)
                a, b = (u - x) / length, (v - y) / length
                out, into = (
                    min((halves[i] + 4) / max(abs(a), 1e-9), 20 / max(abs(b), 1e-9))
                    for i in (parent, child)
                )
                ends = [(x + out * a, y + out * b), (u - into * a, v - into * b)]
                role = "leak" if {parent, child} <= set(cycle) else "rim"
                drawing.line(ends, role, 2, dashed=role == "leak")
                tip = ends[1]
                head = [(tip[0] - 9 * a - 5 * b, tip[1] - 9 * b + 5 * a), tip,
                        (tip[0] - 9 * a + 5 * b, tip[1] - 9 * b - 5 * a)]  # fmt: skip
                drawing.line(head, role, 2)
                drawing.mark("arrow", parent, child)
        for i, (x, y) in enumerate(places):
            drawing.rect(x - halves[i], y - 16, 2 * halves[i], 32, "node", rx=7, stroke="rim")
            drawing.text(x, y + 4, self._names[i], anchor="middle")
        if not cycle:
            for i, free in enumerate(free_numbers(self._cardinalities, self._parents)):
                drawing.text(380, 60 + 30 * i, f"{self._names[i]}: {_numbers(free)}")
                drawing.mark("free", i, free)
        return drawing

    def in_words(self) -> str:
        """How many free numbers the tables have, or the cycle, as the widget says it."""
        ring = cycle_of(self._parents)
        if ring:
            arrows = " → ".join(self._names[i] for i in [*ring, ring[0]])
            return f"Not a Bayes net: {arrows} is a cycle."
        count = sum(free_numbers(self._cardinalities, self._parents))
        full = math.prod(self._cardinalities) - 1
        if count == full:
            return f"{_numbers(count)}, as many as the full table."
        return f"{_numbers(count)}; the full table needs {full:,}."

    def node_in_words(self, node: int) -> str:
        """One variable's table, as the widget says it."""
        k, parents = self._cardinalities[node], self._parents[node]
        sizes = [self._cardinalities[j] for j in parents]
        rows = math.prod(sizes)
        product = " × ".join(map(str, sizes)) + f" = {rows:,}" if len(sizes) > 1 else f"{rows:,}"
        whose = _and([self._names[j] for j in parents])
        given = f"given {whose}, {product} row{_s(rows)}" if parents else "no parents, 1 row"
        return (
            f"{self._names[node]}: {k} values, {given} of {k} − 1 = {k - 1}: "
            f"{_numbers(rows * (k - 1))}."
        )

    def _key(self) -> str:
        rows = ";".join(",".join(map(str, row)) for row in self._parents)
        return ",".join(map(str, self._cardinalities)) + "|" + rows

    def _begin(self, bayes_net_parameters: Callable | None) -> None:
        self._function, self._answers = bayes_net_parameters, {}
        self._answer()

    def _answer(self, change: dict | None = None) -> None:
        """Asks the student's function about the graph as it stands, and remembers what it says."""
        key = self._key()
        if self._function is None or key in self._answers:
            return
        kept = dict(list(self._answers.items())[-MOST_KEPT:])
        kind, words = self._ask()
        self._answers = {**kept, key: {"kind": kind, "words": words}}

    def _ask(self) -> tuple[str, str]:
        name = getattr(self._function, "__name__", "your function")
        cyclic = bool(cycle_of(self._parents))
        refusal = []

        def question() -> object:
            graph = list(self._cardinalities), [list(row) for row in self._parents]
            try:
                return self._function(*graph)
            except ValueError as error:
                refusal.append(str(error).strip().partition("\n")[0][:160])
                raise

        said, notice = widget.asked(self._function, question)
        if cyclic and refusal:
            return "good", f"{name} refuses it, as it should: ValueError: {refusal[0].rstrip('.')}."
        if notice == widget.not_written(name):
            return "waiting", f"{notice} The tables follow your clicks all the same."
        if notice:
            return "bad", notice
        shown = _shown(said)
        if cyclic:
            return "bad", f"{name} says {shown}, but a graph with a cycle should be refused."
        count = sum(free_numbers(self._cardinalities, self._parents))
        if type(said) is int and said == count:
            return "good", f"{name} says {shown}, and so do the tables."
        return "bad", f"{name} says {shown}, but the tables hold {_numbers(count)}."


def free_numbers(cardinalities: Sequence[int], parents: Sequence[Sequence[int]]) -> list[int]:
    """Each variable's free numbers: k − 1 for each combination of its parents' values."""
    return [
        (k - 1) * math.prod(cardinalities[j] for j in row)
        for k, row in zip(cardinalities, parents, strict=True)
    ]


def cycle_of(parents: Sequence[Sequence[int]]) -> list[int]:
    """The nodes of one cycle, along its arrows, from its smallest; empty if there is none."""
    left = set(range(len(parents)))
    while True:
        without = {i for i in left if not left & set(parents[i])}
        if not without:
            break
        left -= without
    if not left:
        return []
    # Every node left has a parent that is left: going back from one must come round.
    path = [min(left)]
    while path.count(path[-1]) < 2:
        path.append(min(set(parents[path[-1]]) & left))
    ring = path[path.index(path[-1]) : -1][::-1]
    at = ring.index(min(ring))
    return ring[at:] + ring[:at]


def _cardinalities_of(cardinalities: Sequence[int]) -> list[int]:
    values = [int(k) for k in cardinalities]
    if not 2 <= len(values) <= MOST_NODES:
        raise ValueError(f"the editor draws 2 to {MOST_NODES} variables: got {len(values)}")
    for k in values:
        if not 2 <= k <= MOST_VALUES:
            raise ValueError(f"a variable has 2 to {MOST_VALUES} values here: got {k}")
    return values


def _parents_of(parents: Sequence[Sequence[int]], n: int) -> list[list[int]]:
    rows = [sorted({int(j) for j in row}) for row in parents]
    if len(rows) != n:
        raise ValueError(f"parents needs a list for each of the {n} variables: got {len(rows)}")
    for i, row in enumerate(rows):
        for j in row:
            if not 0 <= j < n or j == i:
                raise ValueError(
                    f"variable {i} has the parent {j}: parents are 0 … {n - 1}, others"
                )
            if i in rows[j] and j < i:
                raise ValueError(f"variables {j} and {i} are joined twice: one arrow a pair")
    return rows


def _shown(said: object) -> str:
    if type(said) is int:
        return f"{said:,}" if said.bit_length() < 100 else f"an integer of {said.bit_length()} bits"
    return f"{said!r}"[:40] + f" (a {type(said).__name__})"


def _numbers(count: int) -> str:
    return f"{count:,} free number{_s(count)}"


def _and(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def _s(count: int) -> str:
    return "" if count == 1 else "s"
