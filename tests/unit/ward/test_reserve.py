"""What is set aside for a full disk: taken where there is room, let go piece by piece, and taken again."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from pathlib import Path

import pytest

from edgekit.ward import reserve as module
from edgekit.ward.reserve import LEFT_BYTES, LOW_BYTES, NAME, PIECE_BYTES, RESERVE_BYTES, Reserve


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is free on the disk, for a test to change."""
    free = [10 * RESERVE_BYTES]
    monkeypatch.setattr(module, "_free_bytes", lambda folder: free[0])
    return free


def size(folder: Path) -> int | None:
    path = folder / NAME
    return path.stat().st_size if path.exists() else None


def test_it_takes_its_bytes_of_the_disk_and_is_its_owners_alone(tmp_path: Path) -> None:
    Reserve(tmp_path).take()
    status = (tmp_path / NAME).stat()
    assert status.st_size == RESERVE_BYTES
    with (tmp_path / "other").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)
        assert status.st_blocks >= os.fstat(file.fileno()).st_blocks, "it has no holes"
    assert status.st_mode & 0o777 == 0o600
    assert not Reserve(tmp_path).is_in_use


def test_pieces_are_let_go_as_long_as_little_is_free(
    tmp_path: Path, free: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    reserve = Reserve(tmp_path)
    reserve.take()
    free[0] = LOW_BYTES
    reserve.ease()
    assert (size(tmp_path), reserve.is_in_use, caplog.text) == (RESERVE_BYTES, False, "")
    free[0] = LOW_BYTES - 1
    for number in (1, 2):
        reserve.ease()
        assert size(tmp_path) == RESERVE_BYTES - number * PIECE_BYTES
    assert reserve.is_in_use
    assert "is full" in caplog.text
    assert "edgekit user remove NAME --with-conversations" in caplog.text
    for _ in range(RESERVE_BYTES // PIECE_BYTES + 1):
        reserve.ease()
    assert (size(tmp_path), reserve.is_in_use) == (0, True)


def test_it_is_whole_again_once_there_is_room(tmp_path: Path, free: list[int]) -> None:
    reserve = Reserve(tmp_path)
    reserve.take()
    free[0] = 0
    reserve.ease()
    free[0] = PIECE_BYTES + LEFT_BYTES - 1
    reserve.take()
    assert reserve.is_in_use
    free[0] += 1
    reserve.take()
    assert (size(tmp_path), reserve.is_in_use) == (RESERVE_BYTES, False)


@pytest.mark.parametrize("is_there", [True, False])
def test_where_there_never_was_room_nothing_is_made_and_nothing_is_in_use(
    tmp_path: Path, free: list[int], is_there: bool
) -> None:
    folder = tmp_path if is_there else tmp_path / "nowhere"
    free[0] = RESERVE_BYTES + LEFT_BYTES - 1 if is_there else 0
    reserve = Reserve(folder)
    reserve.take()
    reserve.ease()
    assert (size(folder), reserve.is_in_use, folder.exists()) == (None, False, is_there)


@pytest.mark.parametrize("was_there", [True, False])
def test_a_disk_that_fills_meanwhile_leaves_it_as_it_was(
    tmp_path: Path, free: list[int], monkeypatch: pytest.MonkeyPatch, was_there: bool
) -> None:
    reserve = Reserve(tmp_path)
    if was_there:
        reserve.take()
        free[0] = 0
        reserve.ease()
        free[0] = 10 * RESERVE_BYTES
    before = size(tmp_path)

    def full(descriptor: int, offset: int, length: int) -> None:
        os.pwrite(descriptor, b"x", length // 2)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve.take()
    assert size(tmp_path) == before


def test_what_is_free_is_what_the_disk_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._free_bytes(tmp_path / "nowhere") == 0
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    assert module._free_bytes(tmp_path) == usage.free


def test_one_that_can_t_be_changed_holds_nobody_up(
    tmp_path: Path, free: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    reserve = Reserve(tmp_path)
    reserve.take()
    free[0] = 0
    reserve.ease()
    assert not (tmp_path / "elsewhere").exists()
