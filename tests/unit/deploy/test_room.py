"""There has to be room for two releases, counted before the first byte."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.deploy.room import Room, held, require_room, room_of
from edgekit.errors import DiskFull, EdgeKitError

MIB = 1 << 20
NOTHING = Room(0, 0)
RELEASE = Room(100 * MIB, 1000)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A file system that nothing else lies on; 1 MiB a block."""
    state = SimpleNamespace(f_frsize=MIB, f_bavail=10**6, f_files=10**6, f_favail=10**6, f_bfree=10**6, f_ffree=10**6)
    monkeypatch.setattr(os, "statvfs", lambda path: state)
    return state


def test_files_take_whole_blocks() -> None:
    assert room_of([0, 1, 4096, 4097]) == Room(4 * 4096, 4)
    assert Room(1, 2) + Room(3, 4) == Room(4, 6)


@pytest.mark.parametrize(
    ("free", "shared", "there", "fits"),
    [
        (220, 0, 0, True),  # two, each with its margin
        (210, 0, 0, False),
        (120, 0, 100, True),  # one is there, the other fits
        (100, 0, 300, False),  # whatever is there: this one must fit
        (20, 95, 300, True),  # most of it is there
    ],
)
def test_two_releases_have_to_fit(
    disk: SimpleNamespace, tmp_path: Path, free: int, shared: int, there: int, fits: bool
) -> None:
    disk.f_bavail = free
    releases = (RELEASE, Room(shared * MIB, 0), Room(there * MIB, 10**4))
    if fits:
        require_room(tmp_path, *releases)
        return
    with pytest.raises(DiskFull, match=rf"100 MiB have to fit.* and {free} MiB are free") as caught:
        require_room(tmp_path, *releases)
    assert "--prefix" in caught.value.hint


def test_inodes_are_counted_too(disk: SimpleNamespace, tmp_path: Path) -> None:
    disk.f_favail = 2000
    require_room(tmp_path, RELEASE, NOTHING, NOTHING)
    disk.f_favail = 1999
    with pytest.raises(DiskFull, match="2000 more inodes, and 1999 are free"):
        require_room(tmp_path, RELEASE, NOTHING, NOTHING)
    disk.f_files = disk.f_favail = 0
    require_room(tmp_path, RELEASE, NOTHING, NOTHING)  # btrfs says nothing


def test_what_is_kept_for_root_is_not_counted(disk: SimpleNamespace, tmp_path: Path) -> None:
    disk.f_bavail = 0
    with pytest.raises(DiskFull):
        require_room(tmp_path, RELEASE, NOTHING, NOTHING)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="No such file"):
        require_room(tmp_path / "gone", RELEASE, NOTHING, NOTHING)


def test_a_file_of_two_names_is_held_once(tmp_path: Path) -> None:
    assert held(tmp_path / "gone") == NOTHING
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "file").write_bytes(os.urandom(3 * 4096))
    alone = held(tmp_path)
    assert alone.bytes >= 3 * 4096
    assert alone.inodes == 2
    os.link(tmp_path / "one" / "file", tmp_path / "other")
    assert held(tmp_path) == alone
