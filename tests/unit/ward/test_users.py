"""What `edgekit user` does: each change stands in the audit before it is told, or is none."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import EdgeKitError, InputError
from edgekit.ward.audit.audit import Audit
from edgekit.ward.keys import master_key
from edgekit.ward.limits import SignIn
from edgekit.ward.users import Users, list_accounts, users_here
from edgekit.ward.ward import Ward
from tests.wards import PASSWORD

URL = "https://ward7.example/"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("SUDO_USER", "root's friend")
    return tmp_path / "state"


@pytest.fixture
def users() -> Iterator[Users]:
    with users_here(SignIn(invitation_s=86400.0), make=True) as opened:
        yield opened


def lines(state: Path) -> list[dict[str, Any]]:
    texts = "".join(path.read_text() for path in sorted((state / "audit").glob("*.jsonl")))
    return [json.loads(line) for line in texts.splitlines()]


def test_a_link_lets_its_user_choose_a_password(users: Users, state: Path) -> None:
    invited = users.add("ada", "doctor", URL)
    assert (invited.document()["name"], invited.days) == ("ada", 1.0)
    assert invited.link.startswith(f"{URL}#invitation=")
    with Ward.open(state, master_key(state)) as ward:
        ward.invitations.accept(invited.link.partition("=")[2], PASSWORD)
        again = users.reset("ADA", URL)
        assert again.link != invited.link
        assert ward.accounts.verify("ada", PASSWORD), "the old one is good until the link was used"
        ward.invitations.accept(again.link.partition("=")[2], "another password")
        assert ward.accounts.verify("ada", PASSWORD) is None


CHANGES: dict[str, tuple[Callable[[Users], object], dict[str, object]]] = {
    "account_invited": (lambda users: users.reset("ada", URL), {}),
    "account_disabled": (lambda users: users.disable("ada"), {}),
    "account_enabled": (lambda users: users.enable("ada"), {}),
    "account_role": (lambda users: users.set_role("ada", "admin"), {"role": "admin"}),
    "account_removed": (lambda users: users.remove("ada"), {"count": 0}),
}


@pytest.mark.parametrize("event", CHANGES)
def test_each_change_stands_in_the_audit(users: Users, state: Path, event: str) -> None:
    change, facts = CHANGES[event]
    invited = users.add("ada", "doctor", URL)
    change(users)
    first, last = lines(state)
    assert (first["event"], first["account"], first["role"]) == ("account_added", "ada", "doctor")
    assert (last["event"], last["who"], last["account"]) == (event, "terminal root's friend", "ada")
    assert facts.items() <= last.items()
    assert invited.link.partition("=")[2] not in json.dumps([first, last])


@pytest.mark.parametrize("event", ["account_added", *CHANGES])
def test_what_the_audit_refuses_does_not_happen(
    users: Users, state: Path, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Audit, *event: object, **facts: object) -> None:
        raise EdgeKitError("No space is left")

    users.add("ada", "doctor", URL)
    before = list_accounts()
    monkeypatch.setattr(Audit, "note", full)
    change = CHANGES[event][0] if event in CHANGES else lambda users: users.add("bo", "doctor", URL)
    with pytest.raises(EdgeKitError, match="No space"):
        change(users)
    assert list_accounts() == before


def test_an_account_with_conversations_goes_with_them_or_stays(users: Users, state: Path) -> None:
    users.add("ada", "doctor", URL)
    with Ward.open(state, master_key(state)) as ward:
        ward.conversations.create(ward.accounts.named("ada").owner)
    with pytest.raises(InputError, match="'ada' has 1 conversation\n") as caught:
        users.remove("ada")
    assert "edgekit user disable ada" in caught.value.hint
    assert users.remove("ada", with_conversations=True).document() == {"name": "ada", "conversations": 1}
    assert lines(state)[-1]["count"] == 1


def test_a_disabled_account_is_not_invited(users: Users) -> None:
    users.add("ada", "doctor", URL)
    assert users.disable("ada").disabled
    with pytest.raises(InputError, match="'ada' is disabled") as caught:
        users.reset("ada", URL)
    assert "edgekit user enable ada" in caught.value.hint
    assert not users.enable("ada").disabled


def test_looking_makes_nothing(state: Path) -> None:
    assert list_accounts().document() == {"state": str(state), "accounts": []}
    with pytest.raises(InputError, match="no accounts") as caught, users_here(SignIn()):
        pass
    assert "edgekit user add" in caught.value.hint
    assert not state.exists()


def test_anothers_folder_is_said_to_be_that(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(EdgeKitError, match="is another user's"):
        list_accounts()


def test_a_user_whom_the_system_does_not_know_has_a_number(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("SUDO_USER")
    monkeypatch.setattr(getpass, "getuser", unknown)
    with users_here(SignIn(), make=True) as users:
        users.add("ada", "doctor", URL)
    assert lines(state)[0]["who"] == f"terminal {os.getuid()}"
