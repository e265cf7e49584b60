"""The page in a real browser, before a stand-in that speaks the service's API: what a doctor does, from sign-in to
deletion, and what goes wrong on the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page_browser import DESKTOP, PHONE, ask, attach, dicom, looking, png, sign_in, wanting
from tests.page_stand_in import ANSWER, NOTICE, PASSWORD, StandIn, running

pytestmark = pytest.mark.system


@pytest.fixture
def service() -> StandIn:
    return StandIn()


def answer(page: Page, number: int = -1) -> str:
    """An answer's text."""
    return str(page.locator(".answer").nth(number).inner_text())


def test_the_first_sign_in_is_by_a_link(browser: Browser, service: StandIn, url: str) -> None:
    service.invitation = "a-secret-of-once"
    with looking(browser, f"{url}#invitation=a-secret-of-once", refusals=True) as page:
        page.get_by_label("New password", exact=True).fill("long enough to be one")
        page.get_by_label("New password again").fill("another one, by mistake")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The two passwords differ.")
        page.get_by_label("New password again").fill("long enough to be one")
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])")
        assert "invitation" not in page.url
        expect(page.locator("#account-name")).to_have_text("Dr Ada")
        service.who = ""
        page.goto(f"{url}#invitation=a-secret-of-once")
        page.reload()
        page.get_by_label("New password", exact=True).fill("long enough to be one")
        page.get_by_label("New password again").fill("long enough to be one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("used already")


def test_a_wrong_password_is_said_to_be_one(browser: Browser, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        for name, words in (("Dr Ada", "do not belong together"), ("hurried", "Try again in 30 seconds")):
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill("wrong")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text(words)
        sign_in(page)


def test_without_accounts_nobody_signs_in(browser: Browser, service: StandIn, url: str) -> None:
    service.sign_in = False
    with looking(browser, url) as page:
        ask(page, "What is a pleural effusion?")
        assert answer(page) == ANSWER
        expect(page.locator("#lock")).to_be_hidden()


def test_a_question_about_a_picture_is_answered_and_found_again(page: Page, service: StandIn, url: str) -> None:
    service.held, service.held_after = True, 3
    attach(page, png())
    ask(page, "Is there a pleural effusion?", wait=False)
    expect(page.locator(".turn")).to_have_attribute("data-state", "writing")
    assert ANSWER.startswith(answer(page)), "as it is written"
    service.held = False
    expect(page.locator(".turn")).to_have_attribute("data-state", "whole")
    assert answer(page) == ANSWER
    expect(page.locator("#live")).to_have_text(ANSWER)
    ask(page, "And the heart?")
    assert service.asked == ["Is there a pleural effusion?", "And the heart?"]
    page.reload()
    page.wait_for_selector(".turn >> nth=1")
    assert answer(page, 0) == ANSWER
    expect(page.locator(".turn .thumbnail")).to_have_count(1)
    page.get_by_role("button", name="New case").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_label("Search cases").fill("nothing of it")
    expect(page.locator("#cases-none")).to_have_text("No case with these words.")
    page.get_by_label("Search cases").fill("EFFUSION")
    page.locator("#cases a").click()
    expect(page.locator(".turn")).to_have_count(2)


def test_a_case_opens_at_its_end(page: Page, service: StandIn) -> None:
    service.answer = "\n".join([ANSWER] * 12)
    attach(page, png())
    ask(page, "Describe it.")
    page.reload()
    expect(page.get_by_role("button", name="Right")).to_be_in_viewport(ratio=1)


def test_an_answer_is_stopped_and_what_was_written_stays(page: Page, service: StandIn) -> None:
    service.pace_s = 0.2
    ask(page, "Describe it.", wait=False)
    expect(page.locator(".answer")).to_contain_text("There is")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".turn")).to_have_attribute("data-state", "stopped")
    assert answer(page)
    assert len(answer(page)) < len(ANSWER)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_who_waits_is_told_his_place(page: Page, service: StandIn) -> None:
    service.held, service.place = True, 2
    ask(page, "Describe it.", wait=False)
    expect(page.locator(".turn-state")).to_have_text("Place in the queue: 2, about 12 seconds")
    service.place = 0
    expect(page.locator(".turn-state")).to_have_text("Looking at it")
    service.held = False
    expect(page.locator(".turn")).to_have_attribute("data-state", "whole")


def test_a_link_that_breaks_in_mid_answer_is_taken_up_where_it_was(
    browser: Browser, service: StandIn, url: str
) -> None:
    service.pace_s, service.cut_after = 0.03, 4
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        ask(page, "Describe it.", wait=False)
        expect(page.locator("#link")).to_contain_text("The link is lost")
        expect(page.locator(".turn")).to_have_attribute("data-state", "whole")
        expect(page.locator("#link")).to_be_hidden()
        assert answer(page) == ANSWER
        assert service.offsets[0] > 0


def test_an_answer_goes_on_without_its_page(page: Page, service: StandIn, url: str) -> None:
    service.held = True
    ask(page, "Describe it.", wait=False)
    page.wait_for_function("() => document.querySelector('.turn').dataset.turn")
    page.reload()
    expect(page.locator(".turn")).to_have_attribute("data-state", "waiting")
    service.held = False
    expect(page.locator(".turn")).to_have_attribute("data-state", "whole")
    assert answer(page) == ANSWER


def test_a_question_that_never_arrived_is_given_back(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        service.down = True
        page.get_by_label("Your question").fill("Is anybody there?")
        page.keyboard.press("Enter")
        expect(page.locator("#ask-warning")).to_be_visible()
        expect(page.get_by_label("Your question")).to_have_value("Is anybody there?")
        service.down = False
        page.keyboard.press("Enter")
        expect(page.locator(".turn")).to_have_attribute("data-state", "whole")
        assert service.asked == ["Is anybody there?"]


def test_a_case_is_labelled_and_deleted(page: Page, service: StandIn) -> None:
    ask(page, "Describe it.")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="About this case").click()
    expect(page.get_by_text("Please write no names").last).to_be_visible()
    page.get_by_label("Label").fill("Bed 4, cough")
    page.get_by_label("The referring doctor's question").fill("Effusion?")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bed 4, cough")
    expect(page.locator("#referring")).to_contain_text("Effusion?")
    expect(page.locator("#cases")).to_contain_text("Bed 4, cough")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete this case").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#cases a")).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(0)
    assert not service.cases


def test_what_a_model_or_a_file_says_is_text_and_nothing_else(page: Page, service: StandIn) -> None:
    markup = "<img src=x onerror=document.title='changed'><b>bold</b>"
    service.answer, service.notes = markup, (markup,)
    attach(page, png())
    ask(page, markup)
    assert answer(page) == markup
    expect(page.locator(".question")).to_have_text(markup)
    expect(page.locator(".notes li")).to_have_text(markup)
    assert page.locator("#thread b, #thread img[src=x]").count() == 0
    assert page.title() == "EdgeKit"


def test_locking_leaves_nothing_of_a_patient_on_the_screen(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        attach(page, png())
        ask(page, "Is there a pleural effusion?")
        page.get_by_role("button", name="Lock").click()
        page.get_by_role("heading", name="Locked").wait_for()
        assert "small pleural" not in page.content()
        expect(page.locator("#thread *, #cases *, #strip *, #attached *")).to_have_count(0)
        assert page.locator("img[src*=images]").count() == 0
        page.get_by_label("Password").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator(".turn")).to_have_count(1)


def test_a_session_that_has_ended_asks_for_a_sign_in_and_goes_on(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        ask(page, "Describe it.")
        service.who = ""
        page.get_by_label("Your question").fill("And now?")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Sign in").wait_for()
        assert page.locator(".turn").count() == 0
        sign_in(page)
        expect(page.locator(".turn")).to_have_count(1)
        expect(page.get_by_label("Your question")).to_have_value("And now?")


def test_below_a_path_of_its_own_everything_is_the_same(browser: Browser, service: StandIn) -> None:
    with running(service, "/edgekit") as url, looking(browser, url) as page:
        sign_in(page)
        attach(page, dicom(side=128), "chest.dcm")
        ask(page, "Describe it.")
        assert answer(page) == ANSWER


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, service: StandIn, url: str, scheme: str) -> None:
    service.warnings, service.notes, service.role = ("burned_in",), ("The picture is dark.",), "admin"
    with looking(browser, url, color_scheme=scheme) as page:
        faults = wanting(page)
        sign_in(page)
        faults += wanting(page)
        attach(page, dicom(side=256), "chest.dcm")
        faults += wanting(page)
        ask(page, "Describe it.")
        page.get_by_role("button", name="About this answer").click()
        faults += wanting(page)
        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Hand over").click()
        faults += wanting(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Draft a report").click()
        faults += wanting(page)
        page.get_by_role("button", name="Back").click()
        page.get_by_role("button", name="How the service fares").click()
        page.get_by_role("button", name="Help from afar").click()
        page.get_by_role("dialog").get_by_role("row").first.wait_for()
        faults += wanting(page)
        assert not faults, "\n".join(faults)


def test_the_notice_is_in_sight_wherever_one_is(browser: Browser, service: StandIn, url: str) -> None:
    for options in (DESKTOP, PHONE):
        with looking(browser, url, **options) as page:
            expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
            expect(page.locator("#notice")).to_contain_text(NOTICE)
            sign_in(page)
            attach(page, png())
            ask(page, "Describe it.")
            expect(page.locator("#notice")).to_be_in_viewport(ratio=1)


def test_a_question_on_its_way_when_the_session_ends_is_not_lost(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        ask(page, "Describe it.")
        page.route("**/messages", lambda route: page.wait_for_timeout(600) or route.continue_())
        service.who = ""
        page.get_by_label("Your question").fill("And now?")
        page.keyboard.press("Enter")
        page.get_by_label("Search cases").fill("x")  # another request is the first to be refused
        page.get_by_role("heading", name="Sign in").wait_for()
        page.get_by_label("Name").fill("Dr Ada")
        page.wait_for_timeout(800)
        expect(page.get_by_label("Name")).to_have_value("Dr Ada")
        sign_in(page)
        expect(page.locator(".turn")).to_have_count(1)
        expect(page.get_by_label("Your question")).to_have_value("And now?")
