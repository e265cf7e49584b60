"""A ward opens, closes and opens again."""

from __future__ import annotations

from pathlib import Path

from edgekit.ward.limits import SignIn
from edgekit.ward.ward import Ward
from tests.wards import MASTER, Clock, open_ward


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    with open_ward(tmp_path, serving=True) as ward:
        ward.accounts.add("ada", "doctor")
    with open_ward(tmp_path, serving=True) as ward:
        assert [account.name for account in ward.accounts.all()] == ["ada"]
    assert not list((tmp_path / "state").glob("*-wal")), "a clean end leaves no log"


def test_a_sites_limits_count(tmp_path: Path) -> None:
    clock = Clock()
    with Ward.open(tmp_path, MASTER, limits=SignIn(idle_s=60.0), clock=clock) as ward:
        secret = ward.sessions.begin(ward.accounts.add("ada", "doctor"))
        clock.go(61)
        assert ward.sessions.of(secret) is None
