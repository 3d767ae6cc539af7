"""The mask explorer in a browser says and lights what the product of the masks says."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from figures import palette
from figures.mask_explorer import MaskExplorer, path_counts

WHOLE = "Autoregressive: every output sees all inputs before it, and nothing else."


def masks_by_the_rule(degrees: list[np.ndarray], order: np.ndarray) -> list[np.ndarray]:
    below, masks = order, []
    for layer in degrees:
        masks.append(layer[:, None] >= below[None, :])
        below = layer
    return [*masks, order[:, None] > below[None, :]]


def right_masks() -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
    """Four inputs, five hidden units: every output sees all of its past."""
    order, degrees = np.arange(1, 5), [np.array([1, 2, 3, 1, 2])]
    return masks_by_the_rule(degrees, order), order, degrees


def random_masks(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Masks of random sizes: half of them by the rule, half with no rule at all."""
    rng = np.random.default_rng(seed)
    n, depth = int(rng.integers(2, 7)), int(rng.integers(0, 4))
    sizes = [int(rng.integers(1, 9)) for _ in range(depth)]
    order = rng.permutation(n) + 1
    if seed % 2 == 0:
        return masks_by_the_rule([rng.integers(1, n, size) for size in sizes], order), order
    layers = [n, *sizes, n]
    shapes = zip(layers[1:], layers[:-1], strict=True)
    return [rng.random(shape) < 0.4 for shape in shapes], order


def connectivity(masks: list[np.ndarray]) -> np.ndarray:
    return np.linalg.multi_dot([np.eye(len(masks[-1])), *[m.astype(float) for m in masks[::-1]]])


def sentence_of(output: int, counts: np.ndarray, order: np.ndarray) -> str:
    """What an output sees, and its leaks: written here a second time, from NumPy's product."""
    seen = [str(i + 1) for i in np.flatnonzero(counts[output])]
    leaks = [i for i in seen if order[int(i) - 1] >= order[output]]
    said = f"Output {output + 1} sees no input."
    if seen:
        plural = "s" if len(seen) > 1 else ""
        said = f"Output {output + 1} sees input{plural} {', '.join(seen)}."
    if leaks:
        plural = "s" if len(leaks) > 1 else ""
        said += f" Not autoregressive: {len(leaks)} input{plural} at or after the output: "
        said += f"{', '.join(leaks)}."
    return said


def words(page: Page) -> Locator:
    return page.locator(".words")


def unit(page: Page, explorer: MaskExplorer, layer: int, u: int) -> Locator:
    sizes = [explorer.masks[0].shape[1], *[len(mask) for mask in explorer.masks]]
    return page.locator(".unit .shape").nth(sum(sizes[:layer]) + u)


def center(shape: Locator) -> tuple[float, float]:
    box = shape.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def middle_of_line(page: Page, explorer: MaskExplorer, layer: int, k: int, d: int) -> tuple:
    x0, y0 = center(unit(page, explorer, layer, d))
    x1, y1 = center(unit(page, explorer, layer + 1, k))
    return (x0 + x1) / 2, (y0 + y1) / 2


def lines_in(page: Page, kind: str) -> int:
    """How many connections the picture draws as `kind`: lit, leaking, wires, lacking."""
    return len(re.findall("M", page.locator(f"path.{kind}").get_attribute("d") or ""))


# ------------------------------------------------------------------- what is said is the product


@pytest.mark.parametrize("seed", range(12))
def test_what_an_output_sees_is_the_product_of_the_masks(show: Callable, seed: int) -> None:
    masks, order = random_masks(seed)
    explorer = MaskExplorer(masks, place=order)
    counts = connectivity(masks)
    page = show(explorer)
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    for output in range(len(order)):
        if output:
            page.keyboard.press("ArrowRight")
        said = words(page).inner_text()
        assert said.startswith(sentence_of(output, counts, order))
        assert said == explorer.output_in_words(output)
    page.keyboard.press("Escape")
    assert words(page).inner_text() == explorer.in_words()
    leaks = (counts > 0) & (order[None, :] >= order[:, None])
    assert explorer.in_words().startswith("Not autoregressive") == leaks.any()


def test_of_a_long_run_of_inputs_the_ends_are_said(show: Callable) -> None:
    rows = np.tri(12, k=-1)
    rows[11, 9] = 0
    explorer = MaskExplorer([rows])
    page = show(explorer)
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    for output in range(12):
        if output:
            page.keyboard.press("ArrowRight")
        assert words(page).inner_text() == explorer.output_in_words(output)
    assert words(page).inner_text().startswith("Output 12 sees inputs 1 to 9, 11.")
    assert explorer.output_in_words(8) == "Output 9 sees inputs 1 to 8."
    assert explorer.output_in_words(7) == "Output 8 sees inputs 1, 2, 3, 4, 5, 6, 7."


@pytest.mark.parametrize("begin", [-3, 0.5, 9])
def test_only_whole_numbers_make_a_run(show: Callable, begin: float) -> None:
    explorer = MaskExplorer([np.tri(12, k=-1)], names=[str(begin + i) for i in range(12)])
    page = show(explorer)
    page.keyboard.press("Tab")
    page.keyboard.press("End")
    assert words(page).inner_text() == explorer.output_in_words(11)
    assert (" to " in explorer.output_in_words(11)) == (begin != 0.5)


@pytest.mark.parametrize("seed", range(4, 10))
def test_lit_lines_are_those_on_a_path_to_the_output(show: Callable, seed: int) -> None:
    masks, order = random_masks(seed)
    explorer = MaskExplorer(masks, place=order)
    page = show(explorer)
    n = len(order)
    for output in range(n):
        page.mouse.move(*center(unit(page, explorer, len(masks), output)))
        lit = leaking = 0
        for layer, mask in enumerate(masks):
            seen = path_counts([np.eye(n, dtype=int), *masks[:layer]]) > 0  # (units below, n)
            feeds = path_counts([np.eye(len(mask), dtype=int), *masks[layer + 1 :]])[output] > 0
            bad = (seen & (order >= order[output])[None, :]).any(axis=1)
            on_a_path = mask & feeds[:, None] & seen.any(axis=1)[None, :]
            leaking += int((on_a_path & bad[None, :]).sum())
            lit += int((on_a_path & ~bad[None, :]).sum())
        assert (lines_in(page, "lit"), lines_in(page, "leaking")) == (lit, leaking)


@pytest.mark.parametrize("seed", [3, 8])
def test_the_matrix_holds_the_numbers_of_paths_in_the_order(show: Callable, seed: int) -> None:
    masks, order = random_masks(seed)
    page = show(MaskExplorer(masks, place=order))
    in_order = np.argsort(order)
    counts = connectivity(masks)[np.ix_(in_order, in_order)]
    texts = [cell.text_content() for cell in page.locator(".cell").all()]
    assert [int(text or 0) for text in texts] == counts.astype(int).ravel().tolist()
    wanted = np.tril(np.ones_like(counts), -1) > 0
    for kind, cells in {
        "seen": (counts > 0) & wanted,
        "leak": (counts > 0) & ~wanted,
        "gap": (counts == 0) & wanted,
        "blind": (counts == 0) & ~wanted,
    }.items():
        assert page.locator(f".cell.{kind}").count() == cells.sum()


def test_path_counts_are_exact_beyond_the_doubles(show: Callable) -> None:
    masks = [np.ones((49, 2)), *[np.ones((49, 49))] * 9, np.ones((2, 49))]
    page = show(MaskExplorer(masks))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # from the units to the matrix: input 1, output 2
    assert 49**10 != int(float(49**10))
    expect(words(page)).to_have_text(f"{49**10} paths lead from input 1 to output 2.")


# -------------------------------------------------------------------------------- pointer and keys


def test_hover_and_keys_say_the_same(show: Callable) -> None:
    masks, order, degrees = right_masks()
    explorer = MaskExplorer(masks, order, degrees)
    page = show(explorer)
    expect(words(page)).to_have_text(WHOLE)
    page.mouse.move(*center(unit(page, explorer, 2, 2)))
    expect(words(page)).to_have_text("Output 3 sees inputs 1, 2.")
    page.mouse.move(2, 2)
    expect(words(page)).to_have_text(WHOLE)
    page.keyboard.press("Tab")
    expect(words(page)).to_have_text("Output 4 sees inputs 1, 2, 3.")
    page.keyboard.press("ArrowLeft")
    expect(words(page)).to_have_text("Output 3 sees inputs 1, 2.")


def test_keys_walk_through_the_layers(show: Callable) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees))
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_have_text(
        "Hidden unit 5 (degree 2) sees inputs 1, 2 and feeds outputs 3, 4."
    )
    page.keyboard.press("ArrowDown")
    expect(words(page)).to_have_text("Input 4 feeds no output.")
    page.keyboard.press("Home")
    expect(words(page)).to_have_text("Input 1 feeds outputs 2, 3, 4.")
    page.keyboard.press("ArrowDown")  # nothing lies below the inputs
    expect(words(page)).to_have_text("Input 1 feeds outputs 2, 3, 4.")


def test_a_cell_of_the_matrix_lights_the_paths_of_its_pair(show: Callable) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees))
    page.locator(".cell").nth(3 * 4 + 1).hover()  # output 4, input 2
    expect(words(page)).to_have_text("3 paths lead from input 2 to output 4.")
    assert lines_in(page, "lit") == 6  # three hidden units, two lines each
    page.locator(".cell").nth(1 * 4 + 3).hover()
    expect(words(page)).to_have_text("No path leads from input 4 to output 2, as the order asks.")
    assert lines_in(page, "lit") == 0


def test_a_unit_lights_its_cells_of_the_matrix(show: Callable) -> None:
    masks, order, degrees = right_masks()
    explorer = MaskExplorer(masks, order, degrees)
    page = show(explorer)
    page.mouse.move(*center(unit(page, explorer, 2, 2)))
    shown = [i for i, cell in enumerate(page.locator(".cell").all()) if "off" not in
             cell.get_attribute("class").split()]  # fmt: skip
    assert shown == [8, 9, 10, 11]


# ------------------------------------------------------------------------------- leaks and missing


def test_a_leak_is_told_in_words_shape_and_color(show: Callable) -> None:
    order, degrees = np.arange(1, 5), np.array([1, 2, 3, 1, 2])
    hidden = degrees[:, None] >= order[None, :]
    explorer = MaskExplorer([hidden, order[:, None] >= degrees[None, :]], order, [degrees])
    page = show(explorer)
    expect(page.locator(".verdict")).to_have_text("Not autoregressive")
    expect(words(page)).to_have_text(
        "Not autoregressive: 3 inputs at or after the output: input 1 → output 1, "
        "input 2 → output 2, input 3 → output 3."
    )
    page.mouse.move(*center(unit(page, explorer, 2, 2)))
    expect(words(page)).to_have_text(
        "Output 3 sees inputs 1, 2, 3. Not autoregressive: 1 input at or after the output: 3."
    )
    line = page.locator("path.leaking")
    expect(line).to_have_css("stroke-dasharray", re.compile(r"\d"))
    red, green, blue = (int(palette.LIGHT["leak"][i : i + 2], 16) for i in (1, 3, 5))
    expect(line).to_have_css("stroke", f"rgb({red}, {green}, {blue})")
    crossed = page.locator(".unit.leaks .cross:visible")
    assert crossed.count() == 2  # input 3 and output 3
    expect(page.locator(".factor")).to_have_text("p(x3 | x1, x2, x3)")
    expect(page.locator(".factor .bad")).to_have_text("x3")


@pytest.mark.parametrize(
    ("degrees", "why"),
    [
        ([np.array([1, 2])], "with these degrees it could"),
        ([np.array([1, 1])], "these degrees leave no path"),
        (None, "the order allows it"),
    ],
)
def test_a_missing_path_is_told_with_its_reason(show: Callable, degrees: list, why: str) -> None:
    masks = [np.array([[1, 0, 0], [1, 0, 0]]), np.array([[0, 0], [1, 0], [1, 1]])]
    page = show(MaskExplorer(masks, degrees=degrees))
    expect(page.locator(".verdict")).to_have_text("Blind to the future, but not complete")
    page.keyboard.press("Tab")
    expect(words(page)).to_have_text(
        f"Output 3 sees input 1. Output 3 does not see input 2: {why}."
    )
    assert page.locator(".unit.gapped .sign:visible").count() == 1


# -------------------------------------------------------------------------------- breaking by hand


def test_a_connection_made_by_hand_leaks_and_undo_takes_it_back(show: Callable) -> None:
    masks, order, degrees = right_masks()
    explorer = MaskExplorer(masks, order, degrees)
    page = show(explorer, kernel=True)
    expect(page.get_by_role("button", name="Undo my breaks")).to_be_disabled()
    page.keyboard.press("Tab")
    page.keyboard.press("Home")  # output 1, which may see nothing
    page.keyboard.press("Enter")
    expect(words(page)).to_have_text(
        "No connection from hidden unit 1 (degree 1) to output 1: masks[1][0, 0] is 0. "
        "Click or press Enter to make one."
    )
    page.keyboard.press("Enter")
    leak = "Not autoregressive: 1 input at or after the output: input 1 → output 1."
    expect(words(page)).to_contain_text("masks[1][0, 0] is 1 by your hand.")
    expect(words(page)).to_contain_text(leak)
    page.keyboard.press("Escape")
    expect(words(page)).to_have_text(
        "Output 1 sees input 1. Not autoregressive: 1 input at or after the output: 1."
    )
    # Python has heard of it, and its text says the same.
    assert explorer.masks[1][0, 0]
    assert leak in repr(explorer)

    page.get_by_role("button", name="Undo my breaks").click()
    expect(page.locator(".verdict")).to_have_text("Autoregressive")
    expect(page.get_by_role("button", name="Undo my breaks")).to_be_disabled()
    assert [mask.tolist() for mask in explorer.masks] == [mask.tolist() for mask in masks]


def test_enter_breaks_and_mends_each_connection_of_a_unit(show: Callable) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees))
    lines = lines_in(page, "wires")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(words(page)).to_contain_text("from hidden unit 2 (degree 2) to output 4: masks[1][3, 1]")
    page.keyboard.press("Enter")
    expect(words(page)).to_contain_text("masks[1][3, 1] is 0 by your hand")
    assert lines_in(page, "wires") == lines - 1
    page.keyboard.press("Enter")
    expect(words(page)).to_contain_text("masks[1][3, 1] is 1.")
    assert lines_in(page, "wires") == lines


def test_a_click_breaks_a_line_and_mends_a_dotted_one(show: Callable) -> None:
    explorer = MaskExplorer([np.array([[1, 0], [1, 0]]), np.array([[0, 0], [1, 1]])])
    page = show(explorer)
    line = middle_of_line(page, explorer, 1, 1, 0)
    page.mouse.move(*line)
    expect(words(page)).to_contain_text("Connection from hidden unit 1 to output 2: masks[1][1, 0]")
    page.mouse.click(*line)
    expect(words(page)).to_contain_text("masks[1][1, 0] is 0 by your hand")
    page.mouse.click(*line)
    expect(words(page)).to_contain_text("masks[1][1, 0] is 1.")

    # An absent connection can only be hit when its unit was chosen: its dotted lines are then seen.
    absent = middle_of_line(page, explorer, 1, 0, 0)
    page.mouse.click(*absent)
    expect(words(page)).to_have_text(WHOLE)
    page.mouse.click(*center(unit(page, explorer, 2, 0)))
    assert lines_in(page, "lacking") == 2
    page.mouse.click(*absent)
    page.mouse.move(2, 2)
    expect(words(page)).to_contain_text("Output 1 sees input 1. Not autoregressive")


# ------------------------------------------------------------------------- the student's functions


def test_buttons_call_the_functions_again(show: Callable) -> None:
    asked = []

    def assign_degrees(n, hidden_sizes, generator):
        asked.append(hidden_sizes)
        return [np.arange(size) % (n - 1) + 1 for size in hidden_sizes]

    def build_masks(degrees, order):
        return masks_by_the_rule(degrees, order.numpy())

    explorer = MaskExplorer.of(build_masks, assign_degrees, n=4, hidden_sizes=(6, 5))
    page = show(explorer, kernel=True)
    page.get_by_role("button", name="Reshuffle degrees").click()
    expect(words(page)).to_have_text(WHOLE)
    assert asked == [(6, 5), (6, 5)]
    page.get_by_label("Order").select_option("reversed")
    page.locator(".unit .number").first.get_by_text("4").wait_for()
    page.locator(".graph").focus()
    page.keyboard.press("Home")
    expect(words(page)).to_have_text("Output 1 sees inputs 2, 3, 4.")
    assert len(asked) == 2  # another order, the same degrees


def test_a_page_without_a_kernel_offers_no_buttons_that_need_one(show: Callable) -> None:
    masks, _, degrees = right_masks()
    page = show(MaskExplorer.of(lambda *_: masks, lambda *_: degrees, n=4, hidden_sizes=(5,)))
    expect(page.get_by_role("button", name="Undo my breaks")).to_be_visible()
    expect(page.get_by_role("button", name="Reshuffle degrees")).to_be_hidden()
    expect(page.get_by_label("Order")).to_be_hidden()


def test_an_unsolved_exercise_is_a_sentence_and_not_a_picture(show: Callable) -> None:
    def build_masks(degrees, order):
        raise NotImplementedError("build_masks: write your code here")

    explorer = MaskExplorer.of(build_masks, lambda *_: [np.ones(5, int)], n=4, hidden_sizes=(5,))
    page = show(explorer)
    expect(words(page)).to_have_text("build_masks is not written yet: solve its exercise first.")
    expect(page.locator(".graph")).to_be_hidden()


# --------------------------------------------------------------------------------- for every reader


def test_everything_can_be_reached_and_has_a_name(show: Callable) -> None:
    masks, order, degrees = right_masks()
    explorer = MaskExplorer(masks, order, degrees)
    page = show(explorer, kernel=True)
    units = page.get_by_role("slider", name="Units of the network")
    pairs = page.get_by_role("slider", name="Paths from each input to each output")
    page.keyboard.press("Tab")
    expect(units).to_be_focused()
    expect(units).to_have_attribute("aria-valuetext", words(page).inner_text())
    assert 1 <= int(units.get_attribute("aria-valuenow")) <= 13
    assert units.get_attribute("aria-valuemax") == "13"
    keys = page.locator(f"#{units.get_attribute('aria-describedby')}")
    expect(keys).to_contain_text("Enter: its connections")
    page.keyboard.press("Tab")
    expect(pairs).to_be_focused()
    expect(pairs).to_have_attribute("aria-valuetext", words(page).inner_text())
    assert pairs.get_attribute("aria-valuemax") == "16"
    page.locator(".graph").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Undo my breaks")).to_be_focused()

    live = page.get_by_role("status")
    expect(live).to_have_attribute("aria-live", "polite")
    assert live.inner_text()
    for drawing in page.locator(".mask-explorer svg").all():
        assert drawing.get_attribute("aria-hidden") == "true"
    for reached in page.locator(".mask-explorer [tabindex='0']").all():
        # Or JupyterLab takes a, b, m, j and k for its own.
        assert reached.get_attribute("data-lm-suppress-shortcuts") == "true"


def test_arrow_keys_do_not_scroll_and_other_keys_are_left_alone(show: Callable) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees), viewport={"width": 760, "height": 200})
    page.evaluate("window.kept = {}; window.addEventListener('keydown', (e) => kept[e.key] = true)")
    page.keyboard.press("Tab")
    before = page.evaluate("window.scrollY")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    page.keyboard.press("Control+ArrowLeft")
    assert page.evaluate("window.scrollY") == before
    assert page.evaluate("kept") == {"Tab": True, "m": True, "Control": True, "ArrowLeft": True}


@pytest.mark.parametrize(
    ("system", "host", "colors"),
    [
        ("light", None, palette.LIGHT),
        ("dark", None, palette.DARK),
        ("dark", "true", palette.LIGHT),  # a light JupyterLab on a dark system is a light page
        ("light", "false", palette.DARK),
    ],
)
def test_the_host_then_the_system_choose_light_or_dark(
    show: Callable, system: str, host: str | None, colors: dict
) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees), color_scheme=system)
    if host is not None:
        page.evaluate("(light) => document.body.setAttribute('data-jp-theme-light', light)", host)
    red, green, blue = (int(colors["page"][i : i + 2], 16) for i in (1, 3, 5))
    expect(page.locator(".mask-explorer")).to_have_css(
        "background-color", f"rgb({red}, {green}, {blue})"
    )


@pytest.mark.parametrize(("width", "side_by_side"), [(700, True), (340, False)])
def test_it_fits_the_width_that_it_gets(show: Callable, width: int, side_by_side: bool) -> None:
    masks, order, degrees = right_masks()
    page = show(MaskExplorer(masks, order, degrees), viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    graph, matrix = (page.locator(f".{name}").bounding_box() for name in ("graph", "matrix"))
    assert (matrix["x"] >= graph["x"] + graph["width"]) == side_by_side


def test_names_are_text_and_never_markup(show: Callable) -> None:
    masks, order, degrees = right_masks()
    names = ["<img src=x onerror=alert(1)>", "</script><b>", "age", "&amp;"]
    explorer = MaskExplorer(masks, order, degrees, names)
    page = show(explorer)
    assert page.locator("img, b").count() == 0
    page.mouse.move(*center(unit(page, explorer, 2, 2)))
    expect(words(page)).to_have_text(f"Output age sees inputs {names[0]}, {names[1]}.")


def test_cells_too_small_for_numbers_are_painted_as_the_product_says(show: Callable) -> None:
    """Marks name what a picture shows; that it is painted stands in the paths themselves."""
    rng = np.random.default_rng(0)
    masks = [rng.random((n_out, n_in)) < 0.3 for n_out, n_in in ((4, 20), (20, 4))]
    counts = connectivity(masks) > 0  # (output, input), in the natural order
    past = np.tri(20, k=-1, dtype=bool)
    kinds = {
        "seen": counts & past,
        "leak": counts & ~past,
        "gap": ~counts & past,
        "blind": ~counts & ~past,
    }
    assert all(cells.any() for cells in kinds.values())
    page = show(MaskExplorer(masks))

    def painted(look: str) -> dict[str, set[tuple[int, int]]]:
        """Of each kind the cells (output, input) in this look, by the corners of their squares."""
        found = {}
        for kind in kinds:
            d = page.locator(f'.matrix [class="{f"cell {kind} {look}".strip()}"] path')
            corners = re.findall(r"M([\d.]+) ([\d.]+)", d.get_attribute("d") or "")
            cell = 194 / 20
            found[kind] = {(int(float(y) // cell), int(float(x) // cell)) for x, y in corners}
        return found

    def cells_of(within: np.ndarray) -> dict[str, set[tuple[int, int]]]:
        return {kind: {*map(tuple, np.argwhere(c & within).tolist())} for kind, c in kinds.items()}

    assert painted("") == cells_of(np.bool_(True))
    page.locator(".graph").focus()
    page.keyboard.press("ArrowLeft")  # from the last output, which the focus has chosen
    row = np.arange(20)[:, None] == 18
    assert page.locator(".words").inner_text().startswith("Output 19 ")
    assert painted("") == cells_of(row)
    assert painted("off") == cells_of(~row)
    page.locator(".matrix").focus()
    page.keyboard.press("ArrowUp")
    at = np.zeros((20, 20), dtype=bool)
    at[18, 0] = True
    assert painted("on") == cells_of(at)
    assert painted("off") == cells_of(~at)
