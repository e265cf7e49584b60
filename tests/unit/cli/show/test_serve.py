"""What `edgekit serve` says of where it answers, and of who can ask."""

from __future__ import annotations

import pytest

from edgekit.cli.show.serve import show_announcement, show_exposure
from edgekit.console import Console
from edgekit.serve.server import Announcement

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("tokens", "accounts", "words"),
    [
        (True, False, "by token."),
        (False, True, "by account."),
        (True, True, "by token or account."),
        (False, False, "without sign-in."),
    ],
)
def test_the_address_comes_first_then_what_there_is_room_for(
    tokens: bool, accounts: bool, words: str, capsys: Capture
) -> None:
    announcement = Announcement(
        url="https://ward7:8443/",
        model="toy",
        bundle="/b",
        slots=2,
        context=96,
        tokens=tokens,
        accounts=accounts,
        loaded_s=0.5,
    )
    show_announcement(Console(), announcement)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("https://ward7:8443/")
    assert words in second
    for word in ("/b", "2 answers", "96 tokens"):
        assert word in second
    show_announcement(Console(json=True), announcement)
    assert capsys.readouterr().out == ""


def test_who_opens_it_elsewhere_is_told_by_which_address(capsys: Capture) -> None:
    others = ("https://ward7.local:8443/", "https://10.0.4.7:8443/")
    announcement = Announcement(
        url="https://127.0.0.1:8443/",
        others=others,
        model="toy",
        bundle="/b",
        slots=2,
        context=96,
        tokens=True,
        loaded_s=1,
    )
    show_announcement(Console(), announcement)
    assert capsys.readouterr().out.splitlines()[1].endswith(": " + ", ".join(others))


@pytest.mark.parametrize(
    ("host", "insecure", "warned"),
    [("127.0.0.1", True, False), ("0.0.0.0", False, False), ("0.0.0.0", True, True), ("::", True, True)],
)
def test_who_can_ask_is_said_loudly_where_it_is_anybody(
    host: str, insecure: bool, warned: bool, capsys: Capture
) -> None:
    show_exposure(Console(json=True), host, ("The key can be read.",), insecure=insecure)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Warning: The key can be read.")
    assert ("WARNING: --insecure" in err) == warned
