"""A copy is of one moment, and whole; what it is made of goes on meanwhile."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.backup.copies import copy_database
from edgekit.ward.database import Database
from tests.wards import zero

KEY = bytes(range(32))


def _pairs(path: Path, key: bytes = KEY) -> tuple[int, int]:
    with closing(Database(path, key)) as database:
        row = database.row("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)")
        assert row
        return row[0], row[1]


def test_a_copy_holds_whole_transactions_while_others_write(tmp_path: Path) -> None:
    stop, source = threading.Event(), tmp_path / "source.db"
    with closing(Database(source, KEY)) as database:
        for table in ("a", "b"):
            database.change(f"CREATE TABLE {table} (x)")

        def write() -> None:
            while not stop.is_set():
                with database.transaction():
                    database.change("INSERT INTO a VALUES (randomblob(2000))")
                    database.change("INSERT INTO b VALUES (randomblob(2000))")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(5):
                copy_database(source, tmp_path / f"{number}.db", KEY)
        finally:
            stop.set()
            thread.join()
    counts = [_pairs(tmp_path / f"{number}.db") for number in range(5)]
    assert all(left == right for left, right in counts)
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_a_copy_is_one_encrypted_file(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "source.db", KEY)) as database:
        database.change("CREATE TABLE a (x)")
        database.change("INSERT INTO a VALUES ('readable')")
        copy_database(tmp_path / "source.db", tmp_path / "copy.db", KEY)
    assert not [*tmp_path.glob("copy.db-*")]
    assert b"readable" not in (tmp_path / "copy.db").read_bytes()
    with pytest.raises(EdgeKitError, match="damaged, or its key"):
        Database(tmp_path / "copy.db", bytes(32))


def test_a_damaged_one_is_not_copied(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "source.db", KEY)) as database:
        database.change("CREATE TABLE a (x)")
        database.change("INSERT INTO a VALUES (zeroblob(100000))")
    zero(tmp_path / "source.db", 50_000, 100)
    with pytest.raises(EdgeKitError, match=r"source\.db is damaged"):
        copy_database(tmp_path / "source.db", tmp_path / "copy.db", KEY)
