"""The widgets of lessons 03 and 04 in a real JupyterLab: bytes arrive, the kernel answers."""

from playwright.sync_api import expect

from tests.browser.test_jupyterlab import notebook_of

WAIT = 120_000

NOTEBOOK = """
import torch
from figures.completion import CompletionExplorer
from figures.sharing import SharingExplorer

def logits(x, weight, bias):
    return x @ weight.tril(-1).T + bias

def complete(prefix, weight, bias, generator):
    rest = torch.ones(len(prefix), len(bias) - prefix.shape[1])
    return torch.cat([prefix, rest], 1)

random = torch.Generator().manual_seed(0)
weight, bias = torch.randn(16, 16, generator=random), torch.randn(16, generator=random)
completion = CompletionExplorer.of(logits, complete, weight, bias, cursor=4)
completion
"""

SHARING = """
shapes = ((3, 4), (3,), (4, 3), (4,))
sharing = SharingExplorer(*(torch.randn(s, generator=random) for s in shapes), step=3)
sharing
"""


def test_both_explorers_live_in_jupyterlab(lab, lab_page) -> None:
    notebook = lab.open(lab_page, notebook_of(NOTEBOOK, SHARING))
    notebook.run_all()
    completion = notebook.cell("completion = ").locator(".completion-explorer")
    label, words = completion.locator(".label"), completion.locator(".words")
    expect(label).to_have_text("Drawn after the 4 given pixels:", timeout=WAIT)
    completion.locator(".grids").press("ArrowRight")
    expect(words).to_contain_text("Pixel 6 (row 2, column 2)", timeout=WAIT)
    completion.locator(".grids").press("Enter")  # through the kernel, to the function and back
    expect(label).to_have_text("Drawn after the 5 given pixels:", timeout=WAIT)
    ending = completion.locator(".strip svg").first
    expect(ending).to_have_attribute("aria-label", "Ending 1: 11 of 11 drawn pixels are inked")

    sharing = notebook.cell("sharing = ").locator(".sharing-explorer")
    expect(sharing.locator(".words")).to_contain_text("Step 3: h3 is made of c", timeout=WAIT)
    sharing.locator(".lanes").press("ArrowLeft")
    expect(sharing.locator(".words")).to_contain_text("Step 2: h2 is made of c and column 1")
