"""A prediction: choose, commit, and only then see the answer and how you did.

The browser shows the question and the choices. What is true is computed by the notebook's kernel
after the choice is made, so that nothing on the page gives it away before. Question, choice and
answer are written into the cell's output as well, where they stand when the notebook is opened
again without a kernel.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import traitlets

from course.demo import solved
from figures import widget

_chosen: dict[str, int] = {}  # question → choice: a cell that runs again keeps what was committed
_serial = itertools.count()


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
    record = display({"text/html": "", "text/plain": ""}, raw=True, display_id=True)

    def keep(change: Any = None) -> None:
        if record is not None and shown.is_answered:  # None where no notebook displays
            html, text = shown.record()
            record.update({"text/html": html, "text/plain": text}, raw=True)

    shown.observe(keep, names="_told")
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
    _record = traitlets.Unicode("").tag(sync=True)  # the id of the saved words, hidden beside it

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
        self._record = f"prediction-{id(self):x}-{next(_serial)}"
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

    def in_words(self) -> str:
        """Question, choices, and what is known of choice and answer."""
        words = [self._question, f"Choices: {'; '.join(self._choices)}."]
        if not self.is_answered:
            return " ".join([*words, "(Run this cell, choose, and commit to see the answer.)"])
        _, verdict, why, _ = self._told
        words += [f"You chose: {self._choices[self._choice]}.", verdict, why]
        return " ".join(word for word in words if word)

    def record(self) -> tuple[str, str]:
        """What the saved notebook keeps, as HTML and as text; hidden while the widget is there."""
        _, verdict, why, right = self._told
        marks = []
        for place, choice in enumerate(self._choices):
            notes = ["your choice"] * (place == self._choice) + ["true"] * (place == right)
            noted = f" <b>({', '.join(notes)})</b>" if notes else ""
            marks.append(f"<li>{escape(choice)}{noted}</li>")
        html = (
            f'<div id="{self._record}"><p><b>Predict:</b> {escape(self._question)}</p>'
            f"<ul>{''.join(marks)}</ul><p>{escape(f'{verdict} {why}'.strip())}</p></div>"
        )
        return html, f"Prediction: {self.in_words()}"

    def __repr__(self) -> str:
        return f"Prediction: {self.in_words()}"


def _place(answer: Any, choices: Sequence[str]) -> int:
    if isinstance(answer, bool) or not hasattr(answer, "__index__"):
        raise ValueError(f"the answer is the place of a choice, from 0: got {answer!r}")
    place = int(answer.__index__())
    if not 0 <= place < len(choices):
        raise ValueError(f"the answer is a place in 0 … {len(choices) - 1}: got {place}")
    return place
