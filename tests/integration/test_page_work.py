"""What a doctor makes of answers, in a real browser: corrections, reports on paper, colleagues, several questions."""

from __future__ import annotations

import io
import json
import unicodedata

import pypdf
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.page_browser import ask, attach, looking, png, sign_in, until
from tests.page_stand_in import ANSWER, BUNDLE, NOTICE, PASSWORD, StandIn

pytestmark = pytest.mark.system
MARK = "DRAFT BY A MODEL"


@pytest.fixture
def service() -> StandIn:
    return StandIn()


def printed(page: Page) -> list[str]:
    """The text of each page that comes out of the printer."""
    content = page.pdf(format="A4", print_background=False)
    leaves = [leaf.extract_text() for leaf in pypdf.PdfReader(io.BytesIO(content)).pages]
    return [" ".join(unicodedata.normalize("NFKC", text).split()) for text in leaves]  # without ligatures


def test_an_answer_is_judged_and_corrected(page: Page, service: StandIn) -> None:
    ask(page, "Is there a pleural effusion?")
    turn = next(iter(service.cases.values())).turns[0]["id"]
    page.get_by_role("button", name="Wrong").click()
    expect(page.get_by_role("button", name="Wrong")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="The answer is").click()
    page.get_by_role("textbox", name="The answer is").fill("No.")
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-state")).to_have_text("No.")
    assert service.feedback == [
        {"turn": turn, "verdict": "wrong"},
        {"turn": turn, "verdict": "answer", "answer": "No."},
    ]
    page.reload()
    expect(page.locator(".feedback-state")).to_have_text("No.")
    page.get_by_role("button", name="Right").click()
    expect(page.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".feedback-state")).to_be_empty()


def test_the_model_drafts_a_report_and_the_doctor_changes_it(page: Page, service: StandIn) -> None:
    attach(page, png())
    ask(page, "Is there a pleural effusion?")
    page.get_by_role("button", name="Draft a report").click()
    page.get_by_role("button", name="Have the model draft it").click()
    expect(page.get_by_label("Impression")).to_have_value(ANSWER)
    expect(page.get_by_label("Findings")).to_have_value(ANSWER)
    assert service.asked[1:] == ["Describe the findings in this image.", "What is the impression?"]
    page.get_by_label("Impression").fill("No effusion, in my reading.")
    (case,) = service.cases.values()
    until(page, lambda: "in my reading" in case.report, "what was typed is sent")
    expect(page.get_by_text("Saved")).to_be_visible()
    assert json.loads(case.report) == {"findings": ANSWER, "impression": "No effusion, in my reading."}
    page.get_by_role("button", name="Back").click()
    expect(page.locator(".turn")).to_have_count(3)
    page.reload()
    page.get_by_role("button", name="Draft a report").click()
    expect(page.get_by_label("Impression")).to_have_value("No effusion, in my reading.")


def test_an_answer_says_by_what_the_audit_knows_it(page: Page, service: StandIn) -> None:
    ask(page, "Is there a pleural effusion?")
    turn = next(iter(service.cases.values())).turns[0]
    press = page.get_by_role("button", name="About this answer")
    expect(press).to_have_attribute("aria-expanded", "false")
    press.click()
    box = page.locator(".about")
    expect(box).to_contain_text("ID for the audit")
    expect(box.locator(".id")).to_have_text(turn["id"])
    expect(box.locator(".id span").first).to_have_text(turn["id"][:4])
    box.locator(".id span").nth(2).click()
    assert page.evaluate("() => getSelection().toString()") == turn["id"], "one click takes all of it, without gaps"
    expect(box).to_contain_text(BUNDLE[:16])
    press.click()
    expect(box).to_be_hidden()


def test_an_answer_is_taken_into_the_report(page: Page, service: StandIn) -> None:
    ask(page, "Is there a pleural effusion?")
    page.get_by_role("button", name="Add to the report").click()
    expect(page.get_by_label("Findings")).to_have_value(ANSWER)
    page.get_by_role("button", name="Back").click()
    page.wait_for_function("() => !document.querySelector('#app').hidden")
    expect(page.locator("#report")).to_be_hidden()
    (case,) = service.cases.values()
    until(page, lambda: case.report != "", "it is kept when it is left at once")
    assert json.loads(case.report)["findings"] == ANSWER


def test_a_slow_link_keeps_the_last_of_a_report_and_says_so_once_it_is(page: Page, service: StandIn) -> None:
    """The first text's answer is held back until the second was written."""
    ask(page, "Is there a pleural effusion?")
    (case,) = service.cases.values()
    page.get_by_role("button", name="Draft a report").click()
    first: list[Route] = []
    page.route("**/api/conversations/*", lambda route: first.append(route) if not first else route.continue_())
    with page.expect_request(lambda request: request.method == "PATCH"):
        page.get_by_label("Findings").fill("An older text.")
    page.get_by_label("Findings").fill("A newer text.")
    page.wait_for_timeout(1500)  # in which it would have been sent
    assert not case.report
    first[0].continue_()
    until(page, lambda: "newer" in case.report, "the last text is sent")
    expect(page.get_by_text("Saved")).to_be_visible()


def test_every_printed_page_says_what_it_is(page: Page, service: StandIn) -> None:
    attach(page, png())
    ask(page, "Is there a pleural effusion?")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="About this case").click()
    page.get_by_label("The referring doctor's question").fill("Effusion, or old scars?")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Draft a report").click()
    lines = "\n".join(f"Line {number} of what was seen." for number in range(120))
    page.get_by_label("Findings").fill(lines)
    page.get_by_label("Impression").fill("Small effusion.")
    page.evaluate("() => (window.print = () => (window.isPrinting = true))")
    page.get_by_role("button", name="Print").click()
    page.wait_for_function("() => window.isPrinting")
    assert page.locator(".qr").evaluate("(code) => code.naturalWidth > 0"), "the code is there before it is printed"
    leaves = printed(page)
    assert len(leaves) >= 3
    for leaf in leaves:
        assert leaf.count(MARK) == 1, leaf
    whole = " ".join(leaves)
    assert all(f"Line {number} of" in whole for number in range(120)), "nothing is cut off"
    for words in ("Small effusion.", "Effusion, or old scars?", NOTICE, "Dr Ada", "Is there a pleural effusion?"):
        assert words in whole
    assert BUNDLE in whole.replace(" ", "")
    assert next(iter(service.cases.values())).turns[0]["id"] in whole.replace(" ", ""), "by which the audit knows it"
    assert "New case" not in whole
    assert "Have the model draft it" not in whole


def test_a_correction_stands_on_paper_as_a_sentence_of_its_own(page: Page) -> None:
    ask(page, "Is there a pleural effusion?")
    page.get_by_role("button", name="The answer is").click()
    page.get_by_role("textbox", name="The answer is").fill("No, a fold of the skin.")
    page.keyboard.press("Enter")
    expect(page.locator(".feedback-state")).to_have_text("No, a fold of the skin.")
    page.get_by_role("button", name="Draft a report").click()
    expect(page.locator(".sheet-asked .word")).to_have_text("The answer is: No, a fold of the skin.")
    (leaf,) = printed(page)
    assert "The answer is: No, a fold of the skin." in leaf


def test_in_another_language_paper_says_it_in_both(browser: Browser, service: StandIn, url: str) -> None:
    service.language = "fr"
    with looking(browser, url) as page:
        sign_in(page)
        ask(page, "Is there a pleural effusion?", label="Votre question")
        page.get_by_role("button", name="Préparer un compte rendu").click()
        (leaf,) = printed(page)
        assert MARK in leaf
        assert "ÉBAUCHE D’UN MODÈLE" in leaf


def test_a_case_is_handed_over_and_withdrawn(browser: Browser, page: Page, service: StandIn, url: str) -> None:
    ask(page, "Is there a pleural effusion?")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Hand over").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nobody else sees this case.")
    dialog.get_by_role("button", name="Hand over").click()
    (case,) = service.cases.values()
    assert case.shares == {}, "nobody sees a case because he is the first in a list"
    dialog.get_by_label("Colleague").select_option("Dr Ben")
    dialog.get_by_role("button", name="Hand over").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("Dr Ben")
    assert case.shares == {"Dr Ben": False}
    dialog.get_by_label("May ask questions, too").check()
    dialog.get_by_role("button", name="Hand over").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("reads and asks")
    assert case.shares == {"Dr Ben": True}
    dialog.get_by_role("button", name="Withdraw").click()
    expect(dialog).to_contain_text("Nobody else sees this case.")
    assert case.shares == {}


def test_a_colleague_reads_and_asks_as_far_as_he_may(browser: Browser, page: Page, service: StandIn, url: str) -> None:
    ask(page, "Is there a pleural effusion?")
    (case,) = service.cases.values()
    case.shares["Dr Ben"] = False
    page.goto("about:blank")  # the stand-in knows one session at a time
    with looking(browser, url) as other:
        sign_in(other, "Dr Ben")
        expect(other.locator("#cases a")).to_contain_text("Dr Ada")
        other.locator("#cases a").click()
        expect(other.locator(".turn")).to_contain_text("Dr Ada")
        expect(other.locator("#read-only")).to_be_visible()
        expect(other.get_by_label("Your question")).to_be_hidden()
        expect(other.get_by_role("button", name="More")).to_be_hidden()
        expect(other.get_by_role("button", name="Copy the answer")).to_be_visible()
        expect(other.get_by_role("button", name="Add to the report")).to_have_count(0)  # it would be lost
        other.get_by_role("button", name="Draft a report").click()
        expect(other.locator(".sheet-facts")).to_contain_text("Dr Ada")
        other.get_by_role("button", name="Back").click()
        case.shares["Dr Ben"] = True
        other.reload()
        other.wait_for_selector(".turn")
        ask(other, "And the heart?")
        assert [turn["by"] for turn in case.turns] == ["Dr Ada", "Dr Ben"]
    with looking(browser, url, refusals=True) as other:
        sign_in(other, "Dr Ben")
        expect(other.locator("#cases a")).to_contain_text("Dr Ada")  # or the list is read when nothing is in it
        del case.shares["Dr Ben"]
        other.locator("#cases a").click()
        expect(other.locator("#ask-warning")).to_contain_text("no longer shown to you")
        expect(other.locator(".turn")).to_have_count(0)


def test_several_questions_are_asked_one_after_the_other(page: Page, service: StandIn) -> None:
    attach(page, png())
    page.get_by_role("button", name="Ask several together").click()
    for name in ("Is there a fracture?", "Is there a pneumothorax?", "Is the heart enlarged?"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Is the heart enlarged?").click()
    page.get_by_role("button", name="Ask these (2)").click()
    expect(page.locator(".turn[data-state=whole]")).to_have_count(2)
    assert service.asked == ["Is there a pneumothorax?", "Is there a fracture?"]
    turns = next(iter(service.cases.values())).turns
    assert [len(turn["pictures"]) for turn in turns] == [1, 0], "the picture goes with the first"


def test_stopping_one_of_several_asks_no_further(page: Page, service: StandIn) -> None:
    service.held = True
    attach(page, png())
    page.get_by_role("button", name="Ask several together").click()
    for name in ("Is there a fracture?", "Is there a pneumothorax?"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Ask these (2)").click()
    expect(page.locator("#ask-state")).to_have_text("Still to be asked: 1")
    page.get_by_role("button", name="Stop the answer").click()
    expect(page.locator(".turn[data-state=stopped]")).to_have_count(1)
    page.wait_for_timeout(300)
    assert len(service.asked) == 1


def test_a_suggested_question_waits_for_a_picture(page: Page, service: StandIn) -> None:
    page.get_by_role("button", name="Questions that are asked often").click()
    page.get_by_role("button", name="Is there a fracture?").click()
    expect(page.get_by_label("Your question")).to_have_value("Is there a fracture?")
    expect(page.locator("#ask-warning")).to_have_text("Add a picture first, then ask.")
    attach(page, png())
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-state=whole]")).to_have_count(1)


@pytest.mark.parametrize(("yes", "words"), [(0.934, "Yes, with 93% confidence"), (0.2, "No, with 80% confidence")])
def test_confidence_is_shown_where_the_bundle_has_one(page: Page, service: StandIn, yes: float, words: str) -> None:
    service.confidence = {"yes": yes}
    ask(page, "Is there a pleural effusion?")
    expect(page.locator(".turn-state")).to_have_text(words)


def test_a_password_is_changed_and_asked_for_again(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:
        sign_in(page)
        page.get_by_role("button", name="Dr Ada").click()
        page.get_by_text("Change the password").click()
        page.get_by_label("Present password").fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill("another long password")
        page.get_by_label("New password again").fill("another long password")
        page.get_by_role("button", name="Change, and sign in again").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        expect(page.locator("#gate").get_by_role("status")).to_contain_text("The password is changed.")
        expect(page.get_by_label("Name")).to_have_value("Dr Ada")
        expect(page.get_by_label("Password")).to_be_focused()
        page.keyboard.type("another long password")
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])")
        page.get_by_role("button", name="Dr Ada").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Name")).to_have_value("")  # the next may be somebody else


def test_signing_out_leaves_nothing_for_the_next(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, refusals=True) as page:  # of what was on its way when the session ended
        sign_in(page)
        ask(page, "Is there a pleural effusion?")
        page.get_by_label("Your question").fill("Half a question")
        page.get_by_role("button", name="Dr Ada").click()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in").wait_for()
        assert "small pleural" not in page.content()
        page.goto(url)
        sign_in(page, "Dr Ben")
        expect(page.locator("#cases a")).to_have_count(0)
        expect(page.get_by_label("Your question")).to_have_value("")


def test_an_admin_sees_how_the_service_fares(browser: Browser, service: StandIn, url: str) -> None:
    service.role = "admin"
    with looking(browser, url) as page:
        sign_in(page)
        page.get_by_role("button", name="How the service fares").click()
        expect(page.get_by_role("heading", level=1).last).to_have_text("How the service fares")
        for words in ("1 / 2", "2.9 GiB", "38.2 GiB", "ward7.local", "image_too_large", "Same answers"):
            expect(page.locator("#admin")).to_contain_text(words)
        page.get_by_role("button", name="Back").click()
        expect(page.get_by_label("Your question")).to_be_visible()


def test_what_is_in_the_archive_is_shown_before_it_is_saved(browser: Browser, service: StandIn, url: str) -> None:
    service.role = "admin"
    with looking(browser, url) as page:
        sign_in(page)
        page.get_by_role("button", name="How the service fares").click()
        page.get_by_role("button", name="Help from afar").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("row")).to_have_count(2)
        expect(dialog.get_by_role("row").nth(1)).to_have_text("log.txtits last lines1.2 MiB")
        expect(dialog.get_by_role("status")).to_have_text("edgekit-support-20261130T120000Z.tar.gz, 2 KiB")
        with page.expect_download() as saved:
            dialog.get_by_role("button", name="Save it").click()
        assert saved.value.suggested_filename == "edgekit-support-20261130T120000Z.tar.gz"
        assert saved.value.path().read_bytes() == service.archive, "what was shown, not gathered anew"
        expect(dialog).to_have_count(0)
        assert service.gathered == 1


def test_a_doctor_has_no_way_to_it(page: Page, url: str) -> None:
    expect(page.get_by_role("button", name="How the service fares")).to_be_hidden()
    page.goto(f"{url}#admin")
    expect(page.locator("#admin")).to_be_hidden()
    expect(page.get_by_label("Your question")).to_be_visible()
