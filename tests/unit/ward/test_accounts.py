"""Accounts: by name, one of each, and shut at once where they are to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.ward.accounts import Account
from edgekit.ward.ward import Ward
from tests.wards import PASSWORD, open_ward


def signed_up(ward: Ward, name: str = "ada") -> Account:
    account = ward.accounts.add(name, "doctor")
    ward.accounts.set_password(account, PASSWORD)
    return ward.accounts.named(name)


def test_accounts_are_added_and_listed(ward: Ward) -> None:
    assert not ward.accounts.exist()
    ada, bo = ward.accounts.add("ada", "doctor"), ward.accounts.add("Bo", "admin")
    assert ward.accounts.exist()
    assert ward.accounts.all() == (ada, bo)
    assert (ada.role, ada.language, ada.disabled, ada.has_password) == ("doctor", "", False, False)
    assert ward.accounts.named("BO") == ward.accounts.of(bo.id) == bo
    assert ward.accounts.of(99) is None
    assert set(bo.document()) == {"name", "role", "created", "disabled", "has_password"}


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "ä", "a\n", "a" * 65, "<b>"])
def test_a_name_that_is_none(ward: Ward, name: str) -> None:
    with pytest.raises(InputError, match="no name for an account"):
        ward.accounts.add(name, "doctor")


def test_names_are_told_apart(ward: Ward) -> None:
    with pytest.raises(InputError, match="no account called 'ada'") as caught:
        ward.accounts.named("ada")
    assert "edgekit user add" in caught.value.hint
    ward.accounts.add("ada", "doctor")
    with pytest.raises(InputError, match="already"):
        ward.accounts.add("ADA", "doctor")
    with pytest.raises(InputError) as caught:
        ward.accounts.named("adda")
    assert "Did you mean 'ada'?" in caught.value.hint
    with pytest.raises(InputError, match="no role"):
        ward.accounts.add("bo", "nurse")  # type: ignore[arg-type]


def test_a_password_lets_its_account_in(ward: Ward) -> None:
    ada = ward.accounts.add("ada", "doctor")
    assert ward.accounts.verify("ada", "") is None
    assert ward.accounts.verify("ada", PASSWORD) is None
    with pytest.raises(InputError, match="too short"):
        ward.accounts.set_password(ada, "short")
    ward.accounts.set_password(ada, PASSWORD)
    assert ward.accounts.verify("Ada", PASSWORD) == ward.accounts.named("ada")
    assert ward.accounts.verify("ada", PASSWORD + "x") is None
    assert ward.accounts.verify("bo", PASSWORD) is None
    rows = ward.database.rows("SELECT * FROM accounts")
    assert PASSWORD not in str(rows)


def test_a_new_password_ends_every_session(ward: Ward) -> None:
    ada, bo = signed_up(ward), ward.accounts.add("bo", "doctor")
    mine, other = ward.sessions.begin(ada), ward.sessions.begin(bo)
    ward.accounts.set_password(ada, PASSWORD + "!")
    assert ward.sessions.of(mine) is None
    assert ward.sessions.of(other)


def test_what_confirms_may_stop_it(ward: Ward) -> None:
    def stop() -> None:
        raise InputError("no")

    ada = signed_up(ward)
    with pytest.raises(InputError, match="no"):
        ward.accounts.set_password(ada, "another horse", stop)
    assert ward.accounts.verify("ada", PASSWORD)


def test_a_disabled_account_is_shut_at_once(ward: Ward) -> None:
    ada = signed_up(ward)
    session, invitation = ward.sessions.begin(ada), ward.invitations.make(ada)
    ward.accounts.disable(ada)
    assert ward.accounts.exist(), "what was closed stays closed"
    assert ward.accounts.named("ada").disabled
    assert ward.accounts.verify("ada", PASSWORD) is None
    assert ward.sessions.of(session) is None
    with pytest.raises(InputError, match="not good"):
        ward.invitations.accept(invitation, PASSWORD)
    ward.accounts.enable(ada)
    assert ward.accounts.verify("ada", PASSWORD)
    assert ward.sessions.of(session) is None


def test_role_and_language_change_for_a_session_that_runs(ward: Ward) -> None:
    ada = signed_up(ward)
    secret = ward.sessions.begin(ada)
    ward.accounts.set_role(ada, "admin")
    ward.accounts.set_language(ada, "pt-BR")
    session = ward.sessions.of(secret)
    assert session
    assert (session.account.role, session.account.language) == ("admin", "pt-BR")
    for wrong in ("français", "../en", "EN"):
        with pytest.raises(InputError, match="no language"):
            ward.accounts.set_language(ada, wrong)
    ward.accounts.set_language(ada, "")


def test_a_number_is_never_given_twice(ward: Ward) -> None:
    """What an account owned must not come to the next one, whatever that is called."""
    ada = signed_up(ward)
    secret = ward.sessions.begin(ada)
    ward.accounts.remove(ada)
    assert ward.sessions.of(secret) is None
    again = ward.accounts.add("ada", "doctor")
    assert again.owner != ada.owner
    assert ward.accounts.name_of(again.owner) == "ada"
    assert ward.accounts.name_of(ada.owner) == "an account that is gone"
    assert ward.accounts.name_of("token ward-7 1a2b") == "token ward-7 1a2b"


def test_another_process_adds_while_the_service_runs(tmp_path: Path) -> None:
    with open_ward(tmp_path, serving=True) as service:
        assert not service.accounts.exist()
        with open_ward(tmp_path) as command:
            command.accounts.add("ada", "doctor")
        assert service.accounts.named("ada")
