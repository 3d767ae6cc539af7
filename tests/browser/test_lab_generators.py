"""Widgets of lessons 09, 10 and 12 to 14 in a real JupyterLab, each on its solved exercises."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import OpenNotebook
from tests.browser.test_jupyterlab import notebook_of

WAIT = 120_000

PIXELCNN = """
import torch
from autograder.lessons import solution_functions
from figures.receptive_field import ReceptiveFieldExplorer
from figures.sampling import SamplingPlayer

random = torch.Generator().manual_seed(0)
names = solution_functions("09_pixelcnn")
receptive = ReceptiveFieldExplorer.of_stacks(
    {"plain": names["plain_stack"]}, {"plain": names["receptive_field"]}, side=7, depth=2
)
receptive
"""

SAMPLING = """
pixels = names["PixelCNN"](levels=4, channels=4, kernels=(3,))
player = SamplingPlayer.of(pixels, 2, 4, 4, generator=random)
player
"""

WAVENET = """
from figures.dilation_tree import DilationTree

names = solution_functions("10_wavenet")
size = {"levels": 4, "channels": 4, "skip_channels": 4}
wavenet = names["WaveNet"](**size, kernel_size=2, dilations=[1, 2, 4])
tree = DilationTree.of_model(wavenet, names["CausalConv1d"], names["receptive_field"])
tree
"""

GPT2 = """
from figures.attention import AttentionExplorer

names = solution_functions("12_gpt2")
size = {"vocab_size": 8, "n_positions": 8, "n_embd": 8, "n_layer": 2, "n_head": 2}
gpt = names["GPT2"](size)
writers = {"generate_cached": names["generate_cached"]}
attention = AttentionExplorer.of(gpt, torch.tensor([[3, 1, 4, 1]]), writers=writers, count=3)
attention
"""

TEMPERATURE = """
from figures.next_token import NextToken

names = solution_functions("13_temperature")
logits = torch.randn(30, generator=random)
texts = {"T = 1": (["to", " be"], [5.0, 0.5])}
following = NextToken.of(names["next_probs"], logits, [f"t{i}" for i in range(30)], texts=texts)
following
"""

COMPRESSION = """
from figures.codec import CodecExplorer

names = solution_functions("14_compression")
bits = torch.randint(2, (3, 16), generator=random)
coder = names["PixelRegressions"](bits.numpy(), sees=lambda i: range(i))
codec = CodecExplorer.of(names["encode"], names["decode"], names["quantize"], coder, bits)
codec
"""


@pytest.fixture
def notebook(lab, lab_page) -> OpenNotebook:
    cells = (PIXELCNN, SAMPLING, WAVENET, GPT2, TEMPERATURE, COMPRESSION)
    notebook = lab.open(lab_page, notebook_of(*cells))
    notebook.run_all()
    return notebook


def says(widget: Locator, verdict: str, words: str) -> None:
    expect(widget.locator(".verdict")).to_contain_text(verdict, timeout=WAIT)
    expect(widget.locator(".words")).to_contain_text(words)


def test_all_draw_answer_keys_and_tell_the_kernel_where_they_are(notebook: OpenNotebook) -> None:
    receptive = notebook.cell("receptive = ").locator(".receptive-field")
    says(receptive, "with a blind spot", "Row 4, column 3 sees 11 of the 23 pixels before it")
    receptive.locator(".grids").press("ArrowRight")
    expect(receptive.locator(".words")).to_contain_text("Row 4, column 4 sees")
    receptive.get_by_role("slider", name="Layers").press("ArrowLeft")
    says(receptive, "everything before a pixel and within reach is seen", "Row 4, column 4 sees 4")

    player = notebook.cell("player = ").locator(".sampling-player")
    expect(player.locator(".words")).to_contain_text("bits per dimension", timeout=WAIT)
    player.locator(".stage").press("Home")
    expect(player.locator(".words")).to_contain_text("nothing drawn yet")
    player.locator(".stage").press("End")
    expect(player.locator(".words")).to_contain_text("bits per dimension")

    tree = notebook.cell("tree = ").locator(".dilation-tree")
    says(tree, "the logits of x32 see 8 samples", "The logits of x32 see codes 24–31")
    expect(tree.locator(".whole")).to_contain_text("Its lowest step is a shift by one")
    tree.locator(".tree").press("Home")
    expect(tree.locator(".words")).to_contain_text("The logits of x1 see nothing")

    attention = notebook.cell("attention = ").locator(".attention-explorer")
    says(attention, "Causal", "Position 4, “1”: sees all 4 tokens")
    attention.locator(".line").press("ArrowDown")
    expect(attention.locator(".words")).to_contain_text("Head 2 of block 1")
    attention.get_by_role("button", name="Next pass").click()
    expect(attention.locator(".tally").last).to_have_text("1 pass, 4 read")

    following = notebook.cell("following = ").locator(".next-token")
    says(following, "Your next_probs agrees", "T = 1, top-k all, top-p 1: 30 of 30 tokens")
    following.get_by_role("slider", name="top-k").press("Home")
    expect(following.locator(".words")).to_contain_text("top-k 1, top-p 1: 1 of 30 tokens is left")

    codec = notebook.cell("codec = ").locator(".codec-explorer")
    says(codec, "Lossless", "Pixel 1 (row 1, column 1)")
    codec.get_by_role("slider", name="Symbol").press("ArrowRight")
    expect(codec.locator(".words")).to_contain_text("Pixel 2 (row 1, column 2)")

    # What the reader chose is in the kernel; and what a cell sets there comes to the screen.
    places = (
        "(receptive._cursor, receptive._depth, player._step, tree._output, attention._head, "
        "attention._tick, following._at[1], codec._step)"
    )
    assert notebook.evaluate(places) == "(24, 1, 16, 1, 1, 1, 0, 2)"
    notebook.evaluate("setattr(codec, '_step', 16)")
    expect(codec.locator(".words")).to_contain_text("Pixel 16 (row 4, column 4)")
