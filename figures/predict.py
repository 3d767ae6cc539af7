"""A prediction: choose, commit, and only then see the answer and how you did.

The browser shows the question and the choices. What is true is computed by the notebook's kernel
after the choice is made, so that nothing on the page gives it away before. What is saved of it then
holds choice and answer, which stand there when the notebook is opened again without a kernel.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from course.demo import solved
from figures import widget
from figures.drawing import Drawing

_chosen: dict[str, int] = {}  # question → choice: a cell that runs again keeps what was committed
WIDTH = 96  # characters of a line of the still picture


def predict(
    question: str,
    choices: Sequence[str],
    answer: int | Callable[[], int],
    why: str | Callable[[], str] = "",
) -> None:
    """Displays a question whose answer shows once the reader has chosen; never graded.

    question, choices  plain text, at least two choices.
    answer             the place of the true one in `choices`, from 0, or a function that computes
                       it. It is called after the choice; if it meets an exercise that is still
                       empty, the choice stays and the sentence says what to solve.
    why                what is told with the answer, or a function that computes it.

    The choice is kept in the cell's saved output. Raises ValueError for fewer than two choices, two
    that are the same, or an answer that is none of them.
    """
    from IPython.display import display

    shown = Prediction(question, choices, answer, why)
    display(shown)
    if question in _chosen and _chosen[question] < len(shown.choices):
        shown._choice = _chosen[question]


class Prediction(widget.Widget):
    """The widget of `predict`, which is how a lesson uses it."""

    _esm, _css = widget.parts("predict", ".prediction")

    _question = traitlets.Unicode("").tag(sync=True)
    _choices = traitlets.List().tag(sync=True)
    _choice = traitlets.Int(-1).tag(sync=True)  # what the reader committed to
    # What the kernel answers: [kind, verdict, explanation, the true choice or −1].
    _told = traitlets.List().tag(sync=True)

    def __init__(
        self,
        question: str,
        choices: Sequence[str],
        answer: int | Callable[[], int],
        why: str | Callable[[], str] = "",
    ) -> None:
        super().__init__()
        choices = [str(choice) for choice in choices]
        if len(choices) < 2 or len(set(choices)) < len(choices):
            raise ValueError(f"a prediction needs two different choices or more: got {choices}")
        if not callable(answer):
            _place(answer, choices)
        self._answer, self._why = answer, why
        self._question, self._choices = question, choices
        self.observe(self._tell, names="_choice")

    @property
    def choices(self) -> list[str]:
        """The choices, as they are shown."""
        return list(self._choices)

    @property
    def is_answered(self) -> bool:
        """Whether the reader has chosen, and was told something."""
        return bool(self._told)

    def _tell(self, change: Any) -> None:
        choice = self._choice
        if not 0 <= choice < len(self._choices):
            return
        _chosen[self._question] = choice
        said: list[str] = []
        with solved(say=said.append):
            right = self._answer() if callable(self._answer) else self._answer
            right = _place(right, self._choices)
            why = self._why() if callable(self._why) else self._why
            if right == choice:
                self._told = ["good", "You predicted it.", why, right]
            else:
                self._told = ["gap", f"It is: {self._choices[right]}.", why, right]
        if said:  # an exercise is still empty: the choice stays
            self._told = ["waiting", "Your choice is kept.", said[0], -1]
        self.keep()

    def in_words(self) -> str:
        """Question, choices, and what is known of choice and answer."""
        words = [self._question, f"Choices: {'; '.join(self._choices)}."]
        if not self.is_answered:
            return " ".join([*words, "(Run this cell, choose, and commit to see the answer.)"])
        _, verdict, why, _ = self._told
        words += [f"You chose: {self._choices[self._choice]}.", verdict, why]
        return " ".join(word for word in words if word)

    def words(self) -> list[str]:
        """What is known of choice and answer; the picture has the question and the choices."""
        if not self.is_answered:
            return ["Run this cell, choose, and commit to see the answer."]
        return [" ".join(word for word in self._told[1:3] if word)]

    def alt(self) -> str:
        """Question, choices, and what is known of choice and answer."""
        return self.in_words()

    def picture(self) -> Drawing:
        """The question and its choices: yours has a filled ring, the true one a check mark."""
        right = self._told[3] if self.is_answered else -1
        rows = [(line, -1, True) for line in textwrap.wrap(self._question, WIDTH)]
        for place, choice in enumerate(self._choices):
            notes = ["your choice"] * (place == self._choice) + ["true"] * (place == right)
            said = f"{choice} ({', '.join(notes)})" if notes else choice
            lines = textwrap.wrap(said, WIDTH)
            rows += [(line, -1 if i else place, False) for i, line in enumerate(lines)]
        drawing = Drawing(700, 22 * len(rows))
        for row, (line, place, bold) in enumerate(rows):
            y = 22 * row + 15
            true = place == right >= 0
            drawing.text(0 if bold else 24, y, line, "good-ink" if true else "ink", bold=bold)
            if place >= 0:
                drawing.circle(8, y - 5, 6, "page", stroke="rim", stroke_width=1.5)
                if place == self._choice:
                    drawing.circle(8, y - 5, 3, "path")
                yours = "yours" if place == self._choice else ""
                drawing.mark("choice", place, yours, "true" if true else "")
        return drawing

    def __repr__(self) -> str:
        return f"Prediction: {self.in_words()}"


def _place(answer: Any, choices: Sequence[str]) -> int:
    if isinstance(answer, bool) or not hasattr(answer, "__index__"):
        raise ValueError(f"the answer is the place of a choice, from 0: got {answer!r}")
    place = int(answer.__index__())
    if not 0 <= place < len(choices):
        raise ValueError(f"the answer is a place in 0 … {len(choices) - 1}: got {place}")
    return place
