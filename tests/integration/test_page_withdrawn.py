"""A case that is taken back while its reader has it open, in a real browser: it goes by itself, and says why."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page_browser import ask, attach, looking, png, sign_in
from tests.page_stand_in import ANSWER, Case, StandIn

pytestmark = pytest.mark.system
EVERY_MS = 10_000
SAYS = "The case that was open here was deleted, or is no longer shown to you."


@pytest.fixture
def service() -> StandIn:
    return StandIn(idle_s=1_000_000)  # time is made to pass here, and nobody is to be locked out by it


@pytest.fixture
def case(page: Page, service: StandIn) -> Case:
    """Dr Ada's case with a picture and an answer, which Dr Ben may read."""
    attach(page, png())
    ask(page, "How large is it?")
    (kept,) = service.cases.values()
    kept.shares["Dr Ben"] = False
    return kept


@pytest.fixture
def other(browser: Browser, page: Page, case: Case, url: str) -> Iterator[Page]:
    """Dr Ben's page, with the case open, and a clock that stands until it is told to go."""
    page.goto("about:blank")  # the stand-in knows one session at a time
    with looking(browser, url, refusals=True) as opened:
        sign_in(opened, "Dr Ben")
        opened.clock.install()
        opened.clock.pause_at(time.time() + 3600)
        opened.locator("#cases a").click()
        expect(opened.locator(".answer")).to_have_text(ANSWER)
        yield opened


def come_back(page: Page) -> None:
    """Have the page think that it was out of sight, and is looked at again."""
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


def until_it_looks(page: Page, service: StandIn) -> None:
    """Let time pass until the page has asked once more; it sets its next time only once it has read the last answer."""
    looks, latest_s = service.looks, time.monotonic() + 60
    while service.looks == looks:
        assert time.monotonic() < latest_s, "the page looks no more"
        page.clock.run_for(EVERY_MS)
        page.wait_for_timeout(100)


def require_gone(page: Page) -> None:
    """Nothing of the case is on the page any more, nor where it would be found again."""
    expect(page.locator("#ask-warning")).to_have_text(SAYS)
    expect(page.locator("#welcome")).to_be_visible()
    content = page.content()
    for words in (ANSWER, "How large is it?", "Dr Ada"):
        assert words not in content
    assert page.locator("img[src*=conversations]").count() == 0
    expect(page.locator("#viewer")).to_be_hidden()
    assert "conversation" not in page.url


def test_it_goes_by_itself(other: Page, case: Case, service: StandIn) -> None:
    other.clock.run_for(EVERY_MS - 1)
    assert service.looks == 0
    with other.expect_response("**/access"):
        other.clock.run_for(1)
    expect(other.locator(".turn")).to_have_count(1)
    case.shares.clear()
    until_it_looks(other, service)
    require_gone(other)
    looks = service.looks
    other.clock.run_for(10 * EVERY_MS)
    other.wait_for_timeout(200)
    assert service.looks == looks, "nothing is open that could go"


def test_it_is_gone_as_soon_as_the_page_is_looked_at_again(other: Page, case: Case) -> None:
    case.shares.clear()
    come_back(other)
    require_gone(other)


def test_a_report_of_it_goes_with_it(other: Page, case: Case) -> None:
    other.get_by_role("button", name="Draft a report").click()
    expect(other.locator(".sheet-asked")).to_contain_text(ANSWER)
    case.shares.clear()
    come_back(other)
    require_gone(other)
    expect(other.locator("#report")).to_be_hidden()


def test_a_page_out_of_sight_asks_nothing(other: Page, service: StandIn) -> None:
    other.evaluate("() => Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })")
    other.clock.run_for(3 * EVERY_MS)
    other.wait_for_timeout(200)
    assert service.looks == 0
    other.evaluate("() => delete document.visibilityState")
    with other.expect_response("**/access"):
        come_back(other)
    until_it_looks(other, service)


def test_a_link_that_breaks_takes_nothing_away(other: Page, case: Case, service: StandIn) -> None:
    service.down = True
    with other.expect_response("**/access"):
        come_back(other)
    expect(other.locator(".answer")).to_have_text(ANSWER)
    service.down = False
    case.shares.clear()
    until_it_looks(other, service)
    require_gone(other)


def test_what_may_be_done_in_it_changes_on_the_screen(other: Page, case: Case) -> None:
    expect(other.locator("#read-only")).to_be_visible()
    case.shares["Dr Ben"] = True
    come_back(other)
    expect(other.get_by_label("Your question")).to_be_visible()
    expect(other.get_by_role("button", name="Add to the report")).to_be_visible()
    case.shares["Dr Ben"] = False
    come_back(other)
    expect(other.get_by_label("Your question")).to_be_hidden()
    expect(other.get_by_role("button", name="Add to the report")).to_have_count(0)
    expect(other.locator(".answer")).to_have_text(ANSWER)


def test_a_question_in_it_is_refused_and_it_goes(other: Page, case: Case) -> None:
    case.shares["Dr Ben"] = True
    come_back(other)
    other.get_by_label("Your question").fill("And the heart?")
    case.shares.clear()
    other.keyboard.press("Enter")
    require_gone(other)


def test_ones_own_that_was_deleted_elsewhere_goes_too(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        ask(page, "Is there a pleural effusion?")
        service.cases.clear()
        come_back(page)
        expect(page.locator("#ask-warning")).to_have_text(SAYS)
        expect(page.locator(".turn")).to_have_count(0)
        expect(page.locator("#cases a")).to_have_count(0)


def test_who_deletes_it_himself_is_not_told(page: Page, case: Case, service: StandIn) -> None:
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete this case").click()
    service.held = True
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.get_by_role("button", name="Delete for good").click()
    come_back(page)
    page.wait_for_timeout(200)
    service.held = False
    expect(page.locator("#cases a")).to_have_count(0)
    expect(page.locator("#ask-warning")).to_be_hidden()
    assert service.looks == 0


def test_the_service_ending_the_session_clears_the_screen(other: Page, service: StandIn) -> None:
    service.who = ""
    other.clock.run_for(EVERY_MS)
    other.get_by_role("heading", name="Sign in").wait_for()
    assert ANSWER not in other.content()
