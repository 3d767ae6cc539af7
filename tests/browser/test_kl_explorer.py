"""The KL explorer in a browser computes and says what NumPy computes and Python says."""

import re

import nbformat
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from autograder import lessons
from figures.kl_explorer import KLExplorer

WAIT = 120_000  # milliseconds at most, for a kernel on a busy machine
CALM = {"reduced_motion": "reduce"}  # a descent jumps to its end: no test waits on a clock


def slide(page: Page, name: str, value: float) -> None:
    """Moves a slider as a pointer would, to a value of its own steps."""
    page.get_by_label(name).evaluate(
        "(slider, value) => { slider.value = value;"
        " for (const event of ['input', 'change']) slider.dispatchEvent(new Event(event)); }",
        value,
    )


def place(page: Page) -> tuple[float, float]:
    """Where the Gaussian stands, as the page told the model."""
    mu, sigma = page.evaluate("['mu', 'sigma'].map((name) => window.widgetModel.get(name))")
    return mu, sigma


@pytest.fixture(scope="module")
def functions() -> list:
    solved = lessons.solution_functions("06_kl")
    return [solved[name] for name in ("kl", "fit_forward", "fit_reverse")]


def test_both_divergences_are_numpys_wherever_the_gaussian_stands(show) -> None:
    explorer = KLExplorer(whole=True)
    page = show(explorer)
    rng = np.random.default_rng(5)
    for _ in range(12):
        slide(page, "mean μ", round(float(rng.uniform(-4.4, 4.4)), 2))
        slide(page, "standard deviation σ", round(float(rng.uniform(0.3, 2.9)), 2))
        explorer.mu, explorer.sigma = place(page)
        expect(page.locator(".words")).to_have_text(explorer.in_words())
        for direction in ("forward", "reverse"):
            value = getattr(explorer, direction)(explorer.mu, explorer.sigma)
            expect(page.locator(f".card.{direction} .number")).to_have_text(f"{value:.3f} nats")
            parts = page.locator(f".card.{direction} .parts")
            expect(parts).to_have_text(explorer.in_parts(direction))


@pytest.mark.parametrize(
    "start, end", [((1.0, 1.0), 0), ((-3.0, 0.5), 1), ((0.0, 2.0), 2), ((0.0, 2.9), 2)]
)
def test_descending_the_reverse_kl_ends_in_the_valley_of_the_start(show, start, end) -> None:
    explorer = KLExplorer(whole=True, mu=start[0], sigma=start[1])
    page = show(explorer, **CALM)
    page.get_by_role("button", name="Descend KL(q‖p)").click()
    assert place(page) == pytest.approx(explorer._optima["reverse"][end][:2], abs=2e-3)
    assert page.locator(".map.reverse .walk").get_attribute("d").startswith("M")
    assert not page.locator(".map.forward .walk").get_attribute("d")


@pytest.mark.parametrize("start", [(4.0, 0.3), (-4.0, 2.9), (0.0, 1.0)])
def test_descending_the_forward_kl_ends_at_the_moments_from_anywhere(show, start) -> None:
    explorer = KLExplorer(whole=True, mu=start[0], sigma=start[1])
    page = show(explorer, **CALM)
    page.get_by_role("button", name="Descend KL(p‖q)").click()
    assert place(page) == pytest.approx((0.4, np.sqrt(4.2)), abs=2e-3)


def test_a_moving_descent_can_be_stopped(show) -> None:
    page = show(KLExplorer(whole=True, mu=-4.0, sigma=2.9), reduced_motion="no-preference")
    button = page.locator("button.descend.forward")
    # In one breath, so that no frame can end the descent between the two presses.
    said = page.evaluate(
        """() => {
          const button = document.querySelector("button.descend.forward"), said = [];
          for (let press = 0; press < 2; press++) { button.click(); said.push(button.textContent); }
          return said;
        }"""
    )
    assert said == ["Stop", "Descend KL(p‖q)"]
    expect(button).to_have_text("Descend KL(p‖q)")
    expect(page.locator(".kl-explorer")).to_have_attribute("data-descending", "false")


def test_sliders_answer_arrow_keys_and_the_notebook_does_not_hear_them(show) -> None:
    explorer = KLExplorer(whole=True)
    page = show(explorer)
    page.evaluate("window.heard = 0; document.addEventListener('keydown', () => window.heard++)")
    page.get_by_label("mean μ").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.get_by_label("standard deviation σ").focus()
    page.keyboard.press("ArrowLeft")
    assert place(page) == pytest.approx((0.03, 0.99), abs=1e-9)
    assert page.evaluate("window.heard") == 0
    explorer.mu, explorer.sigma = place(page)
    expect(page.locator(".words")).to_have_text(explorer.in_words())


def test_the_peak_moves_mu_and_a_square_moves_sigma(show) -> None:
    page = show(KLExplorer(whole=True))

    def drag(selector: str, by: float) -> None:
        box = page.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by, y)
        page.mouse.up()

    drag("circle.handle", 60)
    mu, sigma = place(page)
    assert 0.5 < mu < 1.5 and sigma == 1.0
    drag("rect.handle >> nth=1", 50)
    assert place(page)[0] == mu and place(page)[1] > 1.3
    drag("rect.handle >> nth=0", 30)  # the left square, inward
    assert place(page)[0] == mu and place(page)[1] < 1.6


def test_a_point_of_a_landscape_is_a_gaussian(show) -> None:
    explorer = KLExplorer(whole=True)
    page = show(explorer)
    optimum = page.locator(".map.reverse .optimum").first.bounding_box()
    page.mouse.click(optimum["x"] + optimum["width"] / 2, optimum["y"] + optimum["height"] / 2)
    assert place(page) == pytest.approx(explorer._optima["reverse"][0][:2], abs=0.05)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_pointing_at_the_integrand_says_what_the_point_adds(show, direction) -> None:
    explorer = KLExplorer(whole=True, mu=1.0, sigma=0.7)
    page = show(explorer)
    page.locator(f"input[value={direction}]").check()
    box = page.locator("svg.plot").bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.85 * box["height"])
    words = page.locator(".words")
    expect(words).to_contain_text("At x = ")
    x = float(re.search(r"x = (-?[\d.]+)", words.inner_text())[1])
    # The page's own x has more digits than it says: look at its neighbors, within 0.005.
    near = {explorer.point_in_words(x + d, direction) for d in np.linspace(-0.005, 0.005, 201)}
    assert words.inner_text() in near
    page.mouse.move(box["x"], box["y"] - 5)
    expect(words).to_have_text(explorer.in_words())


def test_the_students_functions_are_asked_through_the_kernel(show, functions) -> None:
    explorer = KLExplorer.of(*functions)
    page = show(explorer, kernel=True)
    expect(page.locator(".map.forward .their-end")).to_have_count(1)
    expect(page.locator(".map.reverse .their-end")).to_have_count(3)
    slide(page, "mean μ", -3.0)
    value = explorer.forward(-3.0, 1.0)
    expect(page.locator(".card.forward .theirs")).to_have_text(f"✓ your kl says {value:.3f}")
    page.get_by_role("button", name="Your fit_reverse from here").click()
    expect(page.locator(".map.reverse .their-end")).to_have_count(4)
    expect(page.locator(".words")).to_contain_text("μ = -2.00 and σ = 0.61")


def test_a_late_answer_of_the_kernel_does_not_pull_the_gaussian_back(show) -> None:
    page = show(KLExplorer(whole=True))
    peak = page.locator("circle.handle").bounding_box()
    page.mouse.move(peak["x"] + 8, peak["y"] + 8)
    page.mouse.down()
    page.mouse.move(peak["x"] + 88, peak["y"] + 8)
    held = page.locator(".words").inner_text()
    page.evaluate("window.widgetModel.receive({ _notices: ['late'] })")
    expect(page.locator(".notices")).to_contain_text("late")
    assert page.locator(".words").inner_text() == held and "μ = 0.00" not in held
    page.mouse.up()


def test_a_wrong_kl_is_seen_beside_the_true_one(show, functions) -> None:
    def kl(p, q):
        return functions[0](q, p)

    page = show(KLExplorer.of(kl, *functions[1:], mu=1.0, sigma=0.8))
    expect(page.locator(".card.forward .theirs")).to_contain_text("✗ your kl says")


def test_an_unsolved_exercise_is_a_sentence_under_a_whole_picture(show) -> None:
    def unsolved(*_: object) -> None:
        raise NotImplementedError

    page = show(KLExplorer.of(unsolved, unsolved, unsolved))
    expect(page.locator(".notices")).to_contain_text("is not written yet: solve its exercise")
    expect(page.locator(".map .optimum")).to_have_count(4)
    expect(page.locator(".card.forward .number")).to_have_text("1.519 nats")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_words_stand_out_from_the_page_in_both_themes(show, color_scheme) -> None:
    page = show(KLExplorer(whole=True), color_scheme=color_scheme)

    def luminance(color: str) -> float:
        channels = [int(v) / 255 for v in re.findall(r"\d+", color)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for selector in (".words", ".card.forward .number", ".card.reverse .number", ".keys"):
        ink, ground = page.locator(selector).evaluate(
            """(element) => {
              const ink = getComputedStyle(element).color;
              const ground = (one) => getComputedStyle(one).backgroundColor;
              let behind = element;
              while (ground(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
              return [ink, ground(behind)];
            }"""
        )
        light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_control_has_a_name(show) -> None:
    page = show(KLExplorer(whole=True))
    expect(page.get_by_role("slider", name="mean μ of the Gaussian")).to_be_visible()
    expect(page.get_by_role("slider", name="standard deviation σ")).to_be_visible()
    for name in ("KL(p‖q)", "KL(q‖p)"):
        expect(page.get_by_role("radio", name=f"Shade what each x adds to {name}")).to_be_visible()
        expect(page.get_by_role("button", name=f"Descend {name}")).to_be_visible()


def test_a_reader_guesses_before_the_optima_are_shown(show) -> None:
    explorer = KLExplorer()
    page = show(explorer, viewport={"width": 900, "height": 900}, kernel=True)
    root = page.locator(".kl-explorer")
    assert root.bounding_box()["height"] <= 700
    expect(page.locator(".maps")).to_be_hidden()
    expect(page.locator(".words")).to_have_text(explorer.in_words())
    assert "least" not in root.inner_text().replace("is least", "") and "least," not in repr(
        explorer
    )
    page.get_by_label("mean μ").press("ArrowRight")
    page.get_by_role("button", name="I would put it here").click()
    expect(page.locator(".maps")).to_be_visible()
    expect(page.locator(".words")).to_have_text(explorer.in_words())
    assert "above its least" in explorer.in_words()
    expect(page.get_by_label("mean μ")).to_be_focused()


@pytest.mark.parametrize("width", [320, 560, 900])
def test_no_label_is_under_11_pixels(show, width) -> None:
    page = show(KLExplorer(whole=True), viewport={"width": width, "height": 900})
    least = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll("#widget svg text")].map((text) =>
          parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))"""
    )
    assert least >= 10.95


def test_two_on_a_page_have_a_choice_each(show) -> None:
    page = show(KLExplorer(whole=True))
    page.evaluate(
        """async () => {
          const text = JSON.parse(document.getElementById("module").textContent);
          const copy = new Blob([text], { type: "text/javascript" });
          const module = await import(URL.createObjectURL(copy));
          const second = document.createElement("div");
          document.body.append(second);
          await module.default.render({ model: window.widgetModel, el: second });
        }"""
    )
    assert page.locator("input[type=radio]:checked").count() == 2
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)) and len(ids) > 4


def test_the_explorer_lives_in_jupyterlab(lab, lab_page) -> None:
    names = ("kl", "fit_forward", "fit_reverse")
    solved = [lessons.exercise_source("06_kl", name) for name in names]
    functions = "\n".join(["import numpy as np", *solved])
    shown = f"from figures.kl_explorer import KLExplorer\nKLExplorer.of({', '.join(names)})"
    notebook = nbformat.v4.new_notebook()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in (functions, shown)]
    opened = lab.open(lab_page, notebook)
    opened.run_all()
    explorer = opened.cell("KLExplorer.of(").locator(".kl-explorer")
    theirs = explorer.locator(".card.forward .theirs")
    expect(theirs).to_have_text("✓ your kl says 1.519", timeout=WAIT)
    explorer.get_by_label("mean μ").focus()
    lab_page.keyboard.press("ArrowRight")
    expect(explorer.locator(".words")).to_contain_text("μ = 0.01", timeout=WAIT)
    # Through the kernel and back: their fit starts where the Gaussian stands.
    explorer.get_by_role("button", name="Your fit_reverse from here").click()
    expect(explorer.locator(".map.reverse .their-end")).to_have_count(4, timeout=WAIT)
    expect(theirs).to_contain_text("✓ your kl says", timeout=WAIT)
