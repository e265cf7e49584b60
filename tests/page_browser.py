"""Debian's Chromium before the page, as a doctor has it: signed in, watched for errors and for requests that leave.

Whatever a page writes to its console, throws, or asks of another host fails the test that opened it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route, expect, sync_playwright

from edgekit.phantom.dicom import dicom_file
from edgekit.phantom.draw import draw
from edgekit.phantom.scene import scene
from tests.page_stand_in import PASSWORD

CHROMIUM = "/usr/bin/chromium"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 820}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
NODE_MODULES = Path(__file__).parent / "clients" / "node_modules"
REFUSED = "Failed to load resource"
"""Chromium writes this for every refusal and broken link; those that a test provokes are no fault of the page."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; in containers, which run as root, it can't have its sandbox."""
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def looking(browser: Browser, url: str, *, refusals: bool = False, **options: Any) -> Iterator[Page]:
    """Open the page; with ``refusals``, a refused request or a broken link is what the test is about."""
    context: BrowserContext = browser.new_context(
        **{"locale": "en-GB", "reduced_motion": "reduce", **DESKTOP, **options}
    )
    page = context.new_page()
    faults: list[str] = []
    host = urlsplit(url).netloc

    def leave(route: Route) -> None:
        if urlsplit(route.request.url).netloc != host and not route.request.url.startswith(("blob:", "data:")):
            faults.append(f"asks another host: {route.request.url}")
        route.continue_()

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "log") and not (refusals and REFUSED in message.text):
            faults.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(f"throws: {error}"))
    context.route("**/*", leave)
    page.goto(url)
    page.wait_for_selector(".gate-card, #app:not([hidden])")
    try:
        yield page
        assert not faults, "\n".join(faults)
    finally:
        context.close()


def sign_in(page: Page, name: str = "Dr Ada", password: str = PASSWORD) -> None:
    """Fill in the form, and wait for the page behind it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_selector("#app:not([hidden])")


def png(seed: int = 3, side: int = 256) -> bytes:
    """A synthetic radiograph as PNG."""
    stream = io.BytesIO()
    draw(scene(seed), side).save(stream, "PNG")
    return stream.getvalue()


def dicom(seed: int = 7, side: int = 1024) -> bytes:
    """The same as DICOM, 12 bits in 16."""
    return dicom_file(seed, draw(scene(seed), side))


def attach(page: Page, content: bytes, name: str = "chest.png") -> None:
    """Choose a file, and wait until it is there, large, too."""
    before = page.locator(".attached-item").count()
    kind = "application/dicom" if name.endswith(".dcm") else "image/png"
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})
    page.locator(".attached-item .thumbnail").nth(before).wait_for()
    expect(page.locator(".pane[aria-busy]")).to_have_count(0, timeout=30_000)


def ask(page: Page, question: str, *, wait: bool = True, label: str = "Your question") -> None:
    """Ask, and wait for the whole answer unless told otherwise."""
    turns = page.locator(".turn").count()
    page.get_by_label(label).fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").nth(turns).wait_for()
    if wait:
        page.locator(".turn").nth(turns).and_(page.locator("[data-state=whole]")).wait_for()


def until(page: Page, condition: Callable[[], bool], why: str) -> None:
    """Wait for what no element shows: something that the page has sent."""
    for _ in range(200):
        if condition():
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"After 5 s it is not so: {why}")


def wanting(page: Page) -> list[str]:
    """What axe-core has to say against the page, of serious weight or more."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    violations = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
