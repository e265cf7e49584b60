"""A key for each conversation, and nothing left of it once it is destroyed."""

from __future__ import annotations

from pathlib import Path

from edgekit.ward.ward import Ward


def test_a_key_is_made_and_destroyed(ward: Ward) -> None:
    first, second = ward.keyring.make("a"), ward.keyring.make("b")
    assert len({first, second}) == 2
    assert len(first) == 32
    ward.keyring.destroy("a")
    ward.keyring.destroy("a")
    assert ward.database.rows("SELECT conversation, key FROM keys.keys") == [("b", second)]
    assert ward.database.rows("SELECT conversation FROM keys.deleted") == [("a",)]


def test_nothing_is_left_of_a_key_in_the_log(ward: Ward, tmp_path: Path) -> None:
    ward.keyring.make("a")
    assert (tmp_path / "state/keys.db-wal").stat().st_size > 0
    ward.keyring.destroy("a")
    assert (tmp_path / "state/keys.db-wal").stat().st_size == 0


def test_lost_keys_are_counted_and_deleted_ones_are_not(ward: Ward) -> None:
    for place, name in enumerate("abc"):
        ward.keyring.make(name)
        ward.database.change("INSERT INTO conversations VALUES (?, 'me', ?, 0, 0, x'')", (name, place))
    assert ward.keyring.lost() == 0
    ward.keyring.destroy("a")
    assert ward.keyring.lost() == 0
    ward.database.change("DELETE FROM keys.keys WHERE conversation = 'b'")
    assert ward.keyring.lost() == 1
