"""One service serves a ward; commands need no lock."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.lock import NAME, ServingLock
from tests.wards import open_ward


def test_a_second_service_is_refused_and_a_command_is_not(tmp_path: Path) -> None:
    with open_ward(tmp_path, serving=True):
        with pytest.raises(EdgeKitError, match="A service is running") as caught:
            open_ward(tmp_path, serving=True)
        assert "Stop it first" in caught.value.hint
        with pytest.raises(EdgeKitError, match="A service is running"):
            ServingLock(tmp_path / "state")
        open_ward(tmp_path).close()
    open_ward(tmp_path, serving=True).close()
    assert (tmp_path / "state" / NAME).stat().st_mode & 0o777 == 0o600


def test_an_error_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ward.db").write_bytes(b"no database" * 500)
    for _ in range(2):
        with pytest.raises(EdgeKitError, match=r"keys\.db is missing"):
            open_ward(tmp_path, serving=True)


def test_a_file_system_without_locks_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    ServingLock(tmp_path).release()
