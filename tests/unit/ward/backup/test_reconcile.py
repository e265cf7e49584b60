"""Data and keys of two moments are one ward: nothing that was deleted, nobody signed in, nothing beside two files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.backup.reconcile import reconcile
from edgekit.ward.keys import Master
from tests.unit.ward.backup.conftest import OWNER, kept
from tests.wards import MASTER, open_ward, zero


def test_what_was_deleted_goes_with_its_files_and_what_lost_its_key_stays(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        ids = [ward.conversations.create(OWNER, label=str(number)).id for number in range(4)]
        for id in ids:
            ward.pictures.add(OWNER, id, kept(id.encode()))
            ward.turns.add(OWNER, id, "?")
        account = ward.accounts.add("anna", "doctor")
        ward.sessions.begin(account)
        ward.keyring.destroy(ids[0])
        ward.database.change("DELETE FROM keys.keys WHERE conversation = ?", (ids[1],))
        state = ward.state
    reconciled = reconcile(state, MASTER, [ids[2], "nowhere"])
    assert (reconciled.deleted, reconciled.lost, reconciled.missing) == (2, 1, 0)
    assert (reconciled.conversations, reconciled.turns, reconciled.pictures) == (1, 2, 2)
    assert {path.name for path in state.iterdir() if ".db" in path.name} == {"ward.db", "keys.db"}
    assert len([*(state / "pictures").glob("*/*")]) == 2
    with open_ward(tmp_path) as ward:
        assert [conversation.label for conversation in ward.conversations.list(OWNER)] == ["3"]
        assert not ward.sessions.active()
        assert ward.keyring.lost() == 1
        assert ward.accounts.named("anna")


def test_what_is_damaged_is_an_error(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        for number in range(50):
            ward.conversations.create(OWNER, label=str(number))
        state = ward.state
    with pytest.raises(EdgeKitError):
        reconcile(state, Master(bytes(32)), [])
    size = (state / "ward.db").stat().st_size
    zero(state / "ward.db", size - 4096, 64)
    with pytest.raises(EdgeKitError, match="damaged"):
        reconcile(state, MASTER, [])
