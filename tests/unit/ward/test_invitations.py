"""A one-time link: good once, for a while, for one account; and for nobody who guesses."""

from __future__ import annotations

import pytest

from edgekit.errors import InputError
from edgekit.ward import passwords
from edgekit.ward.invitations import digest
from edgekit.ward.limits import SignIn
from edgekit.ward.ward import Ward
from tests.wards import PASSWORD, START_S, Clock

WEEK_S = SignIn().invitation_s


def refused(ward: Ward, secret: str) -> None:
    with pytest.raises(InputError, match="This link is not good, or no longer") as caught:
        ward.invitations.accept(secret, PASSWORD)
    assert "edgekit user reset" in caught.value.hint


def test_a_link_is_good_once(ward: Ward) -> None:
    ada = ward.accounts.add("ada", "doctor")
    secret = ward.invitations.make(ada)
    assert len(secret) == 43
    refused(ward, secret[:-1])
    refused(ward, "\udcff")
    with pytest.raises(InputError, match="too short"):
        ward.invitations.accept(secret, "short")
    assert ward.invitations.accept(secret, PASSWORD).has_password
    assert ward.accounts.verify("ada", PASSWORD)
    refused(ward, secret)


def test_only_its_hash_is_kept(ward: Ward) -> None:
    secret = ward.invitations.make(ward.accounts.add("ada", "doctor"))
    rows = ward.database.rows("SELECT sha256 FROM invitations")
    assert rows == [(digest(secret),)]


def test_a_new_link_replaces_the_old_one_and_ends_sessions(ward: Ward) -> None:
    ada = ward.accounts.add("ada", "doctor")
    first, second = ward.invitations.make(ada), ward.invitations.make(ada)
    session = ward.sessions.begin(ada)
    refused(ward, first)
    ward.invitations.accept(second, PASSWORD)
    assert ward.sessions.of(session) is None


def test_two_who_use_it_at_once_do_not_both(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = ward.accounts.add("ada", "doctor")
    secret = ward.invitations.make(ada)

    def slow(password: str) -> str:
        monkeypatch.undo()
        ward.invitations.accept(secret, "the faster one's")
        return "slow"

    monkeypatch.setattr(passwords, "hash_password", slow)
    refused(ward, secret)
    assert ward.accounts.verify("ada", "the faster one's")


@pytest.mark.parametrize(("passed_s", "good"), [(WEEK_S - 1, True), (WEEK_S + 1, False)])
def test_it_is_good_for_a_week(ward: Ward, clock: Clock, passed_s: float, good: bool) -> None:
    secret = ward.invitations.make(ward.accounts.add("ada", "doctor"))
    clock.go(passed_s)
    if good:
        assert ward.invitations.accept(secret, PASSWORD)
    else:
        refused(ward, secret)


@pytest.mark.parametrize("wall_s", [0, START_S - 1, 4_070_908_800])
def test_a_clock_that_is_set_after_it_was_made_costs_nothing(ward: Ward, clock: Clock, wall_s: int) -> None:
    """A device begins in 1970, and a time server sets it minutes later."""
    secret = ward.invitations.make(ward.accounts.add("ada", "doctor"))
    clock.wall_s = wall_s
    assert ward.invitations.accept(secret, PASSWORD)


@pytest.mark.parametrize(("wall_s", "good"), [(START_S + 100, True), (0, False), (4_070_908_800, False)])
def test_across_a_restart_the_clock_decides(ward: Ward, clock: Clock, wall_s: int, good: bool) -> None:
    secret = ward.invitations.make(ward.accounts.add("ada", "doctor"))
    clock.restart(wall_s)
    if good:
        assert ward.invitations.accept(secret, PASSWORD)
    else:
        refused(ward, secret)
