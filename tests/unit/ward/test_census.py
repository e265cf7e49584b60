"""The census: numbers that are right, of a ward that stays as it is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward import wal
from edgekit.ward.census import MOST_FAULTS, Kept, census
from edgekit.ward.ward import Ward
from tests.wards import MASTER, open_ward, zero


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept, whose key is where the site's is."""
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "site").mkdir()
    key = tmp_path / "site" / "ward.key"
    key.write_text(MASTER.secret.hex())
    key.chmod(0o400)
    return tmp_path / "state"


def fill(ward: Ward) -> None:
    for name, role in (("anna", "doctor"), ("ben", "doctor"), ("root", "admin")):
        account = ward.accounts.add(name, role)  # type: ignore[arg-type]
        ward.sessions.begin(account)


def test_it_counts_rows_roles_and_files(state: Path, tmp_path: Path) -> None:
    (state / "pictures" / "ab").mkdir(parents=True)
    (state / "pictures" / "ab" / "abc").write_bytes(bytes(300))
    (state / "pictures" / "d").write_bytes(bytes(5))
    with open_ward(tmp_path) as ward:
        fill(ward)
    counted = census(state)
    assert counted.accounts == {"admin": 1, "doctor": 2}
    assert (counted.rows["main.accounts"], counted.rows["main.sessions"], counted.rows["keys.keys"]) == (3, 3, 0)
    assert counted.turns == {}
    assert (counted.pictures, counted.audit) == (Kept(2, 305), Kept(0, 0))
    assert counted.files["ward.db"].bytes == (state / "ward.db").stat().st_size
    assert counted.versions.keys() == {"ward.db", "keys.db"}
    assert min(counted.versions.values()) > 0
    assert counted.faults == ()


def test_it_is_taken_while_a_service_runs_and_changes_nothing(state: Path, tmp_path: Path) -> None:
    with open_ward(tmp_path, serving=True) as ward:
        fill(ward)
        assert census(state).rows["main.accounts"] == 3
        ward.accounts.add("late", "doctor")
        assert census(state).rows["main.accounts"] == 4
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()}
    census(state)
    assert {path.name: path.read_bytes() for path in state.iterdir() if path.is_file()} == before


def test_where_nothing_is_kept_nothing_is_made(state: Path) -> None:
    assert census(state).files == {}
    assert not state.exists()
    state.mkdir()
    (state / "ward.db").touch()
    assert census(state).files == {"ward.db": Kept(1, 0)}
    assert os.listdir(state) == ["ward.db"]


def test_damage_is_told_and_left(state: Path, tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        fill(ward)
    before = census(state)
    whole = (state / "ward.db").read_bytes()
    zero(state / "ward.db", len(whole) - 4096, 4096)
    counted = census(state)
    assert 0 < len(counted.faults) <= MOST_FAULTS
    assert "main.accounts" in counted.rows, "what is whole is counted"
    assert len(counted.rows) < len(before.rows)
    assert (state / "ward.db").stat().st_size == len(whole)
    zero(state / "ward.db", 0, 4096)
    with pytest.raises(EdgeKitError, match="damaged, or its key"):
        census(state)


def test_a_damaged_log_is_told_and_left_as_it_is(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "_WAIT_S", 0.0)
    with open_ward(tmp_path) as ward:
        fill(ward)
        log = state / "ward.db-wal"
        shutil.copytree(state, tmp_path / "cut")
        assert log.stat().st_size > 0
    cut = tmp_path / "cut" / "ward.db-wal"
    zero(cut, 32, 64)
    before = {path.name: path.read_bytes() for path in cut.parent.iterdir() if path.is_file()}
    with pytest.raises(EdgeKitError, match=r"ward\.db-wal is damaged"):
        census(tmp_path / "cut")
    assert {path.name: path.read_bytes() for path in cut.parent.iterdir() if path.is_file()} == before


def test_one_of_two_that_is_lost_is_told(state: Path, tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        fill(ward)
    (state / "keys.db").unlink()
    with pytest.raises(EdgeKitError, match=r"keys\.db is missing"):
        census(state)
    assert not (state / "keys.db").exists()


def test_another_ward_s_key_opens_nothing(state: Path, tmp_path: Path) -> None:
    with open_ward(tmp_path) as ward:
        fill(ward)
    key = tmp_path / "site" / "ward.key"
    key.unlink()
    key.write_text("00" * 32)
    key.chmod(0o400)
    with pytest.raises(EdgeKitError, match="its key is another"):
        census(state)
