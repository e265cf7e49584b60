"""What is kept takes no more of the disk than it may."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Keep
from edgekit.serve.ward.room import MEASURE_S, Room
from tests.full_disk import FullDisk


def code(room: Room, keep: Keep, more_bytes: int = 0) -> str | None:
    try:
        room.require(keep, more_bytes)
    except Refusal as refusal:
        assert refusal.status == 507
        return refusal.code
    return None


def test_files_are_counted_now_and_then_and_what_is_added_at_once(tmp_path: Path) -> None:
    now = [0.0]
    room = Room(tmp_path, lambda: now[0])
    (tmp_path / "pictures" / "ab").mkdir(parents=True)
    (tmp_path / "pictures" / "ab" / "abcd").write_bytes(b"x" * 1000)
    assert room.taken_bytes() == 1000
    room.add(500)
    assert room.taken_bytes() == 1500
    assert code(room, Keep(disk_bytes=2000, free_bytes=0)) is None
    assert code(room, Keep(disk_bytes=2000, free_bytes=0), 501) == "disk_full"
    assert code(room, Keep(disk_bytes=1499, free_bytes=0)) == "disk_full"
    assert code(room, Keep(disk_bytes=0, free_bytes=0), 10**6) is None, "0 is as much as there is room for"
    now[0] += MEASURE_S
    assert room.taken_bytes() == 1000


def test_some_of_the_disk_stays_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000, 900, 100))
    room = Room(tmp_path)
    assert code(room, Keep(free_bytes=100)) is None
    assert code(room, Keep(free_bytes=101)) == "disk_full"
    assert code(room, Keep(free_bytes=50), 51) == "disk_full"


def test_what_is_set_aside_is_not_kept_and_nothing_new_is_while_it_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, room = FullDisk(tmp_path, monkeypatch), Room(tmp_path)
    room.require_spare()
    room.reserve.take()
    room.require_spare()
    assert room.taken_bytes() == 0
    disk.full = True
    room.reserve.ease()
    for _ in range(2):
        with pytest.raises(Refusal, match="The disk is full"):
            room.require_spare()
    assert code(room, Keep(free_bytes=0)) == "disk_full"
    disk.full = False
    room.require_spare()
    assert not room.reserve.is_in_use
