"""What all widgets share: their page, what a saved notebook keeps of them, and the student's code.

There is no build step. A notebook, an exported page and Colab get one self-contained module each.
What a widget draws from the student's functions goes through `Widget.draw_from` and `asked`: a
function is looked up by its name whenever it is used, and a fault in it is a sentence.
"""

from __future__ import annotations

import inspect
import math
import secrets
import sys
import sysconfig
import time
import traceback
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from figures import palette, saved

if TYPE_CHECKING:
    from figures.drawing import Drawing

HERE = Path(__file__).parent
SOON = 1.0  # seconds: a picture that took longer is not drawn anew unasked
# Where code lies that is not the student's: ours, libraries, Python's own.
_NOT_THEIRS = (str(HERE), str(HERE.parent / "course"), sysconfig.get_paths()["stdlib"])


class Widget(anywidget.AnyWidget):
    """A widget that stays true: in a saved notebook, and after its functions were changed.

    Its output holds a still `picture` and `words` beside the live view; where no model answers, the
    host shows these. `draw_from` draws, and draws again when the notebook binds a name anew.
    """

    _output_id = traitlets.Unicode().tag(sync=True)  # joins the live view with the saved one
    _live = traitlets.Bool(False).tag(sync=True)  # whether the view can ask the kernel something
    _news = traitlets.Unicode("").tag(sync=True)  # what became of a function that was changed
    _kept: Any = None  # the saved view's output; None where no notebook displays

    @traitlets.default("_output_id")
    def _new_output_id(self) -> str:
        return secrets.token_hex(4)

    def picture(self) -> Drawing | None:
        """What the widget shows now, without a front end; None where words say all."""
        return None

    def words(self) -> list[str]:
        """What the widget says now, a paragraph each, the whole first."""
        said = repr(self).removeprefix(f"{type(self).__name__}: ").splitlines()
        whole = self.in_words() if hasattr(self, "in_words") else said[0]
        return [whole, *(line.replace(f" {whole}.", "") for line in said if line != whole)]

    def alt(self) -> str:
        """What the picture shows, for whoever cannot see it."""
        return " ".join([line for line in self.words() if line.strip()][:2])

    def keep(self) -> None:
        """Puts the picture and the words as they are now in the place of the saved ones."""
        if self._kept is not None:
            self._kept.update(self._saved_view(), raw=True)

    def _saved_view(self) -> dict[str, str]:
        picture = None if getattr(self, "_notice", "") else self.picture()
        still = saved.html_of(self._output_id, picture, self.words(), self.alt())
        return {"text/html": still, "text/plain": repr(self)}

    def _ipython_display_(self, **kwargs: Any) -> None:
        # Two outputs: JupyterLab shows nothing else of an output whose model is gone.
        from IPython.display import display

        self._kept = display(self._saved_view(), raw=True, display_id=True)
        bundle = self._repr_mimebundle_(**kwargs)
        if bundle is None:
            return
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display({**data, "text/html": "", "text/plain": ""}, metadata=metadata, raw=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            # The base class may cut the text short; where no widget runs, the text is the picture.
            bundle[0]["text/plain"] = repr(self)
        return bundle

    def draw_from(self, draw: Callable[..., None], *sources: Any) -> None:
        """Calls `draw(*sources)`: now, and whenever one of them was changed in the notebook.

        sources: the student's functions and classes, dictionaries of them, or anything else, which
        is handed on as it is. `draw` sets traits, and raises nothing (see `asked`).
        """
        self._draw, self._sources = draw, sources
        began = time.monotonic()
        self._drawn_from = current(sources)
        draw(*self._drawn_from)
        self._seconds = time.monotonic() - began
        _listen(self)

    def _draw_anew(self) -> None:
        """Draws the functions that the notebook has now, or says that they were changed."""
        now = current(self._sources)
        named = _listed(name_of(new) for new in _changed(self._drawn_from, now))
        made = _listed(type(old).__name__ for old in _outdated(now))
        if made:  # a model is what its class was when it was made
            self._news = f"{made} changed: make the model again, and run this cell, to see it."
        if made or not named:
            return
        if self._seconds > SOON:
            self._news = f"{named} changed: run this cell again to see it."
            return
        self._drawn_from = now
        for notice in [name for name in self.trait_names() if name.endswith("_notice")]:
            setattr(self, notice, "")
        self._draw(*now)
        self._news = f"{named} changed: this is the new picture."
        self.keep()


class WrongForm(Exception):
    """An answer in another form than the picture needs."""


def parts(name: str, root: str) -> tuple[str, str]:
    """The texts for `_esm` and `_css` of the widget whose files are `name`.js and `name`.css.

    root: the selector of the widget's outermost element, as ".mask-explorer".
    """
    shared, own = ((HERE / f"{stem}.css").read_text("utf-8") for stem in ("widget", name))
    css = palette.stylesheet(root) + shared.replace(".widget", root) + own
    return "".join((HERE / f"{stem}.js").read_text("utf-8") for stem in ("widget", name)), css


# --- the student's functions, as they are now -----------------------------------------------------


def current(source: Any) -> Any:
    """What the notebook calls by this function's or class's name now; other things as they are.

    Tuples, lists and dictionaries are looked through. A function made inside another has no name in
    the notebook, and is returned itself.
    """
    if isinstance(source, Mapping):
        return {key: current(value) for key, value in source.items()}
    if type(source) in (tuple, list):
        return type(source)(current(value) for value in source)
    name = getattr(source, "__name__", None)
    if not callable(source) or not name or getattr(source, "__qualname__", name) != name:
        return source
    if isinstance(source, type):
        names = vars(sys.modules.get(source.__module__, sys))
    else:
        # A decorated function has its decorator's names; what it wraps has the notebook's.
        names = getattr(inspect.unwrap(source), "__globals__", {})
    now = names.get(name, source)
    return now if callable(now) and isinstance(now, type) == isinstance(source, type) else source


def _each(source: Any) -> list[Any]:
    """What tuples, lists and dictionaries hold, one after the other."""
    if isinstance(source, Mapping):
        return _each(list(source.values()))
    return (
        [one for part in source for one in _each(part)]
        if type(source) in (tuple, list)
        else [source]
    )


def _changed(before: Any, now: Any) -> list[Any]:
    return [new for old, new in zip(_each(before), _each(now), strict=True) if new is not old]


def _outdated(sources: Any) -> list[Any]:
    """The objects whose class the notebook has defined anew since they were made."""
    return [one for one in _each(sources) if current(type(one)) is not type(one)]


def _listed(names: Iterable[str]) -> str:
    """ "f and g were", "f was", or nothing."""
    names = list(dict.fromkeys(names))
    return f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'}" if names else ""


_listeners: dict[Any, weakref.ref] = {}


def _listen(widget: Widget) -> None:
    """From now on `widget` is asked after every cell whether what it draws was changed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return
    if not _listeners:
        shell.events.register("post_run_cell", _after_a_cell)
    # A cell that is run again makes a new widget; the old one is on no screen.
    header = getattr(shell, "get_parent", dict)() or {}
    cell = (header.get("metadata") or {}).get("cellId")
    run = (header.get("header") or {}).get("msg_id")
    for key in [key for key in _listeners if cell and key[0] == cell and key[1] != run]:
        del _listeners[key]
    _listeners[cell, run, id(widget)] = weakref.ref(widget)


def _after_a_cell(*_: Any) -> None:
    for key, reference in list(_listeners.items()):
        widget = reference()
        if widget is None or widget.comm is None:
            del _listeners[key]
        else:
            widget._draw_anew()


# --- the student's functions, in words ------------------------------------------------------------


def asked(subject: Any, question: Callable[..., Any], *arguments: Any) -> tuple[Any, str]:
    """The answer and "", or None and one sentence on what stood in its way.

    subject: the student's function, class or model that `question(*arguments)` calls. An answer of
    None, and NotImplementedError, say that it is not written yet; WrongForm, that the answer was
    another than a picture needs.
    """
    name = name_of(subject)
    try:
        answer = question(*arguments)
        if answer is None:
            raise NotImplementedError
        return answer, ""
    except NotImplementedError as error:
        missing = str(error).partition(":")[0].strip()  # what a stub says: "f: write your code"
        return None, not_written(missing if missing.isidentifier() else name)
    except WrongForm as error:
        return None, f"{name}: {error}."
    except Exception as error:
        return None, sentence(subject, error)


def worst(faults: Sequence[int], otherwise: int) -> int:
    """Where most faults are, for a reader to see first; `otherwise` where there is none."""
    return max(range(len(faults)), key=faults.__getitem__) if any(faults) else otherwise


def visible(text: str) -> str:
    """A token's text with its white space made visible."""
    shown = text.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣")
    shown = "".join(c if c.isprintable() else "�" for c in shown)
    return shown if len(shown) <= 14 else shown[:13] + "…"


def ranges(places: Iterable[int]) -> str:
    """Places from 0, in order, as words from 1: 1–3, 7, 9–12."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][1]:
            runs[-1][1] = place + 1
        else:
            runs.append([place + 1, place + 1])
    return ", ".join(f"{a}–{b}" if b > a else f"{a}" for a, b in runs)


def not_written(name: str) -> str:
    """What stands in place of a picture of a function that is still to be written."""
    return f"{name} is not written yet: solve its exercise first."


def name_of(subject: Any) -> str:
    """A function's or a class's name, or that of an object's class."""
    return getattr(subject, "__name__", type(subject).__name__)


def sentence(subject: Any, error: Exception, name: str = "") -> str:
    """The student's error in a sentence, with the line of their own code where there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(subject, "__code__", None)
    lines = [f.lineno for f in frames if code is not None and f.filename == code.co_filename]
    lines = lines or [f.lineno for f in frames if _is_theirs(f.filename)]
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}: {said[0][:200]}" if said else type(error).__name__
    name = name or name_of(subject)
    return f"{name}, line {lines[-1]}: {what}" if lines else f"{name}: {what}"


def _is_theirs(filename: str) -> bool:
    return not filename.startswith(_NOT_THEIRS) and "site-packages" not in filename


def fixed(value: float, places: int) -> str:
    """2.350 as JavaScript's toFixed writes it, with a true minus; widget.js has the same."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    with localcontext(rounding=ROUND_HALF_UP):
        text = format(Decimal(abs(value)), f".{places}f")
    return ("−" if value < 0 and float(text) else "") + text
