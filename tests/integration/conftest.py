"""A real browser before the page: what its tests share. Nothing of it is loaded where none of them runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.page_stand_in import StandIn


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one file: while it runs, its driver's event loop does, and other files' tests begin their own."""
    from tests.page_browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def url(service: StandIn) -> Iterator[str]:
    """Where the file's stand-in for a service answers."""
    from tests.page_stand_in import running

    with running(service) as address:
        yield address


@pytest.fixture
def page(browser: Browser, service: StandIn, url: str) -> Iterator[Page]:
    """The page, signed in to where that is needed."""
    from tests.page_browser import looking, sign_in

    with looking(browser, url) as opened:
        if service.sign_in:
            sign_in(opened)
        yield opened
