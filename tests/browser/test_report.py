"""The class page in Chromium: opened from disk, driven by keys, and nothing hostile runs in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from autograder.report import write_report
from tests.made_class import LESSON, RIGHT, WRONG, Student, hostile, made_class


def a_class() -> list[Student]:
    return [
        Student("ada", answer_score=None),
        Student("ben", WRONG, mistake="adds", answer_score=2.0),
        Student("cora", WRONG.replace("x + 2", "2 + x"), mistake="adds"),
        Student("dev", begun=False, answer=""),
        Student("eli", reason="its cell stopped with NameError: y"),
        Student("fen", unreadable="the file is not JSON"),
        Student("gita", RIGHT, answer_score=2.0, hours_late=5, penalty=1.0),
    ]


@pytest.fixture
def open_report(new_page: Callable[..., Page], tmp_path) -> Callable[..., Page]:
    """`open_report(students)` opens their class page; the page asks for no other file."""

    def opened(students: list[Student], names: bool = False, **options: object) -> Page:
        place = write_report(made_class(tmp_path / "class", students), LESSON, names=names)
        page = new_page(**options)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(place.as_uri())
        page.locator("body[data-ready=true]").wait_for()
        assert asked == [place.as_uri()]
        return page

    return opened


def names_shown(page: Page) -> list[str]:
    return page.locator("#table tbody tr.student th").all_inner_texts()


def test_a_student_is_opened_and_the_next_one_reached_by_keys(open_report) -> None:
    page = open_report(a_class())
    assert [name.strip() for name in names_shown(page)] == [s.key for s in a_class()]
    ada = page.locator("#table tbody").get_by_role("button", name="ada")
    ada.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    ben = page.locator("#table tbody").get_by_role("button", name="ben")
    expect(ben).to_be_focused()
    expect(ben).to_have_attribute("aria-expanded", "true")
    detail = page.locator("tr.detail")
    expect(detail).to_contain_text("double(3) = 5")
    expect(detail).to_contain_text("2x is not x + 2")
    detail.get_by_text("the student's cell").first.click()
    expect(detail.locator("pre").first).to_have_text(WRONG)
    ben.press("Enter")
    expect(detail).to_have_count(0)


def test_columns_are_sorted_by_keys_and_say_so(open_report) -> None:
    page = open_report(a_class())
    head = page.get_by_role("columnheader", name="mark")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert names_shown(page)[:2] == ["gita", "ada"]  # 8 − 1 for being late, 6 and an answer to read
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert names_shown(page)[-1] == "gita"


def test_a_claim_or_mistake_leads_to_its_students(open_report) -> None:
    page = open_report(a_class())
    page.locator("#mistakes").get_by_role("button", name="show these students").click()
    assert names_shown(page) == ["ben", "cora"]
    expect(page.locator("#shown")).to_have_text("2 of 7 students")
    page.locator("#clear").click()
    page.locator("#state").select_option("technical")
    assert names_shown(page) == ["fen"]
    page.locator("#todo").get_by_role("button", name="fen").click()
    expect(page.locator("tr.detail")).to_contain_text("the file is not JSON")


def test_who_can_be_hidden_before_a_class_sees_the_page(open_report) -> None:
    page = open_report(a_class())
    page.get_by_label("Hide who").check()
    text = page.locator("main").inner_text()
    assert "student 2" in text
    assert not any(f"\n{one.key}\n" in text for one in a_class())


def test_answers_to_read_can_be_read_at_once(open_report) -> None:
    page = open_report(a_class())
    page.locator("details.answers summary").click()
    expect(page.locator(".answers-in")).to_contain_text("because")
    expect(page.locator(".answers-in button")).to_have_text(["ada"])


@pytest.mark.parametrize("width", [1280, 700, 360])
def test_nothing_hostile_runs_and_nothing_leaves_the_page_s_width(open_report, width: int) -> None:
    page = open_report(hostile(), names=True, viewport={"width": width, "height": 900})
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    for name in page.locator("#table tbody .who").all():
        name.click()
    for fold in page.locator("details").all():
        fold.evaluate("fold => { fold.open = true; }")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img, main script, main iframe, main object").count() == 0
    assert page.locator("[onerror], [onload], [href^=javascript]").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("body").inner_text()
    assert "window.pwned = 1" in shown  # as text
    assert not set(shown) & set("\x00\x1b\u202e\u2066")


def test_the_policy_stops_what_would_get_in_all_the_same(open_report) -> None:
    page = open_report(a_class(), noise=("TrustedHTML", "Content Security Policy"))
    stopped = page.evaluate(
        """async () => {
          const event = new Promise((done) =>
            document.addEventListener("securitypolicyviolation", (e) => {
              if (e.effectiveDirective === "img-src") done(e.effectiveDirective);
            }));
          let html = "";
          try { document.body.innerHTML += "<b>x</b>"; } catch (error) { html = error.name; }
          const img = document.createElement("img");
          img.src = "http://127.0.0.1:9/x.png";
          document.body.append(img);
          return [html, await event];
        }"""
    )
    assert stopped == ["TypeError", "img-src"]


def test_dark_is_dark_and_paper_shows_every_row(open_report) -> None:
    page = open_report(a_class(), color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 31)"
    page.emulate_media(media="print")
    expect(page.locator(".filters")).to_be_hidden()
    expect(page.locator("#table tbody tr.student")).to_have_count(7)
