"""In a real JupyterLab: a typed text and a moved slider change the picture that is there."""

from playwright.sync_api import expect

from autograder.lessons import load_lesson
from tests.browser.test_jupyterlab import notebook_of

WAIT = 120_000


def solved_up_to(lesson: str, text: str) -> list[str]:
    """The code cells of a lesson, solved, to the first that has `text` in it; checks left out."""
    sources = [
        c.source for c in load_lesson(lesson).cells if c.kind == "code" and c.role != "check"
    ]
    return sources[: next(i for i, source in enumerate(sources) if text in source) + 1]


def test_a_typed_text_and_a_moved_slider_are_drawn_anew(lab, lab_page) -> None:
    sliders = solved_up_to("13_temperature", "picture.rewrite(")
    box = solved_up_to("12_gpt2", "widgets.Text(")  # last: both lessons call a widget `picture`
    notebook = lab.open(lab_page, notebook_of(*sliders, *box))
    notebook.run_all()
    cell = notebook.cell("widgets.Text(")
    words = cell.locator(".attention-explorer .words")
    expect(words).to_contain_text("Position", timeout=WAIT)
    cell.get_by_label("text").fill("To be, or not to be")
    lab_page.keyboard.press("Enter")
    expect(words).to_contain_text("“␣be”: sees all", timeout=WAIT)
    expect(cell.locator(".attention-explorer")).to_have_count(1)

    picture = notebook.cell("picture.rewrite(").locator(".next-token")
    here = picture.locator(".column").first.locator(".said")
    expect(here).to_contain_text("My lord, I", timeout=WAIT)
    before = here.text_content()
    picture.get_by_role("slider", name="temperature T").focus()
    lab_page.keyboard.press("Home")
    expect(here).not_to_have_text(before, timeout=WAIT)
