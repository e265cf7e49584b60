"""The page before the service itself, from the first sign-in to deletion: what a ward would see on its first day."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pypdf
import pytest
from playwright.sync_api import Browser, expect

from edgekit.inputs.images import load_image
from tests import served
from tests.cut_link import linked
from tests.embedded_bundles import EmbeddedBundles
from tests.page_browser import ask, attach, dicom, looking, png
from tests.service_process import ServiceProcess, serving

pytestmark = pytest.mark.system
PASSWORD = "one that nobody guesses"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with serving(tmp_path_factory.mktemp("cache"), "--slots", "2") as process:
        yield process


def edgekit(service: ServiceProcess, *arguments: str) -> Any:
    """Run a command beside the service, for the same site; the document that it prints."""
    site = service.log.parent
    environment = os.environ | {"EDGEKIT_SITE": str(site), "EDGEKIT_STATE": str(site / "state")}
    command = [sys.executable, "-m", "edgekit", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_first_day(browser: Browser, service: ServiceProcess, tmp_path: Path) -> None:
    url = f"{service.url}/"
    link = edgekit(service, "user", "add", "ada", "--url", url)["link"]
    edgekit(service, "user", "add", "ben", "--url", url)
    with looking(browser, link) as page:
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])", timeout=60_000)
        assert "invitation" not in page.url

        attach(page, png(3, 512))
        expect(page.locator("#viewer-warning")).to_be_visible()
        ask(page, "Is there a pleural effusion?")
        ask(page, "Describe the findings in this image.")
        first = page.locator(".answer").nth(1).inner_text()
        assert first

        page.get_by_role("button", name="About this answer").first.click()
        turn = page.locator(".about .id").first.text_content()
        days = sorted((service.log.parent / "state" / "audit").glob("*.jsonl"))
        lines = [json.loads(line) for day in days for line in day.read_text(encoding="utf-8").splitlines()]
        assert [line["event"] for line in lines if line.get("turn") == turn] == ["asked", "answered"]

        page.get_by_role("button", name="New case").click()
        file = dicom(7, 512)
        attach(page, file, "chest.dcm")
        expect(page.locator(".pane-facts").first).to_have_text("DX CHEST PA")
        page.wait_for_timeout(500)
        shown = page.evaluate("""() => {
            const pixels = document.createElement("canvas");
            return fetch(document.querySelector(".attached-item img").src.replace(/side=\\d+/, "side=0"))
                .then((response) => response.blob()).then(createImageBitmap).then((bitmap) => {
                    [pixels.width, pixels.height] = [bitmap.width, bitmap.height];
                    const context = pixels.getContext("2d");
                    context.drawImage(bitmap, 0, 0);
                    return Array.from(context.getImageData(0, 0, bitmap.width, 8).data).filter((_, at) => at % 4 === 0);
                });
        }""")
        assert np.array_equal(shown, np.asarray(load_image(file).image)[:8, :, 0].ravel())
        corner = page.locator(".pane-corner").first
        before = corner.inner_text()
        box = page.locator(".pane").first.bounding_box()
        assert box
        page.mouse.move(box["x"] + 200, box["y"] + 200)
        page.mouse.down()
        page.mouse.move(box["x"] + 260, box["y"] + 170, steps=4)
        page.mouse.up()
        expect(corner).not_to_have_text(before)
        ask(page, "What do you see?")

        page.reload()
        page.wait_for_selector(".turn")
        page.get_by_label("Search cases").fill("effusion")
        expect(page.locator("#cases a")).to_have_count(1)
        page.locator("#cases a").click()
        expect(page.locator(".answer").nth(1)).to_have_text(first)

        page.get_by_role("button", name="Wrong").first.click()
        page.get_by_role("button", name="The answer is").nth(1).click()
        page.get_by_role("textbox", name="The answer is").fill("A normal chest.")
        page.keyboard.press("Enter")
        expect(page.locator(".feedback-state").nth(1)).to_have_text("A normal chest.")

        page.get_by_role("button", name="Draft a report").click()
        page.get_by_label("Findings").fill("A normal chest.")
        expect(page.get_by_text("Saved")).to_be_visible()
        page.evaluate("() => (window.print = () => (window.isPrinting = true))")
        page.get_by_role("button", name="Print").click()
        page.wait_for_function("() => window.isPrinting")
        assert page.locator(".qr").evaluate("(code) => code.naturalWidth > 0")
        leaves = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
        assert all("DRAFT BY A MODEL" in leaf.extract_text() for leaf in leaves)
        page.get_by_role("button", name="Back").click()

        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Hand over").click()
        page.get_by_label("Colleague", exact=True).select_option("ben")
        page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
        expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("ben")
        page.get_by_role("button", name="Withdraw").click()
        expect(page.get_by_role("dialog")).to_contain_text("Nobody else sees this case.")
        page.keyboard.press("Escape")

        exported = edgekit(service, "feedback", "export", str(tmp_path / "corrections"))
        assert "A normal chest." in (tmp_path / "corrections" / "feedback.json").read_text(encoding="utf-8"), exported

        page.get_by_role("button", name="More").click()
        page.get_by_role("button", name="Delete this case").click()
        page.get_by_role("button", name="Delete for good").click()
        expect(page.locator("#cases a")).to_have_count(0)
        page.get_by_label("Search cases").fill("")
        expect(page.locator("#cases a")).to_have_count(1)
    assert edgekit(service, "audit", "verify")["ok"] is True


def test_masks_lock_and_language(browser: Browser, service: ServiceProcess) -> None:
    link = edgekit(service, "user", "add", "eve", "--url", f"{service.url}/")["link"]
    with looking(browser, link, refusals=True) as page:
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])", timeout=60_000)
        attach(page, dicom(8, 256), "chest.dcm")
        page.get_by_role("button", name="Mask writing").click()
        page.get_by_role("button", name="Add a rectangle").click()
        page.get_by_role("button", name="Mask", exact=True).click()
        expect(page.locator("#mask-bar")).to_be_hidden()
        expect(page.locator(".attached-item .thumbnail")).to_have_count(1)
        ask(page, "Is the heart enlarged?")
        page.get_by_role("button", name="Lock", exact=True).click()
        page.get_by_role("heading", name="Locked").wait_for()
        page.get_by_label("Password").fill("not it")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("do not belong together", timeout=30_000)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator(".turn")).to_have_count(1, timeout=30_000)
        page.get_by_role("button", name="eve", exact=True).click()
        with page.expect_response(lambda response: response.request.method == "PATCH"):
            page.get_by_label("Language").select_option("fr")
        expect(page.get_by_role("button", name="Nouveau cas")).to_be_visible()
        page.reload()
        expect(page.get_by_role("button", name="Nouveau cas")).to_be_visible()
        page.get_by_role("button", name="eve", exact=True).click()
        page.get_by_role("button", name="Se déconnecter").click()
        page.get_by_role("heading", name="Connexion").wait_for()


def test_an_admin_sees_figures(browser: Browser, service: ServiceProcess) -> None:
    link = edgekit(service, "user", "add", "Chief", "--admin", "--url", f"{service.url}/")["link"]
    with looking(browser, link) as page:
        page.get_by_label("New password", exact=True).fill(PASSWORD)
        page.get_by_label("New password again").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("#app:not([hidden])", timeout=60_000)
        page.get_by_role("button", name="How the service fares").click()
        expect(page.locator("#admin")).to_contain_text(re.compile(r"\d / 2"))
        expect(page.locator("#admin")).to_contain_text("Chief")


def test_an_answer_is_stopped_and_one_is_taken_up_behind_a_cut_link(
    browser: Browser, embedded_as: EmbeddedBundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = embedded_as("q4")
    state = tmp_path / "state"

    def slow(engine: Any) -> Any:
        return served.Slow(engine, 0.25)

    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    with (
        served.serving(bundle, slots=1, engine=slow, state=state) as running,
        linked(int(running.url.rstrip("/").rpartition(":")[2])) as link,
        looking(browser, link.url, refusals=True) as page,
    ):
        ask(page, "Describe the findings in this image.", wait=False)
        expect(page.locator(".turn").first).to_have_attribute("data-state", "writing", timeout=20_000)
        link.cut()
        expect(page.locator("#link")).to_contain_text("The link is lost")
        written = page.locator(".answer").first.inner_text()
        link.mend()
        expect(page.locator(".turn").first).to_have_attribute("data-state", "whole", timeout=60_000)
        expect(page.locator("#link")).to_be_hidden()
        answer = page.locator(".answer").first.inner_text()
        assert answer.startswith(written)
        page.reload()
        page.wait_for_selector(".turn")
        assert page.locator(".answer").first.inner_text() == answer, "as it was kept"
        ask(page, "Describe the findings in this image.", wait=False)
        expect(page.locator(".turn").nth(1)).to_have_attribute("data-state", "writing", timeout=20_000)
        page.get_by_role("button", name="Stop the answer").click()
        expect(page.locator(".turn").nth(1)).to_have_attribute("data-state", "stopped")
