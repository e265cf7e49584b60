"""An encrypted database: nothing to read in its files, a transaction whole or not at all, an error for each fault."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.errors import DiskFull, EdgeKitError
from edgekit.ward import database as module
from edgekit.ward.database import Damaged, Database
from tests.wards import zero

KEY, OTHER = b"k" * 32, b"o" * 32
PAGE = 4096
WORD = "Kirschbaumblüte"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(path, KEY)
    opened.change("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
    yield opened
    opened.close()


def fill(database: Database, rows: int = 500) -> None:
    with database.transaction():
        for _ in range(rows):
            database.change("INSERT INTO notes (text) VALUES (?)", (WORD * 20,))


def count(database: Database) -> int:
    row = database.row("SELECT count(*) FROM notes")
    assert row
    return int(row[0])


def test_nothing_can_be_read_in_its_files_and_by_nobody_else(database: Database, path: Path) -> None:
    fill(database)
    files = {file.name: file for file in path.parent.iterdir()}
    assert set(files) == {"a.db", "a.db-wal", "a.db-shm"}
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    content = b"".join(file.read_bytes() for file in files.values())
    assert not [word for word in (b"SQLite format", WORD.encode(), b"notes") if word in content]


def test_it_is_durable_and_forgets_what_is_deleted(database: Database) -> None:
    pragmas = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
    assert [database.row(f"PRAGMA {name}") for name in pragmas] == [("wal",), (2,), (1,), (1,)]


def test_a_transaction_is_whole_or_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="stop"), database.transaction():
        fill(database, 3)
        raise ValueError("stop")
    assert count(database) == 0
    with database.transaction(), database.transaction():
        fill(database, 3)
    assert count(database) == 3


def test_two_threads_do_not_mix(database: Database) -> None:
    def work() -> None:
        for _ in range(20):
            with database.transaction():
                first = count(database)
                fill(database, 1)
                assert count(database) == first + 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 60


def test_another_process_sees_it_at_once(database: Database, path: Path) -> None:
    script = "import sys; from pathlib import Path; from edgekit.ward.database import Database\n"
    script += "Database(Path(sys.argv[1]), b'k' * 32).change(\"INSERT INTO notes (text) VALUES ('x')\")"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert count(database) == 1


def test_an_attached_one_has_its_own_key(database: Database, path: Path) -> None:
    other = path.with_name("b.db")
    database.attach(other, OTHER, "other")
    database.change("CREATE TABLE other.words (text TEXT)")
    database.change("INSERT INTO other.words VALUES (?)", (WORD,))
    assert database.row("SELECT text FROM other.words") == (WORD,)
    database.forget("other")
    assert other.with_name("b.db-wal").stat().st_size == 0
    with pytest.raises(Damaged):
        Database(other, KEY)
    database.close()
    again = Database(path, KEY)
    with pytest.raises(Damaged, match=r"b\.db is damaged"):
        again.attach(other, KEY, "other")
    again.close()


@pytest.mark.parametrize(("start", "length"), [(0, 16), (16, 100), (PAGE, PAGE), (5 * PAGE + 7, 3)])
def test_zeroed_bytes_are_an_error_and_never_a_wrong_row(
    database: Database, path: Path, start: int, length: int, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(database)
    database.close()
    zero(path, start, length)
    before = path.read_bytes()
    with pytest.raises(Damaged) as caught:
        again = Database(path, KEY)
        try:
            assert again.faults()
            again.rows("SELECT text FROM notes")
        finally:
            again.close()
    assert str(path) in caught.value.message
    assert "edgekit restore" in caught.value.hint
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", ""), "SQLCipher says nothing by itself"


def test_a_wrong_key_is_one_error(database: Database, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fill(database)
    database.close()
    with pytest.raises(Damaged):
        Database(path, OTHER)
    assert capfd.readouterr() == ("", "")
    again = Database(path, KEY)
    assert count(again) == 500
    assert again.faults() == []
    again.close()


def test_a_full_disk_is_one_error_and_what_was_there_is_whole(database: Database) -> None:
    fill(database, 3)
    pages = database.row("PRAGMA page_count")
    assert pages
    database.change(f"PRAGMA max_page_count = {pages[0]}")  # SQLite then says what it says of a full disk
    with pytest.raises(EdgeKitError, match="No space is left") as caught:
        fill(database)
    assert "Make room" in caught.value.hint
    assert count(database) == 3
    database.change("PRAGMA max_page_count = 100000")
    fill(database)


def test_one_that_is_held_is_waited_for_and_then_an_error(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    second = Database(path, KEY)
    with database.transaction():
        fill(database, 1)
        assert count(second) == 0, "readers do not wait"
        with pytest.raises(EdgeKitError, match="held by another program"):
            fill(second, 1)
    second.close()


def test_a_folder_that_refuses_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EdgeKitError, match="can't be written"):
        Database(tmp_path / "file" / "a.db", KEY)
    (tmp_path / "b.db").mkdir()
    with pytest.raises(EdgeKitError, match="can't be opened"):
        Database(tmp_path / "b.db", KEY)


def test_our_own_mistake_stays_ours(database: Database) -> None:
    with pytest.raises(Exception, match="no such table"):
        database.rows("SELECT * FROM missing")


def test_the_file_is_not_opened_a_second_time(database: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing any descriptor of it would end the locks that this process has on it (fcntl(2))."""
    opened = list[object]()
    real = os.open

    def noted(*arguments: Any, **options: Any) -> int:
        opened.append(arguments[0])
        return real(*arguments, **options)

    monkeypatch.setattr(os, "open", noted)
    Database(path, KEY).close()
    assert str(path) not in map(str, opened)


def test_a_disk_without_room_for_a_log_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"bytes": 0}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free["bytes"]))
    for name in ("SQLITE_IOERR_SHMSIZE", "SQLITE_CANTOPEN"):
        assert isinstance(module._refusal(path, name), DiskFull)
    free["bytes"] = 10**9
    assert not isinstance(module._refusal(path, "SQLITE_IOERR_SHMSIZE"), DiskFull)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SQLITE_IOERR_FSYNC", "disk reports an error"),
        ("SQLITE_READONLY_DBMOVED", "can't be opened for writing"),
        ("SQLITE_LOCKED_SHAREDCACHE", "held by another"),
        ("SQLITE_CORRUPT_INDEX", "damaged"),
    ],
)
def test_every_code_has_its_words(path: Path, name: str, text: str) -> None:
    error = module._refusal(path, name)
    assert error
    assert text in error.message
    assert error.hint
