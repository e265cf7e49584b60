"""A page opened in the browser of whoever sits at this machine, where somebody does."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Mapping

_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY")
_FROM_AFAR = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")


def has_desktop(variables: Mapping[str, str]) -> bool:
    """Say whether a window would come up before the eyes of who started this: not over SSH, whose windows, where it
    forwards any, are another machine's, to which this one's loopback is nothing."""
    return any(variables.get(name) for name in _DESKTOP) and not any(variables.get(name) for name in _FROM_AFAR)


def open_page(url: str, variables: Mapping[str, str]) -> bool:
    """Open ``url`` in a browser, if there is one with windows, and say whether that was tried.

    It takes seconds at times, and is not waited for.
    """
    if not has_desktop(variables):
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    has_windows = getattr(browser, "background", isinstance(browser, webbrowser.BackgroundBrowser))
    if not has_windows and not variables.get("BROWSER"):  # it would take the terminal from whoever sits at it
        return False
    threading.Thread(target=browser.open, args=(url,), daemon=True, name="browser").start()
    return True
