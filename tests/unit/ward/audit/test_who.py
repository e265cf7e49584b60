"""Who sits at a terminal has a name that a line of the audit may hold."""

from __future__ import annotations

import getpass

import pytest

from edgekit.ward.audit.facts import require_event
from edgekit.ward.audit.who import at_terminal


@pytest.mark.parametrize(
    ("sudo", "user", "who"),
    [(None, "anna", "terminal anna"), ("ben", "root", "terminal ben"), (None, "a b\nc", "terminal a b-c")],
)
def test_it_is_the_user_who_asked(monkeypatch: pytest.MonkeyPatch, sudo: str | None, user: str, who: str) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    if sudo:
        monkeypatch.setenv("SUDO_USER", sudo)
    monkeypatch.setattr(getpass, "getuser", lambda: user)
    assert at_terminal() == who
    require_event("backup", at_terminal())


def test_a_user_whom_the_system_does_not_know_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(getpass, "getuser", unknown)
    assert at_terminal().removeprefix("terminal ").isdecimal()
