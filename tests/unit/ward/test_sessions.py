"""Sessions: whoever has the secret, as long as the limits say by a clock that nobody sets."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError, InputError
from edgekit.ward.accounts import Account
from edgekit.ward.limits import SignIn
from edgekit.ward.ward import Ward
from tests.wards import PASSWORD, START_S, Clock, open_ward

IDLE_S, LONGEST_S = SignIn().idle_s, SignIn().longest_s


@pytest.fixture
def ada(ward: Ward) -> Account:
    return ward.accounts.add("ada", "doctor")


def test_a_secret_is_its_sessions_alone(ward: Ward, ada: Account) -> None:
    secret, other = ward.sessions.begin(ada), ward.sessions.begin(ada)
    session = ward.sessions.of(secret)
    assert session
    assert (session.account, session.locked, session.begun_s) == (ada, False, START_S)
    assert session.id == hashlib.sha256(secret.encode()).hexdigest()
    second = ward.sessions.of(other)
    assert second
    assert session.csrf != second.csrf
    for wrong in ("", secret[:-1], secret + "x", session.id, "\udcff", "0" * 10_000):
        assert ward.sessions.of(wrong) is None
    assert secret not in str(ward.database.rows("SELECT * FROM sessions"))
    assert len(secret) == 43


def test_it_ends_when_it_is_idle(ward: Ward, ada: Account, clock: Clock) -> None:
    secret = ward.sessions.begin(ada)
    for _ in range(5):
        clock.go(IDLE_S - 1)
        assert ward.sessions.of(secret)
    clock.go(IDLE_S + 1)
    assert ward.sessions.of(secret) is None


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(ward: Ward, ada: Account, clock: Clock) -> None:
    secret = ward.sessions.begin(ada)
    clock.go(IDLE_S - 1)
    assert ward.sessions.of(secret, seen=False)
    clock.go(2)
    assert ward.sessions.of(secret, seen=False) is None


def test_it_ends_however_busy_it_is(ward: Ward, ada: Account, clock: Clock) -> None:
    secret, steps = ward.sessions.begin(ada), 0
    while ward.sessions.of(secret):
        clock.go(600)
        steps += 1
    assert steps == LONGEST_S // 600 + 1


@pytest.mark.parametrize("wall_s", [0, START_S - 100_000, 4_070_908_800])
def test_a_clock_that_jumps_ends_none_and_prolongs_none(ward: Ward, ada: Account, clock: Clock, wall_s: int) -> None:
    secret = ward.sessions.begin(ada)
    clock.wall_s = wall_s
    assert ward.sessions.of(secret)
    clock.go(IDLE_S - 1)
    assert ward.sessions.of(secret)
    clock.wall_s = wall_s
    clock.up_s += IDLE_S + 1
    assert ward.sessions.of(secret) is None
    assert ward.sessions.active() == ()


def test_it_outlives_the_service_and_not_the_device(tmp_path: Path, clock: Clock) -> None:
    with open_ward(tmp_path, clock) as ward:
        secret = ward.sessions.begin(ward.accounts.add("ada", "doctor"))
    with open_ward(tmp_path, clock) as ward:
        assert ward.sessions.of(secret)
        clock.restart(clock.wall_s + 5)
        assert ward.sessions.of(secret) is None
        assert ward.sessions.has_been(secret, "ada")


def test_a_locked_one_opens_by_its_accounts_password(ward: Ward, ada: Account, clock: Clock) -> None:
    ward.accounts.set_password(ada, PASSWORD)
    secret = ward.sessions.begin(ada)
    ward.sessions.lock(secret)
    session = ward.sessions.of(secret)
    assert session
    assert session.locked
    assert ward.sessions.unlock(secret, "wrong") is None
    assert ward.sessions.unlock("wrong", PASSWORD) is None

    def refuse() -> None:
        raise InputError("The disk is full", "Make room.")

    assert ward.sessions.unlock(secret, "wrong", refuse) is None, "nothing is noted of a wrong one here"
    with pytest.raises(InputError):
        ward.sessions.unlock(secret, PASSWORD, refuse)
    session = ward.sessions.of(secret)
    assert session
    assert session.locked, "what can't be noted does not happen"
    session = ward.sessions.unlock(secret, PASSWORD)
    assert session
    assert not session.locked
    ward.sessions.lock(secret)
    for _ in range(3):
        clock.go(IDLE_S / 2 - 1)
        last = ward.sessions.of(secret)
    assert last is None, "a page that asks does not keep a locked one alive"
    assert ward.sessions.unlock(secret, PASSWORD) is None


def test_it_ends_when_it_is_ended(ward: Ward, ada: Account) -> None:
    secrets = [ward.sessions.begin(ada) for _ in range(3)]
    bo = ward.sessions.begin(ward.accounts.add("bo", "doctor"))
    ward.sessions.end(secrets[0])
    assert [bool(ward.sessions.of(secret)) for secret in secrets] == [False, True, True]
    ward.sessions.end_all(ada)
    assert not any(map(ward.sessions.of, secrets))
    assert ward.sessions.of(bo)


def test_who_is_signed_in(ward: Ward, ada: Account, clock: Clock) -> None:
    first = ward.sessions.begin(ada)
    clock.go(100)
    ward.sessions.begin(ward.accounts.add("bo", "admin"))
    assert [session.account.name for session in ward.sessions.active()] == ["bo", "ada"]
    ward.sessions.of(first)
    assert [session.seen_s for session in ward.sessions.active()] == [START_S + 100] * 2
    clock.go(IDLE_S + 1)
    assert ward.sessions.active() == ()


def test_a_device_that_signed_in_before_is_told_from_strangers(ward: Ward, ada: Account, clock: Clock) -> None:
    first = ward.sessions.begin(ada)
    ward.sessions.end(first)
    assert ward.sessions.has_been(first, "ADA")
    assert not ward.sessions.has_been(first, "bo")
    assert not ward.sessions.has_been("guess", "ada")
    for _ in range(30):
        ward.sessions.end(ward.sessions.begin(ada))
    assert not ward.sessions.has_been(first, "ada"), "what is kept of old ones has an end"
    lasting = [ward.sessions.begin(ada) for _ in range(30)]
    assert all(map(ward.sessions.of, lasting)), "those that last are kept, however many"


def test_not_every_request_waits_for_the_disk(ward: Ward, ada: Account, clock: Clock) -> None:
    secret = ward.sessions.begin(ada)
    before = ward.database.connection.total_changes
    for _ in range(20):
        clock.go(1)
        ward.sessions.of(secret)
    assert ward.database.connection.total_changes == before


def test_on_a_full_disk_who_is_signed_in_can_still_read(
    ward: Ward, ada: Account, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(statement: str, values: object = ()) -> int:
        raise EdgeKitError("No space is left")

    secret = ward.sessions.begin(ada)
    clock.go(100)
    monkeypatch.setattr(ward.database, "change", full)
    assert ward.sessions.of(secret)
