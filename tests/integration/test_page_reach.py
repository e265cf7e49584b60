"""Whom the page reaches, in a real browser: other languages, keyboards, screen readers, phones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from edgekit.serve.static import FOLDER
from tests.page_browser import DESKTOP, PHONE, ask, attach, dicom, looking, png, sign_in, until, wanting
from tests.page_stand_in import ANSWER, NOTICE, PASSWORD, StandIn, running

pytestmark = pytest.mark.system
FIRST_PAINT_MS = 300
BARE_MS = 50
"""What Chromium takes for a few words on an idle machine, which is a part of that."""
LIGHT_BYTES = 150_000


@pytest.fixture
def service() -> StandIn:
    return StandIn(sign_in=False)


def texts(language: str) -> dict[str, str]:
    """A language's file."""
    found: dict[str, str] = json.loads((FOLDER / "languages" / f"{language}.json").read_text(encoding="utf-8"))["texts"]
    return found


@pytest.mark.parametrize(("language", "locale"), [("fr", "fr-CA"), ("pt", "pt-MZ"), ("sw", "sw-TZ"), ("ar", "ar-EG")])
def test_a_browser_is_met_in_its_language(browser: Browser, url: str, language: str, locale: str) -> None:
    words = texts(language)
    with looking(browser, url, locale=locale) as page:
        root = page.locator("html")
        expect(root).to_have_attribute("lang", language)
        expect(root).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        expect(page.locator("#notice-draft")).to_have_text(words["notice.draft"])
        expect(page.locator("#notice-english")).to_have_text(texts("en")["notice.draft"])
        assert page.locator("[lang=en][dir=ltr] > #notice-english").count() == 1
        expect(page.locator("#notice-bundle")).to_have_text(NOTICE)
        expect(page.locator("#unreviewed")).to_have_text(words["notice.unreviewed"])
        expect(page.locator("#unreviewed")).to_be_in_viewport()
        expect(page.locator("#only-english")).to_have_text(words["ask.onlyEnglish"])


def test_words_go_with_the_number_that_they_count(browser: Browser, service: StandIn, url: str) -> None:
    languages = ["en", "fr", "pt", "sw", "ar"]
    script = """(languages) => languages.map((language) => {
        const rules = new Intl.PluralRules(language);
        return [...new Set([...Array(300).keys()].map((count) => rules.select(count + 1)))].sort();
    })"""
    with looking(browser, url, locale="ar") as page:
        chosen = page.evaluate(script, languages)
        assert chosen == [sorted(forms(language, "cases.pictures")) for language in languages]
        for count, form in ((1, "one"), (2, "two")):
            attach(page, png(count))
            page.reload()
            expect(shown_in(page)).to_have_text(forms("ar", "cases.pictures")[form])
    with looking(browser, url) as page:
        expect(shown_in(page)).to_have_text("2 pictures")


def shown_in(page: Page) -> Locator:
    """How many pictures a case has, for a screen reader."""
    return page.locator("#cases .count .hidden-text")


def forms(language: str, key: str) -> dict[str, str]:
    """A text's forms by what they count."""
    document = json.loads((FOLDER / "languages" / f"{language}.json").read_text(encoding="utf-8"))
    found: dict[str, str] = document["texts"][key]
    return found


def test_a_suggested_question_is_asked_in_the_models_language(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, locale="fr-FR") as page:
        attach(page, png())
        page.get_by_role("button", name="Y a-t-il un épanchement pleural ?").click()
        expect(page.locator(".turn[data-state=whole]")).to_have_count(1)
        assert service.asked == ["Is there a pleural effusion?"]


def test_arabic_runs_from_the_right_and_answers_from_theirs(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, locale="ar") as page:
        attach(page, dicom(side=256), "chest.dcm")
        ask(page, "هل يوجد انصباب؟", label=texts("ar")["ask.label"])
        side, main = page.locator("#side").bounding_box(), page.locator("#main").bounding_box()
        assert side
        assert main
        assert side["x"] > main["x"], "the list of cases is on the right"
        direction = "(element) => getComputedStyle(element).direction"
        assert page.locator(".question").evaluate(direction) == "rtl"
        assert page.locator(".answer").evaluate(direction) == "ltr", "an English answer runs from the left"
        assert not wanting(page)


def test_a_language_is_chosen_and_kept(browser: Browser, url: str) -> None:
    with looking(browser, url) as page:
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Language").select_option("sw")
        expect(page.get_by_role("button", name="Kisa kipya")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Kisa kipya")).to_be_visible()


def test_an_account_brings_its_language(browser: Browser) -> None:
    service = StandIn(language="fr")
    with running(service) as url, looking(browser, url) as page:
        sign_in(page)
        expect(page.get_by_role("button", name="Nouveau cas")).to_be_visible()
        attach(page, png())
        ask(page, "Is there a pleural effusion?", label="Votre question")
        page.get_by_role("button", name="Dr Ada").click()
        page.get_by_label("Langue").select_option("pt")
        expect(page.get_by_role("button", name="Novo caso")).to_be_visible()
        expect(page.locator(".verdict").first).to_have_text("Certa")
        until(page, lambda: service.language == "pt", "it is told to the service")


def test_the_keyboard_alone_is_enough(browser: Browser) -> None:
    service = StandIn()
    with running(service) as url, looking(browser, url) as page:
        page.keyboard.type("Dr Ada")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])")
        expect(page.get_by_label("Your question")).to_be_focused()
        page.keyboard.type("Is there a pleural effusion?")
        page.keyboard.press("Enter")
        expect(page.locator(".turn[data-state=whole]")).to_have_count(1)
        reach(page, "Right")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Right")).to_have_attribute("aria-pressed", "true")
        reach(page, "More", backwards=True)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="About this case")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Escape")
        expect(page.locator("#open-more")).to_be_focused()
        reach(page, "Draft a report", backwards=True)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Findings")).to_be_focused()
        page.keyboard.type("Nothing to be seen.")
        reach(page, "Back", backwards=True)
        page.keyboard.press("Enter")
        expect(page.locator("#open-report")).to_be_focused()
        page.reload()
        page.wait_for_selector(".turn")
        page.locator("body").press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Your question")).to_be_focused()


def reach(page: Page, name: str, *, backwards: bool = False) -> None:
    """Press Tab until what is called so has the focus; every stop on the way can be seen."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        seen: dict[str, Any] = page.evaluate("""() => {
            const at = document.activeElement;
            const box = at.getBoundingClientRect();
            return { name: at.getAttribute("aria-label") || at.textContent.trim(), visible: box.width > 0 };
        }""")
        assert seen["visible"] or seen["name"] == "", f"{seen['name']} has the focus and is not to be seen"
        if seen["name"] == name:
            return
    raise AssertionError(f"{name} is not reached")


def test_a_screen_reader_hears_an_answer_once_it_is_whole(browser: Browser, service: StandIn, url: str) -> None:
    service.pace_s = 0.02
    with looking(browser, url) as page:
        script = """() => {
            window.heard = [];
            const live = document.querySelector("#live");
            const note = () => live.textContent && window.heard.push(live.textContent);
            new MutationObserver(note).observe(live, { childList: true });
        }"""
        page.evaluate(script)
        ask(page, "Describe it.")
        page.wait_for_function("() => window.heard.length")
        page.wait_for_timeout(300)  # in which nothing more is to come
        assert page.evaluate("() => window.heard") == [ANSWER]
        expect(page.locator("#live")).to_have_attribute("aria-live", "polite")


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_nothing_is_wider_than_a_phone(browser: Browser, service: StandIn, url: str, language: str) -> None:
    service.answer = f"{ANSWER} {'verylongwordwithoutanyblank' * 5}"
    service.notes = ("The right side of the picture is darker than usual.",)
    with looking(browser, url, **{**PHONE, "locale": language}) as page:
        words = texts(language)
        page.evaluate("() => document.fonts.ready")
        assert overflow(page) == []
        attach(page, png())
        page.get_by_role("button", name=words["close"]).last.tap()
        ask(page, "Is there a pleural effusion?" * 4, label=words["ask.label"])
        assert overflow(page) == []
        expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name=words["report.open"]).tap()
        assert overflow(page) == []
        assert not wanting(page)


def overflow(page: Page) -> list[str]:
    """What stands out at a side of the window."""
    script = """() => [...document.querySelectorAll("body *")].filter((element) => {
        const box = element.getBoundingClientRect();
        const hidden = element.closest(".hidden-text, .sprite, #side, .pane, .strip, .skip");
        return !hidden && box.width && (box.left < -1 || box.right > innerWidth + 1);
    }).map((element) => element.outerHTML.slice(0, 120))"""
    found: list[str] = page.evaluate(script)
    return found


def test_targets_are_large_enough_for_thumbs(browser: Browser, service: StandIn, url: str) -> None:
    with looking(browser, url, **PHONE) as page:
        attach(page, png())
        page.get_by_role("button", name="Close").last.tap()
        ask(page, "Describe it.")
        script = """() => [...document.querySelectorAll("button, a, input, select, textarea")].filter((element) => {
            const box = element.getBoundingClientRect();
            const aside = element.closest(".hidden-text, .skip");
            return box.width && !aside && Math.min(box.width, box.height) < 40;
        }).map((element) => element.outerHTML.slice(0, 160))"""
        assert page.evaluate(script) == []


def test_the_first_paint_comes_soon_and_all_of_it_is_light(browser: Browser, url: str) -> None:
    first_paint = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
    sent = "() => performance.getEntries().map((entry) => entry.transferSize || 0).reduce((a, b) => a + b, 0)"
    paints, bare = [], []
    for _ in range(6):  # in turn, since other work on the machine slows both
        with browser.new_page() as page:
            page.goto(url, wait_until="networkidle")
            paints.append(page.evaluate(first_paint))
            assert 20_000 < page.evaluate(sent) < LIGHT_BYTES
        with browser.new_page() as page:
            page.goto(f"{url}page/page.webmanifest", wait_until="networkidle")
            bare.append(page.evaluate(first_paint))
    assert min(paints) - min(bare) < FIRST_PAINT_MS - BARE_MS, (paints, bare)


def test_the_screen_stays_on_while_somebody_waits(browser: Browser, service: StandIn, url: str) -> None:
    service.held = True
    with looking(browser, url) as page:
        script = """() => {
            window.lock = { held: 0 };
            const request = async () => {
                window.lock.held += 1;
                return { addEventListener: () => {}, release: () => (window.lock.held -= 1) };
            };
            Object.defineProperty(navigator, "wakeLock", { value: { request } });
        }"""
        page.evaluate(script)
        ask(page, "Describe it.", wait=False)
        page.wait_for_function("() => window.lock.held === 1")
        service.held = False
        page.wait_for_function("() => window.lock.held === 0")


def test_a_phone_that_slept_takes_the_answer_up_again(browser: Browser, service: StandIn, url: str) -> None:
    service.pace_s = 0.1
    with looking(browser, url) as page:
        ask(page, "Describe it.", wait=False)
        expect(page.locator(".turn")).to_have_attribute("data-state", "writing")
        page.evaluate("""() => {
            const now = performance.now.bind(performance);
            performance.now = () => now() + 60000;
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
        expect(page.locator(".turn")).to_have_attribute("data-state", "whole")
        assert page.locator(".answer").inner_text() == ANSWER
        assert service.offsets
        assert service.offsets[0] > 0


def test_nobody_at_a_shared_pc_locks_it(browser: Browser) -> None:
    service = StandIn(idle_s=2)
    with running(service) as url, looking(browser, url, refusals=True, **DESKTOP) as page:
        sign_in(page)
        page.get_by_role("heading", name="Locked").wait_for(timeout=10_000)
        assert service.locked


def test_nothing_stays_on_a_screen_whose_service_is_away_when_it_locks(browser: Browser) -> None:
    service = StandIn(idle_s=4)
    with running(service) as url, looking(browser, url, refusals=True, **DESKTOP) as page:
        sign_in(page)
        page.get_by_role("button", name="Dr Ada").click()
        page.get_by_role("dialog").wait_for()
        service.down = True
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=15_000)
