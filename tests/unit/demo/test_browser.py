"""When a browser is opened: where somebody sits at this machine, and by one with windows."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Mapping

import pytest

from edgekit.demo.browser import has_desktop, open_page

URL = "http://127.0.0.1:8080/"


class Browser(webbrowser.BackgroundBrowser):
    """Notes what it is to open."""

    def __init__(self) -> None:
        super().__init__("browser")
        self.opened: list[str] = []
        self.done = threading.Event()

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self.opened.append(url)
        self.done.set()
        return True


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({}, False),
        ({"DISPLAY": ""}, False),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "10.0.0.2 5 10.0.0.3 22"}, False),
        ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, False),
        ({"WAYLAND_DISPLAY": "wayland-0", "SSH_CLIENT": "10.0.0.2 5 22"}, False),
    ],
)
def test_a_desktop_is_one_that_is_seen(variables: Mapping[str, str], expected: bool) -> None:
    assert has_desktop(variables) == expected


def test_the_page_opens_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert open_page(URL, {"DISPLAY": ":0"})
    assert browser.done.wait(5)
    assert browser.opened == [URL]
    assert not open_page(URL, {})
    assert browser.opened == [URL]


@pytest.mark.parametrize("kind", [webbrowser.GenericBrowser, webbrowser.Elinks])
def test_a_browser_that_would_take_the_terminal_is_left_unless_it_was_chosen(
    kind: type[webbrowser.GenericBrowser], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()
    chosen = kind("text-browser")
    monkeypatch.setattr(chosen, "open", lambda url: opened.set())
    monkeypatch.setattr(webbrowser, "get", lambda: chosen)
    assert not open_page(URL, {"DISPLAY": ":0"})
    assert not opened.is_set()
    assert open_page(URL, {"DISPLAY": ":0", "BROWSER": "text-browser"})
    assert opened.wait(5)


def test_a_browser_that_has_windows_by_its_own_class_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = threading.Event()
    chosen = webbrowser.Mozilla("firefox")
    monkeypatch.setattr(chosen, "open", lambda url: opened.set())
    monkeypatch.setattr(webbrowser, "get", lambda: chosen)
    assert open_page(URL, {"WAYLAND_DISPLAY": "wayland-0"})
    assert opened.wait(5)


def test_a_desktop_without_any_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> webbrowser.BaseBrowser:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none)
    assert not open_page(URL, {"DISPLAY": ":0"})
