"""Opening what is kept: what is lost, damaged or another's is one clear error, and nothing is written then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.keys import KEYS, WARD, Master
from edgekit.ward.opening import make_keys, open_databases
from tests.wards import MASTER, zero


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A ward that keeps a conversation's key."""
    database = open_databases(tmp_path / "state", MASTER)
    database.change("INSERT INTO keys.keys VALUES ('c', x'00')")
    database.close()
    return tmp_path / "state"


def files(state: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}


def refused(state: Path, master: Master = MASTER) -> EdgeKitError:
    """The error of opening; what lies there is what lay there."""
    before = files(state)
    with pytest.raises(EdgeKitError) as caught:
        open_databases(state, master)
    assert {name: content for name, content in files(state).items() if not name.endswith("-shm")} == before
    return caught.value


def test_a_wrong_key(state: Path, capfd: pytest.CaptureFixture[str]) -> None:
    error = refused(state, Master(b"x" * 32))
    assert "ward.key is another ward's" in error.message
    assert "Put back the ward.key" in error.hint
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", [WARD, KEYS])
def test_zeroed_bytes_name_their_file(state: Path, name: str) -> None:
    zero(state / name, 0, 4096)
    error = refused(state)
    assert f"{name} is damaged" in error.message
    assert "restore" in error.hint


def test_both_zeroed_may_be_either(state: Path) -> None:
    for name in (WARD, KEYS):
        zero(state / name, 0, 4096)
    assert "every database is damaged" in refused(state).message


def test_missing_keys(state: Path) -> None:
    (state / KEYS).unlink()
    error = refused(state)
    assert "keys.db is missing" in error.message
    assert "edgekit backup --keys" in error.hint


@pytest.mark.parametrize("emptied", [True, False])
def test_a_missing_ward(state: Path, emptied: bool) -> None:
    (state / WARD).unlink()
    if emptied:
        (state / WARD).touch()
    error = refused(state)
    assert "ward.db is missing" in error.message
    assert "edgekit restore" in error.hint


def test_a_ward_whose_log_was_lost_before_it_had_tables(state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    from edgekit.ward.database import Database

    Database(other / WARD, MASTER.derive(WARD)).close()
    shutil.copy(other / WARD, state / WARD)
    assert "missing or empty" in refused(state).message


def test_a_power_cut_at_the_first_start_costs_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / KEYS).touch()
    open_databases(state, MASTER).close()
    for name in (WARD, KEYS):
        (state / name).unlink()
    make_keys(state / KEYS, MASTER)
    open_databases(state, MASTER).close()
    (state / WARD).write_bytes(b"")
    open_databases(state, MASTER).close()
