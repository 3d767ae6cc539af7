"""The sampling player: images that appear number by number, as an autoregressive model drew them.

All that is played is sent once: the images, the order in which their numbers were drawn, and the
distribution that each was drawn from. The browser plays, pauses and steps by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets

from figures import widget
from figures.drawing import Drawing
from figures.widget import fixed

MOST_VALUES = 500_000  # probabilities that are sent: 2 MB
MOST_IMAGES = 12


class SamplingPlayer(widget.Widget):
    """Plays how images of whole numbers were drawn.

    images    whole numbers 0 … levels − 1, (count, colors, height, width) or (count, height,
              width), at most 12 of them.
    levels    how many values a number can have.
    chances   the distribution that each number was drawn from, (count, levels, colors, height,
              width) or (count, levels, height, width); left out, no bars are shown.
    turns     which number was drawn when: a permutation of 0 … n − 1, where numbers count in
              raster order with the colors of a pixel together. Raster order if left out.
    given     how many of them were known from the start.

    Raises ValueError, in one sentence, for arguments that cannot be played.

    `SamplingPlayer.of(model, 6, 8, 8, generator)` calls the student's own `sample`.
    """

    _esm, _css = widget.parts("sampling", ".sampling-player")

    _count = traitlets.Int(0).tag(sync=True)
    _height = traitlets.Int(0).tag(sync=True)
    _width = traitlets.Int(0).tag(sync=True)
    _colors = traitlets.Int(1).tag(sync=True)
    _levels = traitlets.Int(2).tag(sync=True)
    _turns = traitlets.List().tag(sync=True)
    _given = traitlets.Int(0).tag(sync=True)
    _images = traitlets.Bytes(b"").tag(sync=True)  # uint8 (count, n), raster order
    _chances = traitlets.Bytes(b"").tag(sync=True)  # float32 (count, n, levels), or nothing
    _notice = traitlets.Unicode("").tag(sync=True)
    # Where the reader is.
    _step = traitlets.Int(0).tag(sync=True)
    _image = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        images: Any = None,
        levels: int = 2,
        chances: Any = None,
        turns: Sequence[int] | None = None,
        given: int = 0,
    ) -> None:
        super().__init__()
        if images is not None:
            self._show(_numpy(images), int(levels), _numpy(chances), turns, int(given))

    @classmethod
    def of(
        cls,
        model: Any,
        count: int,
        height: int,
        width: int,
        generator: Any = None,
    ) -> SamplingPlayer:
        """Plays `model.sample(count, height, width, generator)`.

        The distributions are the softmax of `model(images)`, (count, levels, colors, height,
        width): in a causal network, those that the numbers were drawn from. A method that is not
        written yet, or that raises, gives a sentence in place of the pictures.
        """
        import torch

        player = cls()

        def play(model: Any) -> None:
            def drawn() -> bool:
                with torch.no_grad():
                    images = model.sample(count, height, width, generator)
                    if images is None:
                        raise NotImplementedError
                    chances = model(images).double().softmax(dim=1)
                player._show(_numpy(images), int(chances.shape[1]), _numpy(chances), None, 0)
                player._step = player._n  # the images first: how they came about is played
                return True

            _, player._notice = widget.asked(getattr(model, "sample", model), drawn)

        player.draw_from(play, model)
        return player

    def _show(
        self,
        images: np.ndarray,
        levels: int,
        chances: np.ndarray | None,
        turns: Sequence[int] | None,
        given: int,
    ) -> None:
        if images.ndim == 3:
            images = images[:, None]
            chances = None if chances is None else chances[:, :, None]
        if images.ndim != 4 or 0 in images.shape:
            raise ValueError(
                f"images must have shape (count, colors, height, width): got {images.shape}"
            )
        count, colors, height, width = images.shape
        n = colors * height * width
        if count > MOST_IMAGES or not 2 <= levels <= 256 or colors not in (1, 3):
            raise ValueError(
                f"at most {MOST_IMAGES} images of 1 or 3 colors and 2 … 256 levels can be played: "
                f"got {count} of {colors} color{'s' * (colors != 1)} and {levels} levels"
            )
        if not ((images >= 0) & (images < levels) & (images == np.floor(images))).all():
            raise ValueError(f"images must hold whole numbers 0 … {levels - 1}")
        if chances is not None and chances.shape != (count, levels, colors, height, width):
            raise ValueError(
                f"chances must have shape {(count, levels, colors, height, width)}: got "
                f"{chances.shape}"
            )
        if chances is not None and chances.size > MOST_VALUES:
            raise ValueError(
                f"at most {MOST_VALUES:,} probabilities can be sent: got {chances.size:,}"
            )
        order = list(range(n)) if turns is None else [int(t) for t in turns]
        if sorted(order) != list(range(n)):
            raise ValueError(f"turns must hold each of 0 … {n - 1} once")
        if not 0 <= given <= n:
            raise ValueError(f"given must be in 0 … {n}: got {given}")
        with self.hold_sync():
            self._count, self._colors, self._levels = count, colors, levels
            self._height, self._width = height, width
            self._turns, self._given, self._step = order, given, given
            flat = images.transpose(0, 2, 3, 1).reshape(count, n)
            self._images = flat.astype(np.uint8).tobytes()
            self._chances = b""
            if chances is not None:
                flat = chances.transpose(0, 3, 4, 2, 1).reshape(count, n, levels)
                self._chances = flat.astype("<f4").tobytes()

    # --------------------------------------------------------------------------------- in words
    # The JavaScript says the same in the same words; a test holds the two together.

    @property
    def _n(self) -> int:
        return self._colors * self._height * self._width

    def _title(self, number: int) -> str:
        pixel, k = divmod(number, self._colors)
        r, c = divmod(pixel, self._width)
        return f"{'RGB'[k] + ' of ' if self._colors > 1 else ''}row {r + 1}, column {c + 1}"

    def step_in_words(self, step: int, image: int = 0) -> str:
        """What happened at a step of an image (from 0): which number was drawn, and its cost."""
        if self._notice:
            return self._notice
        if step == self._given:
            given = f"{step} given numbers" if step else "nothing"
            return f"Image {image + 1}, step {step} of {self._n}: {given}, nothing drawn yet."
        number = self._turns[step - 1]
        level = self._images[image * self._n + number]
        said = (
            f"Image {image + 1}, step {step} of {self._n}: {self._title(number)} becomes level "
            f"{level}"
        )
        if not self._chances:
            return f"{said}."
        nats = 0.0
        for t in self._turns[self._given : step]:
            p = self._chance(image, t, self._images[image * self._n + t])
            nats -= math.log(p) if p > 0 else -math.inf
        p = self._chance(image, number, level)
        said += f", which had probability {fixed(p, 3)}. So far {fixed(nats, 2)} nats."
        if step == self._n:
            drawn = self._n - self._given
            bits = fixed(nats / math.log(2) / drawn, 3)
            said += f" All is drawn: {bits} bits per dimension."
        return said

    def picture(self) -> Drawing | None:
        """The images, all drawn."""
        if not self._count:
            return None
        per_row = min(self._count, 6)
        side = 700 / per_row - 12
        cell = side / max(self._height, self._width)
        rows = -(-self._count // per_row)
        drawing = Drawing(700, rows * (self._height * cell + 14))
        grid = np.frombuffer(self._images, np.uint8) / (self._levels - 1)
        grid = grid.reshape(self._count, self._height, self._width, self._colors)
        for k, image in enumerate(grid):
            left = k % per_row * (side + 12)
            top = k // per_row * (self._height * cell + 14)
            width = self._width * cell
            drawing.rect(left, top, width, self._height * cell, "page", stroke="rim")
            for r, c in np.ndindex(self._height, self._width):
                ink = float(image[r, c, 0])
                drawing.mark("image", k, r * self._width + c, fixed(ink, 2))
                shade: dict = {"fill": "ink", "fill_opacity": round(ink, 2)}
                if self._colors > 1:
                    shade = {"fill": f"rgb({','.join(str(int(255 * v)) for v in image[r, c])})"}
                if self._colors > 1 or ink:
                    drawing.rect(left + c * cell, top + r * cell, cell, cell, **shade)
        return drawing

    def words(self) -> list[str]:
        """How many images there are, and what each cost."""
        return [line for line in super().words() if "░" not in line and "█" not in line]

    def _chance(self, image: int, number: int, level: int) -> float:
        at = ((image * self._n + number) * self._levels + level) * 4
        return float(np.frombuffer(self._chances[at : at + 4], "<f4")[0])

    def __repr__(self) -> str:
        if self._notice:
            return f"SamplingPlayer: {self._notice}"
        if not self._count:
            return "SamplingPlayer: no images"
        lines = [
            f"SamplingPlayer: {self._count} images of {self._height}×{self._width} pixels, "
            f"{self._levels} levels, drawn in {self._n - self._given} steps.",
            *(self.step_in_words(self._n, i) for i in range(self._count)),
        ]
        if self._colors == 1 and self._width * self._count <= 120:
            shades = " ░▒▓█"
            grid = np.frombuffer(self._images, np.uint8).reshape(
                self._count, self._height, self._width
            )
            for r in range(self._height):
                lines.append(
                    "   ".join(
                        "".join(shades[int(v) * 4 // (self._levels - 1)] for v in image[r])
                        for image in grid
                    )
                )
        return "\n".join(lines)


def _numpy(value: Any) -> np.ndarray | None:
    if value is None:
        return None
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
