"""Stand-ins: the same check sees the same thing here and through a process of its own."""

import copy
import socket
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from autograder import claim, expect_array, when
from autograder.checking import checks, judge
from autograder.inside import call_and_keep, gradient_step
from autograder.remote.client import GuestChannel, GuestGone
from autograder.remote.proxy import (
    CallTookTooLong,
    Here,
    NotAttempted,
    Standin,
    StudentFailed,
    WrongKind,
    standin_by_name,
)

CODE = textwrap.dedent(
    """
    import enum, torch, numpy as np

    def double(x): return 2 * x
    def square(x): return x * x
    def unfinished(x): raise NotImplementedError("write me")
    def nothing(x): return None
    def broken(x):
        y = 1
        return y / 0
    def grow(x):
        x += 1
        return x
    def noise(count, generator): return torch.rand(count, generator=generator)
    def dice(count, rng): return rng.integers(0, 6, size=count)
    def count_up(n):
        for i in range(n): yield i
    def bottomless():
        nested = []
        for _ in range(1000): nested = [nested]
        return nested
    def leave(): raise SystemExit
    class OutOfTime(ValueError): pass
    def refuse(x): raise OutOfTime("no")
    class Color(enum.IntEnum):
        RED = 3
    def odd(kind):
        return [ValueError("no"), ValueError, len, int, torch.nn.Linear(1, 1), iter([])][kind]
    def several(): return {"t": (torch.ones(2), [np.float32(1.5), True, None]), 3: Color.RED}
    class Layer(torch.nn.Linear):
        def extra(self, a, *, b): return a + b
    """
)


@pytest.fixture
def guest():
    """A channel to a plain process that has run CODE."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder.remote.server", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    channel = GuestChannel(ours, seconds=20)
    assert channel.run(CODE)["status"] == "ok"
    yield channel
    ours.close()
    process.kill()
    process.wait()


@pytest.fixture
def here():
    """A channel to objects of this process that has run CODE."""
    namespace = {"__name__": "student"}
    exec(compile(CODE, "<cell>", "exec"), namespace)
    return Here(namespace)


@pytest.fixture(params=["here", "guest"])
def channel(request):
    return request.getfixturevalue(request.param)


# One fixture run, many statements: a guest is a process, and a process costs a second.
def test_a_stand_in_behaves_like_the_object_it_stands_for(channel):
    def of(name):
        return standin_by_name(channel, name)

    assert of("double")(3) == 6
    assert torch.equal(of("double")(torch.arange(3.0)), torch.tensor([0.0, 2.0, 4.0]))

    answer = of("several")()
    assert torch.equal(answer["t"][0], torch.ones(2))
    assert answer["t"][1] == [np.float32(1.5), True, None]
    assert answer[3] == 3 and type(answer[3]) is int

    generator = torch.Generator().manual_seed(1)
    twin = torch.Generator().manual_seed(1)
    first = of("noise")(4, generator)
    assert torch.equal(first, torch.rand(4, generator=twin))
    assert torch.equal(generator.get_state(), twin.get_state()), "the generator comes back advanced"
    rng, numpy_twin = np.random.default_rng(2), np.random.default_rng(2)
    assert np.array_equal(of("dice")(count=5, rng=rng), numpy_twin.integers(0, 6, size=5))
    assert rng.random() == numpy_twin.random()

    assert list(of("count_up")(4)) == [0, 1, 2, 3]

    mine = np.zeros(2)
    of("grow")(mine)
    assert mine.sum() == 0, "a student's function cannot change the check's arrays"
    result, (after,) = call_and_keep(of("grow"), mine)
    assert (result == 1).all() and (after == 1).all()

    layer = of("Layer")(3, 2)
    assert isinstance(layer, Standin)
    assert layer.weight.shape == (2, 3) and layer.in_features == 3
    assert layer.extra(1, b=2) == 3
    x = torch.ones(4, 3)
    assert layer(x).shape == (4, 2)
    twin = copy.deepcopy(layer)
    assert gradient_step(twin, x) > 0
    assert not torch.equal(twin.weight, layer.weight), "a copy is a copy"
    layer.load_state_dict({k: torch.zeros_like(v) for k, v in layer.state_dict().items()})
    assert layer(x).abs().sum() == 0
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]

    with pytest.raises(NotAttempted):
        of("unfinished")(1)
    with pytest.raises(NotAttempted):
        of("nothing")(1)
    with pytest.raises(NotAttempted):
        of("no_such_name")
    with pytest.raises(StudentFailed, match="ZeroDivisionError: division by zero"):
        of("broken")(1)
    with pytest.raises(StudentFailed, match="nested"):
        of("bottomless")()
    with pytest.raises(StudentFailed, match="tried to end the process"):
        of("leave")()
    assert of("double")(1) == 2, "and none of that has done harm"


@checks("square", lesson="99_test", points=2)
def squares(square, draw):
    """A square is a square."""
    x = draw.normal(3)
    y = expect_array(square(x), (3,), "float")
    yield claim("has the shape of x", y.shape == x.shape)
    yield claim(
        "squares",
        np.allclose(y, x**2),
        advice=[when(np.allclose(y, 2 * x), "doubles", "you double"), "hm"],
    )


def test_the_verdict_is_the_same_here_and_there(channel):
    right = judge(standin_by_name(channel, "square"), name="square", lesson="99_test", seed=7)
    wrong = judge(standin_by_name(channel, "double"), name="square", lesson="99_test", seed=7)
    assert (right.status, right.earned) == ("passed", 2)
    assert (wrong.status, wrong.earned, wrong.misconceptions) == ("partly", 1, ["doubles"])


def test_an_exception_keeps_its_kind_whatever_its_name_says(channel):
    with pytest.raises(StudentFailed, match=r"^OutOfTime: no$") as raised:
        standin_by_name(channel, "refuse")(1)
    assert type(raised.value) is StudentFailed  # no deadline has passed
    assert raised.value.kinds == ("ValueError", "Exception", "BaseException")
    assert raised.value.is_a(ValueError) and raised.value.is_a(TypeError, ValueError)
    assert not raised.value.is_a(TypeError, KeyError)


def test_the_line_of_the_students_code_is_named(guest):
    verdict = judge(standin_by_name(guest, "broken"), name="square", lesson="99_test")
    assert verdict.status == "failed"
    assert verdict.line == "return y / 0"


def test_a_cell_gives_its_outputs_as_a_notebook_would(guest):
    outputs = guest.run("print('hi')\n1 + 1")["outputs"]
    assert outputs[0] == {"output_type": "stream", "name": "stdout", "text": "hi\n"}
    assert outputs[1]["data"] == {"text/plain": "2"}
    plot = guest.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")["outputs"]
    assert "image/png" in plot[-1]["data"]
    assert guest.run("1 / 0")["outputs"][0]["ename"] == "ZeroDivisionError"
    assert guest.run("def (")["status"] == "error"


def test_an_endless_cell_is_interrupted_and_the_notebook_goes_on(guest):
    assert guest.run("kept = 5\nwhile True: pass", seconds=0.3)["status"] == "timeout"
    assert guest.run("kept")["outputs"][0]["data"]["text/plain"] == "5"


def test_an_endless_call_is_a_failure_and_the_notebook_goes_on(guest):
    guest.run("def forever(x):\n    while True: pass")
    guest.seconds = 0.3
    with pytest.raises(CallTookTooLong, match=r"^Timeout: the call took longer than 0\.3 s$"):
        standin_by_name(guest, "forever")(1)
    guest.seconds = 20
    assert standin_by_name(guest, "double")(2) == 4


def test_a_guest_that_ends_itself_is_gone_for_good(guest):
    with pytest.raises(GuestGone, match="ended the process"):
        guest.run("import os; os._exit(3)")
    with pytest.raises(GuestGone):
        guest.run("1")


def test_widgets_and_progress_bars_do_not_need_a_front_end(guest):
    text = """
import ipywidgets
from tqdm.auto import tqdm
display(ipywidgets.IntSlider())
for i in tqdm(range(3)): pass
"""
    assert guest.run(text)["status"] == "ok"


def test_outputs_stop_at_their_limit(guest):
    outputs = guest.run("for i in range(200_000): print('x' * 100)")["outputs"]
    assert sum(len(o["text"]) for o in outputs) == 1_000_000


@pytest.mark.parametrize(
    ("value", "shape", "kind", "sentence"),
    [
        ("text", None, "any", "should be a tensor or an array: got a str"),
        (None, None, "any", "got None"),
        (torch.ones(2, 3), (3, 2), "any", r"shape \(3, 2\): got \(2, 3\)"),
        (torch.ones(2), (2,), "int", "should hold integers: got a tensor of float32"),
        ([[1], [1, 2]], None, "any", "a list of 2"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_told_in_one_sentence(value, shape, kind, sentence):
    with pytest.raises(WrongKind, match=sentence):
        expect_array(value, shape, kind, "the answer")


def test_what_stays_with_the_student_is_told_in_words(channel):
    for kind, sentence in enumerate(
        (
            "a ValueError (is `raise` missing?)",
            "a ValueError (is `raise` missing?)",
            "a function len",
            "the class int",
            "a model of class Linear",
            "an object of class list_iterator",
        )
    ):
        with pytest.raises(WrongKind) as told:
            expect_array(standin_by_name(channel, "odd")(kind))
        assert str(told.value).endswith(f"got {sentence}")


@pytest.mark.parametrize(
    "value", [torch.ones(2, dtype=torch.bfloat16), np.ones(2, "float16"), [1.0, 1.0], (1.0, 1.0)]
)
def test_any_kind_of_float_comes_back_as_float64(value):
    array = expect_array(value, (2,), "float")
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 1.0]
