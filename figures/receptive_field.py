"""The receptive-field explorer: point at a pixel of a network's output, and look what it sees.

What is drawn is measured on the student's own network (`course.causality`: one input is changed at
a time, and what moves depends on it), for every pixel at once, and sent to the browser as bits. A
prediction of the student's own is laid over it as rings. What comes before a pixel in raster order
and is not seen within reach is marked and said in words, and so is what should not be seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import traitlets

from course.causality import dependency_map
from figures import widget
from figures.drawing import Drawing

MOST_NUMBERS = 400  # of one image: the map has that squared bits
MOST_NAMED = 3  # pixels that a sentence spells out before it counts the rest
KINDS = ("A", "B")


class ReceptiveFieldExplorer(widget.Widget):
    """Draws which pixels each output of a network sees.

    `ReceptiveFieldExplorer.of_stacks({"plain": build}, {"plain": predict}, side=11)` builds stacks
    of masked layers with the student's `build`, for every depth and every choice of masks.
    `ReceptiveFieldExplorer.of_model(model, 8, 8, colors=3, levels=4)` looks at one network.
    A function that is not written yet, or that raises, gives a sentence in place of the picture.
    """

    _esm, _css = widget.parts("receptive_field", ".receptive-field")

    _height = traitlets.Int(0).tag(sync=True)
    _width = traitlets.Int(0).tag(sync=True)
    _colors = traitlets.Int(1).tag(sync=True)
    # One entry a network: name, first and rest (kinds of mask), depth, at (where its bits begin),
    # reach (how far its kernels go, or null), field (predicted offsets r, c, r, c, … or null).
    _views = traitlets.List().tag(sync=True)
    # Bit (o, i) of a map: output o moved when input i did; numbers count in raster order, the
    # colors of a pixel one after the other; eight to a byte, the first in the highest bit.
    _bits = traitlets.Bytes(b"").tag(sync=True)
    _notice = traitlets.Unicode("").tag(sync=True)
    _remark = traitlets.Unicode("").tag(sync=True)
    # What the reader chose.
    _name = traitlets.Unicode("").tag(sync=True)
    _first = traitlets.Unicode("A").tag(sync=True)
    _rest = traitlets.Unicode("B").tag(sync=True)
    _depth = traitlets.Int(1).tag(sync=True)
    _cursor = traitlets.Int(0).tag(sync=True)

    @classmethod
    def of_stacks(
        cls,
        stacks: Mapping[str, Callable],
        predict: Mapping[str, Callable] | None = None,
        side: int = 11,
        depth: int = 5,
        kernel_size: int = 3,
        seed: int = 0,
    ) -> ReceptiveFieldExplorer:
        """An explorer of stacks of masked layers, for 1 … depth layers and both kinds of masks.

        stacks: name → `build(layers)`, with layers a list of (kind, kernel_size), first layer
        first; it returns a network (B, 1, side, side) → (B, channels, side, side). predict: name →
        a function of the same layers that returns the offsets (rows, columns) it should see.

        Raises ValueError, in one sentence, for sizes that cannot be drawn.
        """
        if not stacks:
            raise ValueError("of_stacks needs at least one function that builds a network: got {}")
        if not 2 <= side <= int(MOST_NUMBERS**0.5) or depth < 1:
            raise ValueError(
                f"side must be in 2 … {int(MOST_NUMBERS**0.5)} and depth at least 1: got side "
                f"{side}, depth {depth}"
            )
        explorer = cls()
        explorer._height = explorer._width = side
        explorer._depth = min(2, depth)
        explorer._cursor = (side - 4) * side + side // 2 - 1

        def draw(stacks: dict[str, Callable], predict: dict[str, Callable]) -> None:
            explorer._set(*_stacks(stacks, predict, side, depth, kernel_size, seed))

        explorer.draw_from(draw, dict(stacks), dict(predict or {}))
        return explorer

    @classmethod
    def of_model(
        cls,
        model: Any,
        height: int,
        width: int,
        colors: int = 1,
        levels: int | None = None,
        reach: int | None = None,
        seed: int = 0,
    ) -> ReceptiveFieldExplorer:
        """An explorer of one network.

        model: (B, colors, height, width) → (B, channels, height, width) or, with the levels'
        logits on axis 1, (B, levels, colors, height, width). Its input is whole numbers below
        `levels`, or floats if that is None. reach: how many pixels away it can see by its kernels;
        without it everything before a pixel is taken to be within reach.

        Raises ValueError, in one sentence, for sizes that cannot be drawn.
        """
        if not 1 <= colors * height * width <= MOST_NUMBERS:
            raise ValueError(
                f"images of at most {MOST_NUMBERS} numbers can be drawn: got {colors} · {height} "
                f"· {width}"
            )
        explorer = cls()
        explorer._height, explorer._width, explorer._colors = height, width, colors
        explorer._first, explorer._rest, explorer._depth = "", "", 0

        def draw(model: Any) -> None:
            sees, trouble = widget.asked(
                model, _measured, model, height, width, colors, levels, seed
            )
            view = {"name": "", "first": "", "rest": "", "depth": 0, "reach": reach, "field": None}
            if trouble:
                explorer._set([], [], [trouble])
            else:
                explorer._set([view], [np.packbits(sees).tobytes()], [])

        explorer.draw_from(draw, model)
        middle = (height // 2) * width + width // 2
        explorer._cursor = middle * colors
        return explorer

    def _set(self, views: list[dict], maps: list[bytes], troubles: list[str]) -> None:
        at = 0
        for view, bits in zip(views, maps, strict=True):
            view["at"], at = at, at + len(bits)
        with self.hold_sync():
            self._views, self._bits = views, b"".join(maps)
            names = [view["name"] for view in views]
            self._name = self._name if self._name in names else names[0] if names else ""
            self._remark = " ".join(dict.fromkeys(troubles)) if views else ""
            self._notice = "" if views else " ".join(dict.fromkeys(troubles))

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says the same in the same words; a test holds the two together.

    def choose(self, name: str, first: str, rest: str, depth: int) -> None:
        """Shows another network: as the buttons and the slider do."""
        with self.hold_sync():
            self._name, self._first, self._rest, self._depth = name, first, rest, depth

    def _view(self) -> dict:
        wanted = (self._name, self._first, "B" if self._depth == 1 else self._rest, self._depth)
        return next(
            v for v in self._views if (v["name"], v["first"], v["rest"], v["depth"]) == wanted
        )

    @property
    def sees(self) -> np.ndarray:
        """The map that is drawn: bool (n, n), output by input, both in raster order."""
        n = self._height * self._width * self._colors
        view = self._view()
        bits = np.frombuffer(self._bits, np.uint8)[view["at"] : view["at"] + (n * n + 7) // 8]
        return np.unpackbits(bits)[: n * n].reshape(n, n).astype(bool)

    def _split(self, o: int) -> tuple[list[int], list[int], list[int], list[int]]:
        """Of output o: what it sees before itself, leaks, lost within reach, beyond reach."""
        seen, reach = self.sees[o], self._view()["reach"]
        before = [i for i in range(o) if seen[i]]
        leaks = [i for i in range(o, len(seen)) if seen[i]]
        unseen = [i for i in range(o) if not seen[i]]
        near = [i for i in unseen if reach is None or self._distance(o, i) <= reach]
        return before, leaks, near, [i for i in unseen if i not in near]

    def _place(self, i: int) -> tuple[int, int, int]:
        pixel, color = divmod(i, self._colors)
        return *divmod(pixel, self._width), color

    def _distance(self, o: int, i: int) -> int:
        (r, c, _), (s, d, _) = self._place(o), self._place(i)
        return max(abs(r - s), abs(c - d))

    def _title(self, i: int) -> str:
        r, c, k = self._place(i)
        color = f"{_color(k, self._colors)} of " if self._colors > 1 else ""
        return f"{color}row {r + 1}, column {c + 1}"

    def _count(self, number: int) -> str:
        noun = "pixel" if self._colors == 1 else "number"
        return f"{number} {noun}{'s' * (number != 1)}"

    def pixel_in_words(self, o: int) -> str:
        """What output o (from 0, in raster order) sees, and what not."""
        if self._notice:
            return self._notice
        before, leaks, near, far = self._split(o)
        name = self._title(o)
        said = f"{name[0].upper()}{name[1:]}"
        said += (
            f" sees {len(before)} of the {self._count(o)} before it."
            if o
            else (" is the first: nothing comes before it.")
        )
        if leaks:
            named = "; ".join(self._title(i) for i in leaks[:MOST_NAMED])
            more = f" and {len(leaks) - MOST_NAMED} more" if len(leaks) > MOST_NAMED else ""
            said += (
                f" Not autoregressive: it sees {self._count(len(leaks))} at or after itself: "
                f"{named}{more}."
            )
        if near:
            said += (
                f" {self._word(o, near)}: {self._count(len(near))} before it and within reach "
                f"{'is not seen:' if len(near) == 1 else 'are not seen, the last of them'} "
                f"{self._title(near[-1])}."
            )
        if far:
            said += f" {self._count(len(far))} {'lies' if len(far) == 1 else 'lie'} beyond reach."
        return said + self._prediction_in_words(o)

    def _word(self, o: int, near: list[int]) -> str:
        row, column, _ = self._place(o)
        right = any(s < row and d > column for s, d, _ in map(self._place, near))
        return "Blind spot" if right else "Lost"

    def _prediction_in_words(self, o: int) -> str:
        field = self._view()["field"]
        if field is None:
            return ""
        row, column, _ = self._place(o)
        spots = {(row + r, column + c) for r, c in zip(field[::2], field[1::2], strict=True)}
        inside = {
            r * self._width + c for r, c in spots if 0 <= r < self._height and 0 <= c < self._width
        }
        seen = set(np.flatnonzero(self.sees[o]).tolist())
        if inside == seen:
            return " Your formula predicts exactly this."
        return (
            f" Your formula predicts {self._count(len(inside - seen))} that {_is(inside - seen)} "
            f"not seen, and misses {self._count(len(seen - inside))} that {_is(seen - inside)}."
        )

    def picture(self) -> Drawing:
        """The chosen output, and which inputs it sees, a grid for each color."""
        seen, leaks, near, _ = map(set, self._split(self._cursor))
        grids = self._colors
        side = 280 if grids == 1 else 210
        cell = side / max(self._height, self._width)
        drawing = Drawing(700, 40 + cell * self._height)
        drawing.text(0, 14, f"What {self._title(self._cursor)} sees of the input", "quiet")
        for k in range(grids):

            def kind(r: int, c: int, k: int = k) -> str:
                i = (r * self._width + c) * grids + k
                if i in leaks:
                    return "leak"
                if i == self._cursor:
                    return "here"
                return "seen" if i in seen else "gap" if i in near else ""

            left = k * (side + 24)
            drawing.grid(left, 28, cell, (self._height, self._width), kind, f"input {k}")
            if grids > 1:
                drawing.text(left + side / 2, side + 38, _color(k, grids), anchor="middle")
        if grids == 1:
            for at, (kind, said) in enumerate(
                (("here", "the output's own place"), ("seen", "seen"),
                 ("gap", "before it and near, not seen"), ("leak", "a leak"))
            ):  # fmt: skip
                drawing.grid(330, 60 + 34 * at, 24, (1, 1), lambda r, c, kind=kind: kind)
                drawing.text(364, 77 + 34 * at, said)
        return drawing

    def words(self) -> list[str]:
        """The whole and the pixel; its squares are drawn."""
        return [line for line in super().words() if not set("█○◎·✕") & set(line[:12])]

    def in_words(self) -> str:
        """The network as a whole."""
        if self._notice:
            return self._notice
        splits = [self._split(o) for o in range(self._height * self._width * self._colors)]
        leaking = sum(bool(leaks) for _, leaks, _, _ in splits)
        losing = sum(bool(near) for _, _, near, _ in splits)
        if leaking:
            return (
                f"Not autoregressive: {leaking} of {len(splits)} outputs see themselves or what "
                "comes later"
            )
        if losing:
            blind = any(
                self._word(o, near) == "Blind spot" for o, (_, _, near, _) in enumerate(splits)
                if near
            )  # fmt: skip
            what = "with a blind spot" if blind else "but near pixels are lost"
            return f"Autoregressive, {what}: {losing} of {len(splits)} outputs do not see all"
        if not self.sees.any():
            return "Blind to the future, and to the past as well"
        return "Autoregressive: everything before a pixel and within reach is seen, nothing else"

    def __repr__(self) -> str:
        if self._notice:
            return f"ReceptiveFieldExplorer: {self._notice}"
        view = self._view()
        which = f"{self._height}×{self._width} pixels"
        which += f", {self._colors} colors" if self._colors > 1 else ""
        if view["depth"]:
            layers = f"{view['depth']} layer{'s' * (view['depth'] > 1)}"
            rest = f", then {view['rest']}" if view["depth"] > 1 else ""
            which += f", {view['name']}, {layers}, first {view['first']}{rest}"
        lines = [f"ReceptiveFieldExplorer: {which}. {self.in_words()}."]
        lines.append(self.pixel_in_words(self._cursor))
        if self._colors == 1:
            before, leaks, near, _ = map(set, self._split(self._cursor))
            for r in range(self._height):
                cells = []
                for i in range(r * self._width, (r + 1) * self._width):
                    cells.append(
                        ("✕" if i in leaks else "◎")
                        if i == self._cursor
                        else "✕"
                        if i in leaks
                        else "█"
                        if i in before
                        else "○"
                        if i in near
                        else "·"
                    )
                lines.append("".join(cells))
            lines.append("█ seen  ○ before it, not seen  ✕ leak  ◎ the pixel  · later, or far")
        return "\n".join([*lines, *([self._remark] if self._remark else [])])


def _measured(
    model: Any, height: int, width: int, colors: int, levels: int | None, seed: int
) -> np.ndarray:
    """Who sees whom, bool (n, n), both in raster order with the colors of a pixel together."""
    if model is None:
        raise NotImplementedError
    random, shape = np.random.default_rng(seed), (2, colors, height, width)
    floats = levels is None
    x = random.standard_normal(shape) if floats else random.integers(0, levels, size=shape)
    options = {} if floats else {"vocabulary": levels}
    # Axis 1 holds the levels' logits of one output; of (B, colors, H, W) it is the color.
    probe = dependency_map(
        model, _as_input(x), "normal" if floats else "token", draws=2, seed=seed, **options,
        outputs=1 if colors == 1 else (), call=_flat_colors(colors),
    )  # fmt: skip
    n = colors * height * width
    if probe.sees.shape != (n, n):
        raise ValueError(
            f"an output for each of the {n} numbers of an image is needed: got "
            f"{probe.sees.shape[0]} outputs"
        )
    turns = np.arange(n).reshape(colors, height, width).transpose(1, 2, 0).reshape(-1)
    return probe.sees[np.ix_(turns, turns)]


def _as_input(x: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(x)


def _flat_colors(colors: int) -> Callable | None:
    """For colors: of logits (B, levels, colors, H, W) one number an output, (B, colors, H, W)."""
    if colors == 1:
        return None

    def call(model: Any, x: Any) -> Any:
        logits = model(x)
        if getattr(logits, "ndim", 0) != 5:
            return logits
        # A weighted sum in double precision: what moves any level moves it, but for exact chance.
        weights = 1 + np.sqrt(2) * np.arange(logits.shape[1])
        import torch

        return torch.einsum("blchw,l->bchw", logits, torch.as_tensor(weights).to(logits))

    return call


def _stacks(
    stacks: Mapping[str, Callable],
    predict: Mapping[str, Callable],
    side: int,
    depth: int,
    kernel_size: int,
    seed: int,
) -> tuple[list[dict], list[bytes], list[str]]:
    """Views, maps and sentences of the stacks of 1 … depth layers, for every choice of masks."""
    views: list[dict] = []
    maps: list[bytes] = []
    troubles: list[str] = []
    choices = [
        (first, rest, layers)
        for first, rest, layers in itertools.product(KINDS, KINDS, range(1, depth + 1))
        if layers > 1 or rest == "B"  # of one layer there is no other
    ]
    reach = kernel_size // 2
    for name, build in stacks.items():

        def measured(build: Callable = build, name: str = name) -> list[tuple[dict, bytes]]:
            found = []
            for first, rest, layers in choices:
                sees = _measured(build(_layers(first, rest, layers, kernel_size)), side, side, 1,
                                 None, seed)  # fmt: skip
                view = {"name": name, "first": first, "rest": rest, "depth": layers,
                        "reach": layers * reach, "field": None}  # fmt: skip
                found.append((view, np.packbits(sees).tobytes()))
            return found

        found, trouble = widget.asked(build, measured)
        if trouble:
            troubles.append(trouble)
            continue
        views += [view for view, _ in found]
        maps += [bits for _, bits in found]
        if name in predict:
            own, field = [view for view, _ in found], predict[name]
            fields, trouble = widget.asked(field, _predicted, own, field, kernel_size)
            troubles += [trouble] if trouble else []
            for view, spots in zip(own, fields or [], strict=bool(fields)):
                view["field"] = spots
    return views, maps, troubles


def _layers(first: str, rest: str, layers: int, kernel_size: int) -> list[tuple[str, int]]:
    return [(first, kernel_size)] + [(rest, kernel_size)] * (layers - 1)


def _predicted(views: Iterable[dict], predict: Callable, kernel_size: int) -> list[list[int]]:
    """The predicted offsets of all views, each as r, c, r, c, …"""
    fields = []
    for view in views:
        found = predict(_layers(view["first"], view["rest"], view["depth"], kernel_size))
        if found is None:
            raise NotImplementedError
        pairs = sorted((int(r), int(c)) for r, c in found)
        fields.append([number for spot in pairs for number in spot])
    return fields


def _color(k: int, colors: int) -> str:
    return "RGB"[k] if colors == 3 else f"color {k + 1}"


def _is(spots: set[int]) -> str:
    return "is" if len(spots) == 1 else "are"
