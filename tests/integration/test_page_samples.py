"""Pictures to try, in a real browser: one click asks about one; and the whole demo, from a terminal to an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from edgekit.demo.samples import asked
from tests.page_browser import PHONE, looking, png, sign_in, wanting
from tests.page_stand_in import StandIn, running
from tests.terminal import at_terminal

pytestmark = pytest.mark.system
OFFERED = {"one": ("Is the heart enlarged?", png(3)), "two": ("What do you see?", png(5))}


@pytest.fixture
def service() -> StandIn:
    return StandIn(sign_in=False, samples=dict(OFFERED))


def sample(page: Page, question: str) -> Locator:
    return page.locator("#samples").get_by_role("button", name=question)


def test_one_click_makes_a_case_uploads_the_picture_and_asks(page: Page, service: StandIn) -> None:
    expect(page.locator(".sample")).to_have_count(2)
    sample(page, "What do you see?").click()
    page.locator(".turn[data-state=whole]").wait_for()
    assert service.asked == ["What do you see?"]
    (case,) = service.cases.values()
    assert (len(service.uploads), len(case.pictures), len(case.turns[0]["pictures"])) == (1, 1, 1)
    expect(page.locator("#samples")).to_be_hidden()
    page.get_by_role("button", name="New case").click()
    expect(page.locator(".sample")).to_have_count(2)


def test_a_click_that_is_repeated_asks_once(page: Page, service: StandIn) -> None:
    sample(page, "Is the heart enlarged?").dblclick()
    page.locator(".turn[data-state=whole]").wait_for()
    assert (len(service.asked), len(service.cases), len(service.uploads)) == (1, 1, 1)


def test_a_service_without_any_shows_no_place_for_them(browser: Browser) -> None:
    service = StandIn()
    with running(service) as address, looking(browser, address) as page:
        sign_in(page)
        expect(page.locator("#welcome")).to_be_visible()
        expect(page.locator("#samples")).to_be_hidden()


def test_they_fit_a_phone_and_leave_a_screen_reader_nothing_to_wish(browser: Browser, url: str) -> None:
    with looking(browser, url, **PHONE) as page:
        page.locator(".sample").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert wanting(page) == []


def test_the_demo_s_page_answers_about_its_phantoms(browser: Browser, tmp_path: Path) -> None:
    """The service, the store, the decoding child and the embedded model behind the page, as whoever tries them."""
    rights = {phantom.question.text: phantom.question.answer for phantom in asked()}
    with at_terminal("demo", "--out", str(tmp_path / "demo"), cwd=tmp_path) as terminal:
        url = terminal.wait_for(r"Serve +(http://127\.0\.0\.1:\d+/)")
        terminal.wait_for("Ctrl-C ends it")
        with looking(browser, url) as page:
            for question, right in rights.items():
                sample(page, question).click()
                page.locator(".turn[data-state=whole]").wait_for()
                expect(page.locator(".answer")).to_have_text(right)
                page.get_by_role("button", name="New case").click()
            page.reload()
            expect(page.locator("#cases li")).to_have_count(len(rights))
        terminal.type("\x03")
        assert terminal.end() == 0
    assert "Traceback" not in terminal.said
    assert (tmp_path / "demo" / "service" / "state" / "ward.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
