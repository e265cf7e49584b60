"""A damaged log is an error as long as it hides what was acknowledged; one that a power cut ended is none."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.ward import wal
from edgekit.ward.database import Damaged, Database
from edgekit.ward.wal import require_whole_log
from tests.wards import open_ward, zero

KEY = b"k" * 32
HEADER, FRAME = 32, 24 + 4096
COMMITS = 8


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A database as a kill leaves it: a few commits, each of some pages, in its log alone."""
    live = tmp_path / "live.db"
    database = Database(live, KEY)
    database.change("CREATE TABLE notes (text TEXT)")
    for number in range(COMMITS):
        database.change("INSERT INTO notes VALUES (?)", (f"{number} " * 3000,))
    for name in ("", "-wal"):
        shutil.copy(f"{live}{name}", f"{tmp_path / 'copy.db'}{name}")
    database.close()
    return tmp_path / "copy.db"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_WAIT_S", 0.0)


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def rows(path: Path) -> int:
    """How many rows SQLite itself finds."""
    database = Database(path, KEY)
    row = database.row("SELECT count(*) FROM notes")
    database.close()
    assert row
    return int(row[0])


def test_a_whole_one_is_none(copy: Path) -> None:
    require_whole_log(copy)
    assert rows(copy) == COMMITS
    require_whole_log(copy)
    require_whole_log(copy.with_name("missing.db"))


def commits(log: bytes) -> list[int]:
    """Where the frames begin with which a transaction ends."""
    starts = range(HEADER, len(log), FRAME)
    return [start for start in starts if struct.unpack_from(">I", log, start + 4)[0]]


def test_zeroed_bytes_anywhere_are_an_error_as_long_as_they_hide_something(copy: Path) -> None:
    content = log_of(copy).read_bytes()
    assert len(content) > 20 * FRAME
    *_, last_but_one, last = commits(content)
    for start in range(8, last_but_one - 64, FRAME // 3):
        log_of(copy).write_bytes(content)
        zero(log_of(copy), start, 64)
        with pytest.raises(Damaged, match=r"copy\.db-wal is damaged") as caught:
            require_whole_log(copy)
        assert "move" in caught.value.hint
    log_of(copy).write_bytes(content)
    zero(log_of(copy), last + 100, 64)
    require_whole_log(copy)  # so a power cut leaves what nobody was told of
    assert rows(copy) == COMMITS - 1


def test_without_the_check_sqlite_would_forget_in_silence(copy: Path) -> None:
    zero(log_of(copy), HEADER + 12 * FRAME, 64)
    assert rows(copy) < COMMITS - 1


ENDS: dict[str, Callable[[bytes], bytes]] = {
    "cut off within a frame": lambda content: content[: -FRAME // 2],
    "cut off after one": lambda content: content[: -3 * FRAME],
    "its header alone": lambda content: content[:HEADER],
    "nothing": lambda content: b"",
    "longer by zeros": lambda content: content + bytes(5 * FRAME),
    "longer by a part": lambda content: content + content[HEADER : HEADER + 100],
    "zeros alone": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_end_as_a_power_cut_leaves_it_is_none(copy: Path, end: str) -> None:
    log_of(copy).write_bytes(ENDS[end](log_of(copy).read_bytes()))
    require_whole_log(copy)


def test_what_stood_there_before_it_began_anew_is_nothing(tmp_path: Path) -> None:
    """A log is written over from its beginning once all of it is in the database."""
    live = tmp_path / "live.db"
    database = Database(live, KEY)
    database.change("CREATE TABLE notes (text TEXT)")
    for number in range(12):
        database.change("INSERT INTO notes VALUES (?)", (f"{number} " * 3000,))
        if number == 9:
            database.rows("PRAGMA wal_checkpoint(RESTART)")
            size = log_of(live).stat().st_size
    assert log_of(live).stat().st_size == size
    require_whole_log(live)
    database.close()


def test_a_ward_is_not_opened_over_it(tmp_path: Path) -> None:
    open_ward(tmp_path).close()
    with open_ward(tmp_path) as ward:
        for number in range(8):
            ward.conversations.create("account 1", f"{number} " * 50)
        for name in ("ward.db", "ward.db-wal", "keys.db", "keys.db-wal"):
            os.makedirs(tmp_path / "killed/state", exist_ok=True)
            shutil.copy(tmp_path / "state" / name, tmp_path / "killed/state" / name)
    state = tmp_path / "killed/state"
    zero(state / "keys.db-wal", HEADER + FRAME, 64)
    before = {path.name: path.read_bytes() for path in state.iterdir()}
    for serving in (False, True):
        with pytest.raises(Damaged, match=r"keys\.db-wal is damaged"):
            open_ward(tmp_path / "killed", serving=serving)
    assert {name: (state / name).read_bytes() for name in before} == before
    (state / "keys.db-wal").rename(tmp_path / "aside")
    open_ward(tmp_path / "killed", serving=True).close()
