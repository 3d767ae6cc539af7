"""The MADE mask explorer: a student's own masks as a network whose every path can be followed.

Inputs stand below, outputs above, and a line stands where a mask holds 1. Pointing at a unit, or
walking there with the arrow keys, lights the paths through it; a path that gives an output an
input at or after its place in the order is a leak, drawn dashed with a cross and said in words.

The rule drawn here is that of Germain, Gregor, Murray and Larochelle (2015), "MADE", section 4:
a hidden unit of degree m may see units of degree at most m, and output d may
see hidden units of degree smaller than its place.
"""

from collections.abc import Callable, Iterable, Sequence

import anywidget
import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing

MOST_UNITS = 64  # a layer wider than this cannot be told apart at 700 pixels
MOST_NAMED = 4  # how many leaks or gaps a sentence spells out before it counts the rest
RUN = 8  # numbers one after the other of which only the ends are said
ORDERS = ("natural", "reversed", "random")


class MaskExplorer(widget.Widget):
    """Draws masks as a layered graph with every path from input to output at hand.

    masks     one array a layer, shape (out, in) as `nn.Linear.weight` has it, holding 0 and 1
              (bool, int or float; NumPy, torch or lists). The first has n columns, the last n rows.
    place     when each input comes in the order, 1…n: `place[d]` is the place of input d.
              The natural order if left out.
    degrees   one array a hidden layer: m(k) of each unit, drawn inside it.
    names     n names for the inputs; their numbers 1…n if left out.

    Raises ValueError, in one sentence, for masks that do not fit together.

    `MaskExplorer.of(build_masks, assign_degrees, n=5, hidden_sizes=(8,))` calls the student's own
    functions instead, and offers other degrees and other orders.
    """

    _esm, _css = widget.parts("mask_explorer", ".mask-explorer")

    # What the JavaScript draws. A mask is a list of rows, a row is text like "0110"; `_order` holds
    # the places.
    _masks = traitlets.List().tag(sync=True)
    _order = traitlets.List().tag(sync=True)
    _degrees = traitlets.List().tag(sync=True)
    _names = traitlets.List().tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)
    # Whether the buttons that call the student's functions are shown, and which order is chosen.
    _order_name = traitlets.Unicode("natural").tag(sync=True)
    # What the reader did: entries [layer, row, column] changed by hand, and the last button.
    _breaks = traitlets.List().tag(sync=True)
    _request = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        masks: Sequence,
        place: Sequence[int] | None = None,
        degrees: Sequence | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.show(masks, place, degrees, names)

    @classmethod
    def of(
        cls,
        build_masks: Callable,
        assign_degrees: Callable,
        n: int = 5,
        hidden_sizes: Sequence[int] = (8,),
        order: str = "natural",
        names: Sequence[str] | None = None,
        seed: int = 0,
    ) -> "MaskExplorer":
        """An explorer of what the student's own functions return, reshuffled at a button's press.

        Calls `assign_degrees(n, hidden_sizes, generator)` and `build_masks(degrees, place)`, with
        `generator` a torch.Generator and `place` a tensor of the places 1…n. A function that is
        not written yet, or that raises, gives a sentence in place of the picture.
        """
        import torch

        if order not in ORDERS:
            raise ValueError(f"order is one of {', '.join(ORDERS)}: got {order!r}")
        if not 1 <= n <= MOST_UNITS:
            raise ValueError(f"n must be from 1 to {MOST_UNITS}: got {n}")
        explorer = cls.__new__(cls)
        anywidget.AnyWidget.__init__(explorer)
        explorer._n, explorer._hidden_sizes = n, tuple(hidden_sizes)
        explorer._names = _names_of(names, n)
        explorer._generator = torch.Generator().manual_seed(seed)
        explorer._live, explorer._order_name = True, order
        explorer._order = _order_called(order, n, explorer._generator)
        explorer.draw_from(explorer._redraw, build_masks, assign_degrees)
        explorer.observe(explorer._answer, names="_request")
        return explorer

    def show(
        self,
        masks: Sequence,
        place: Sequence[int] | None = None,
        degrees: Sequence | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        """Draws other masks in the same place; arguments and errors as for the class."""
        masks = _masks_of(masks)
        n = masks[0].shape[1]
        place = _place_of(place, n)
        degrees = _degrees_of(degrees, masks)
        names = _names_of(names, n)
        with self.hold_sync():  # one message: the picture never mixes old masks with a new order
            self._order, self._degrees, self._names = place, degrees, names
            self._masks = [["".join("01"[int(cell)] for cell in row) for row in m] for m in masks]
            self._breaks, self._notice = [], ""

    @property
    def masks(self) -> list[np.ndarray]:
        """The masks as they stand, with what was broken or mended by hand: (out, in), bool."""
        masks = [np.array([[cell == "1" for cell in row] for row in m]) for m in self._masks]
        for layer, row, column in self._breaks:
            masks[layer][row, column] ^= True
        return masks

    @property
    def connectivity(self) -> np.ndarray:
        """How many paths lead from each input to each output: (n outputs, n inputs), exact ints."""
        return path_counts(self.masks)

    def __repr__(self) -> str:
        if self._notice:
            return f"MaskExplorer: {self._notice}"
        sizes = [len(mask) for mask in self._masks[:-1]]
        hidden = f"hidden layers of {_listed(sizes)} units" if sizes else "no hidden layer"
        if len(sizes) == 1:
            hidden = f"a hidden layer of {sizes[0]} unit{'s' * (sizes[0] != 1)}"
        lines = [
            f"MaskExplorer: {len(self._order)} inputs, {hidden}, places {_listed(self._order)}"
        ]
        lines += [self.output_in_words(d) for d in range(len(self._order))]
        return "\n".join([*lines, self.in_words()])

    def output_in_words(self, output: int) -> str:
        """What one output sees, its leaks and its gaps, as the widget says it. Counts from 0."""
        counts, order, names = self.connectivity, self._order, self._names
        seen = [i for i in range(len(order)) if counts[output, i]]
        leaks = [i for i in seen if order[i] >= order[output]]
        gaps = [i for i in range(len(order)) if order[i] < order[output] and i not in seen]
        name = names[output]
        if not seen:
            text = f"Output {name} sees no input."
        else:
            text = f"Output {name} sees input{_s(seen)} {_in_runs(names[i] for i in seen)}."
        if leaks:
            text += (
                f" Not autoregressive: {len(leaks)} input{_s(leaks)} at or after the output: "
                f"{_in_runs(names[i] for i in leaks)}."
            )
        open_to = self._open_paths()
        reasons = ("these degrees leave no path", "with these degrees it could")
        why_not = {
            i: reasons[open_to[output][i]] if open_to else "the order allows it" for i in gaps
        }
        for why in (*reversed(reasons), "the order allows it"):
            if group := [i for i in gaps if why_not[i] == why]:
                unseen = _in_runs(names[i] for i in group)
                text += f" Output {name} does not see input{_s(group)} {unseen}: {why}."
        return text

    def in_words(self) -> str:
        """Whether the masks are autoregressive, and where not, as the widget says it."""
        if not self.masks:
            return self._notice
        counts, order, names = self.connectivity, self._order, self._names
        pairs = [(i, o) for o in range(len(order)) for i in range(len(order))]
        leaks = [(i, o) for i, o in pairs if counts[o, i] and order[i] >= order[o]]
        gaps = [(i, o) for i, o in pairs if not counts[o, i] and order[i] < order[o]]
        if leaks:
            arrows = [f"input {names[i]} → output {names[o]}" for i, o in leaks]
            inputs = "1 input" if len(leaks) == 1 else f"{len(leaks)} inputs"
            return f"Not autoregressive: {inputs} at or after the output: {_some(arrows)}."
        if gaps:
            arrows = [f"input {names[i]} → output {names[o]}" for i, o in gaps]
            paths = (
                "1 path that the order allows is"
                if len(gaps) == 1
                else (f"{len(gaps)} paths that the order allows are")
            )
            return f"Blind to the future, but {paths} missing: {_some(arrows)}."
        return "Autoregressive: every output sees all inputs before it, and nothing else."

    def _open_paths(self) -> list[list[bool]] | None:
        """Which input could reach which output under the degrees shown, or None without degrees."""
        if len(self._degrees) != len(self._masks) - 1:
            return None
        below = np.array(self._order)
        masks = []
        for degrees in map(np.array, self._degrees):
            masks.append(degrees[:, None] >= below[None, :])
            below = degrees
        masks.append(np.array(self._order)[:, None] > below[None, :])
        return (path_counts(masks) > 0).tolist()

    def _answer(self, change: dict) -> None:
        """Does what a button asked for, through the student's functions."""
        wanted = change["new"]
        if wanted.get("order") in ORDERS:
            self._order_name = wanted["order"]
            self._order = _order_called(self._order_name, self._n, self._generator)
            self._rebuild(new_degrees=False)
        elif wanted.get("reshuffle"):
            self._rebuild(new_degrees=True)

    def _redraw(self, build_masks: Callable, assign_degrees: Callable) -> None:
        """Draws what these functions return; degrees stay as long as their function does."""
        new_degrees = self._functions[1:] != (assign_degrees,)
        self._functions = (build_masks, assign_degrees)
        self._rebuild(new_degrees)

    def _rebuild(self, new_degrees: bool) -> None:
        import torch

        build_masks, assign_degrees = widget.current(self._functions)
        if new_degrees or self._drawn is None:
            self._drawn, notice = widget.asked(
                assign_degrees, assign_degrees, self._n, self._hidden_sizes, self._generator
            )
            if notice:
                return self._fail(notice)

        def masks() -> list[np.ndarray]:
            found = build_masks(self._drawn, torch.tensor(self._order))
            if found is None:
                raise NotImplementedError
            checked = _masks_of(found)
            if checked[0].shape[1] != self._n:
                raise ValueError(f"mask 1 needs {self._n} columns: got {checked[0].shape[1]}")
            return checked

        checked, notice = widget.asked(build_masks, masks)
        if notice:
            return self._fail(notice)
        self.show(checked, self._order, _hidden_only(self._drawn, checked), self._names)

    def _fail(self, notice: str) -> None:
        with self.hold_sync():
            self._masks, self._breaks, self._degrees, self._notice = [], [], [], notice

    _functions: tuple = ()
    _drawn = None  # the degrees as the student's function returned them

    def picture(self) -> Drawing | None:
        """The network, inputs below, and which output sees which input; None without masks."""
        masks, order = self.masks, self._order
        if not masks:
            return None
        sizes = [masks[0].shape[1], *(len(mask) for mask in masks)]
        last, n, across, band = len(sizes) - 1, sizes[0], 440.0, 78
        drawing = Drawing(700, band * last + 70)

        def place(layer: int, unit: int) -> tuple[float, float]:
            return across * (unit + 0.5) / sizes[layer], 30.0 + band * (last - layer)

        for layer, mask in enumerate(masks):
            ends = [(place(layer, d), place(layer + 1, k)) for k, d in np.argwhere(mask)]
            drawing.path("".join(f"M{x:.0f} {y:.0f}L{u:.0f} {v:.0f}" for (x, y), (u, v) in ends),
                         "wire", 1.2)  # fmt: skip
        counts = self.connectivity
        leaks = [[bool(counts[o, i]) and order[i] >= order[o] for i in range(n)] for o in range(n)]
        for layer, size in enumerate(sizes):
            radius = max(4.0, min(13.0, 0.36 * across / size))
            for unit in range(size):
                x, y = place(layer, unit)
                leaking = layer == last and any(leaks[unit])
                drawing.circle(x, y, radius, stroke="leak" if leaking else "rim", stroke_width=1.5)
                if leaking:
                    drawing.cross(x + radius, y - radius, 4)
                hidden = 0 < layer < last and layer <= len(self._degrees)
                label = self._degrees[layer - 1][unit] if hidden else self._names[unit % n]
                if radius > 7 and (hidden or layer in (0, last)):
                    drawing.text(x, y + 4, label, anchor="middle", size=12)
        cell = min(34.0, 200 / n)
        by_place = sorted(range(n), key=order.__getitem__)

        def kind(row: int, column: int) -> str:
            o, i = by_place[row], by_place[column]
            seen = bool(counts[o, i])
            return ("leak" if column >= row else "seen") if seen else "gap" if column < row else ""

        drawing.text(480, 18, "Which output sees which input", "quiet")
        drawing.grid(490, 30, cell, (n, n), kind, "sees")
        return drawing


def path_counts(masks: Sequence[np.ndarray]) -> np.ndarray:
    """Number of paths from every input to every output: (outputs, inputs) of Python's exact ints.

    The masks' product: a path picks one open connection a layer, so paths multiply and add as
    matrix entries do (MADE, section 4).
    """
    product = np.asarray(masks[0]).astype(int).astype(object)
    for mask in masks[1:]:
        product = np.asarray(mask).astype(int).astype(object) @ product
    return product


def _masks_of(masks: Sequence) -> list[np.ndarray]:
    """The masks as bool arrays that fit together, or a ValueError that says which does not."""
    if isinstance(masks, dict) or not hasattr(masks, "__iter__"):
        raise ValueError(f"masks must be a list with one array a layer: got {type(masks).__name__}")
    arrays = [_array(mask, f"mask {i}") for i, mask in enumerate(masks, 1)]
    if not arrays:
        raise ValueError("masks is empty: a network needs at least one mask, of shape (out, in)")
    for i, array in enumerate(arrays, 1):
        if array.ndim != 2 or 0 in array.shape:
            raise ValueError(f"mask {i} must have shape (out, in): got shape {array.shape}")
        if not np.isin(array, (0, 1)).all():
            odd = array[~np.isin(array, (0, 1))].flat[0]
            raise ValueError(f"mask {i} must hold 0 and 1 only: got {odd:g}")
        if max(array.shape) > MOST_UNITS:
            raise ValueError(
                f"mask {i} has shape {array.shape}, and {MOST_UNITS} units a layer is the most "
                "that can be drawn: try n=8 and hidden_sizes=(16,)"
            )
    for i in range(1, len(arrays)):
        units, columns = arrays[i - 1].shape[0], arrays[i].shape[1]
        if units != columns:
            raise ValueError(
                f"mask {i + 1} has shape {arrays[i].shape}, but mask {i} has {units} rows: masks "
                "have shape (out, in), as nn.Linear.weight; is one transposed?"
            )
    if arrays[-1].shape[0] != arrays[0].shape[1]:
        raise ValueError(
            f"the last mask must have a row for each of the {arrays[0].shape[1]} inputs: got shape "
            f"{arrays[-1].shape}; masks have shape (out, in), as nn.Linear.weight"
        )
    return [array.astype(bool) for array in arrays]


def _place_of(place: Sequence[int] | None, n: int) -> list[int]:
    if place is None:
        return list(range(1, n + 1))
    array = _array(place, "place")
    if array.shape != (n,) or sorted(array.tolist()) != list(range(1, n + 1)):
        raise ValueError(f"place must hold each of 1…{n} once: got {_short(array)}")
    return [int(number) for number in array]


def _order_called(name: str, n: int, generator: object) -> list[int]:
    import torch

    places = list(range(1, n + 1))
    if name == "random":
        return (1 + torch.randperm(n, generator=generator)).tolist()
    return places[::-1] if name == "reversed" else places


def _degrees_of(degrees: Sequence | None, masks: Sequence[np.ndarray]) -> list[list[int]]:
    if degrees is None:
        return []
    arrays = [_array(layer, f"degrees of layer {i}") for i, layer in enumerate(degrees, 1)]
    sizes = [mask.shape[0] for mask in masks[:-1]]
    if [array.shape for array in arrays] != [(size,) for size in sizes]:
        raise ValueError(
            f"degrees must hold one array a hidden layer, of {_listed(sizes) or 'no'} units: got "
            f"shapes {_listed(array.shape for array in arrays)}"
        )
    return [[int(degree) for degree in array] for array in arrays]


def _hidden_only(degrees: object, masks: Sequence[np.ndarray]) -> object:
    """The hidden layers' degrees, or None: solutions may keep those of the inputs before them."""
    try:
        layers = list(degrees)
        sizes = [mask.shape[0] for mask in masks[:-1]]
        first = len(layers) > len(sizes)
        hidden = layers[first : first + len(sizes)]
        return hidden if [len(layer) for layer in hidden] == sizes else None
    except TypeError:
        return None


def _names_of(names: Sequence[str] | None, n: int) -> list[str]:
    if names is None:
        return [str(i) for i in range(1, n + 1)]
    names = [str(name) for name in names]
    if len(names) != n:
        raise ValueError(f"names must hold {n} names, one an input: got {len(names)}")
    return names


def _array(values: object, what: str) -> np.ndarray:
    if hasattr(values, "detach"):  # a tensor, perhaps on another device or with a gradient
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
        if array.dtype.kind in "buif":
            return array
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{what} must be an array of numbers: got {type(values).__name__}")


def _short(array: np.ndarray) -> str:
    return f"shape {array.shape}" if array.size > 12 else str(array.tolist())


def _listed(things: Iterable[object]) -> str:
    return ", ".join(str(thing) for thing in things)


def _in_runs(names: Iterable[str]) -> str:
    """Names in a row; of a run of RUN numbers or more, its ends."""
    left, said = list(names), []
    while left:
        run = 1
        while run < len(left) and left[0].isdecimal() and left[run] == str(int(left[0]) + run):
            run += 1
        said.append(f"{left[0]} to {left[run - 1]}" if run >= RUN else left[0])
        del left[: run if run >= RUN else 1]
    return _listed(said)


def _some(things: Sequence[str]) -> str:
    if len(things) <= MOST_NAMED:
        return _listed(things)
    return f"{_listed(things[:MOST_NAMED])} and {len(things) - MOST_NAMED} more"


def _s(things: Sequence) -> str:
    return "" if len(things) == 1 else "s"
