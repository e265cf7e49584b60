"""The keys' copy is one private file that holds what opens a backup, and never lies beside it."""

from __future__ import annotations

import json
import stat
from contextlib import closing
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import verify
from edgekit.ward.backup.keys import copy_keys, read_keys, require_apart
from edgekit.ward.backup.make import back_up
from edgekit.ward.database import Database
from edgekit.ward.keys import KEYS, Master
from tests.wards import MASTER, open_ward, zero


def test_what_was_copied_is_read_and_opens(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        conversation = ward.conversations.create("account 1")
        copy_keys(ward.state, MASTER, tmp_path / "keys", "terminal root")
        left = {path.name for path in ward.state.iterdir()}
    assert not [name for name in left if "backup" in name]
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    keys = read_keys(tmp_path / "keys")
    assert keys.master == MASTER
    assert MASTER.secret.hex() not in repr(keys)
    (tmp_path / KEYS).write_bytes(keys.database)
    with closing(Database(tmp_path / KEYS, MASTER.derive(KEYS))) as database:
        assert database.row("SELECT conversation FROM keys") == (conversation.id,)


def test_a_copy_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"older")
    with open_ward(tmp_path) as ward:
        copy_keys(ward.state, MASTER, tmp_path / "keys", "terminal root")
    assert read_keys(tmp_path / "keys").master == MASTER


def test_they_are_copied_also_where_the_ward_is_damaged(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        state = ward.state
    zero(state / "ward.db", 0, 4096)
    copy_keys(state, MASTER, tmp_path / "keys", "terminal root")
    assert read_keys(tmp_path / "keys").master == MASTER
    assert verify(state / "audit", audit_key(MASTER)).lines == 1


def test_where_there_are_none_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="There are no keys"):
        copy_keys(tmp_path, MASTER, tmp_path / "keys", "terminal root")
    with pytest.raises(EdgeKitError, match="can't be read"):
        read_keys(tmp_path / "keys")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        json.dumps({"format": 1, "master": "00", "keys_db": "AA=="}).encode(),
        json.dumps({"format": 1, "master": "0" * 64, "keys_db": "A"}).encode(),
        json.dumps({"format": 1, "master": "0" * 64, "keys_db": ""}).encode(),
        json.dumps({"format": 1, "master": 3, "keys_db": "AA=="}).encode(),
    ],
)
def test_what_is_none_is_a_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(EdgeKitError, match="holds no keys of a ward"):
        read_keys(tmp_path / "keys")


def test_a_later_form_is_told(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(json.dumps({"format": 2}))
    with pytest.raises(EdgeKitError, match="newer EdgeKit"):
        read_keys(tmp_path / "keys")


def test_they_are_kept_apart_from_what_they_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "state")
    require_apart(tmp_path / "keys", tmp_path / "state", None, MASTER)
    require_apart(tmp_path / "keys", tmp_path / "state", tmp_path / "disk" / "backup.tar", MASTER)
    for path in (tmp_path / "state" / "keys", tmp_path / "link" / "deep" / "keys", tmp_path / "state"):
        with pytest.raises(EdgeKitError, match="protect nothing"):
            require_apart(path, tmp_path / "state", None, MASTER)


def test_they_are_kept_apart_from_the_backup_that_is_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    for name in ("data", "data.tar"):
        for keys in (tmp_path / "disk" / "keys", tmp_path / "link" / "keys"):
            with pytest.raises(EdgeKitError, match=f"keys would lie beside .*{name}: keys beside what they lock"):
                require_apart(keys, tmp_path / "state", tmp_path / "disk" / name, MASTER)


@pytest.mark.parametrize("name", ["monday", "monday.tar"])
def test_they_are_kept_away_from_a_backup_that_was_made_before(tmp_path: Path, name: str) -> None:
    (tmp_path / "disk").mkdir()
    with open_ward(tmp_path) as ward:
        back_up(ward.state, MASTER, tmp_path / "disk" / name, "terminal root")
    with pytest.raises(EdgeKitError, match=f"would lie beside the backup .*{name}: keys beside"):
        require_apart(tmp_path / "disk" / "keys", tmp_path / "state", None, MASTER)
    require_apart(tmp_path / "keys", tmp_path / "state", None, MASTER)
    another = Master(bytes(32))
    require_apart(tmp_path / "disk" / "keys", tmp_path / "state", None, another)


def test_what_is_no_backup_is_no_reason(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "manifest.json").write_text("{}")
    (tmp_path / "else.tar").write_bytes(b"no archive")
    (tmp_path / "keys").write_bytes(b"older")
    require_apart(tmp_path / "keys", tmp_path / "state", None, MASTER)


def test_they_are_kept_out_of_a_backup_that_was_made_before(tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        back_up(ward.state, MASTER, tmp_path / "monday", "terminal root")
    with pytest.raises(EdgeKitError, match="monday: keys beside what they lock"):
        require_apart(tmp_path / "monday" / "ward.keys", tmp_path / "state", None, Master(bytes(32)))
