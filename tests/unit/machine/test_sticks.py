"""Which devices have a file system, by udev's notes."""

from __future__ import annotations

from pathlib import Path

from edgekit.machine.sticks import devices_with
from tests.unit.machine.recordings import VM

NOTES = {
    "sys/class/block/sda/dev": "8:0\n",
    "sys/class/block/sda1/dev": "8:1\n",
    "sys/class/block/nvme0n1p1/dev": "259:1\n",
    "sys/class/block/loop0/dev": "7:0\n",
    "run/udev/data/b8:0": "E:ID_PART_TABLE_TYPE=dos\n",
    "run/udev/data/b8:1": "S:disk/by-uuid/64A5-F009\nI:1234\nE:ID_FS_TYPE=exfat\nE:ID_FS_USAGE=filesystem\nG:systemd\n",
    "run/udev/data/b259:1": "E:ID_FS_TYPE=ext4\n",
}


def test_devices_by_their_file_system(tmp_path: Path) -> None:
    host = VM.changed(files=NOTES).at(tmp_path)
    assert devices_with(host, "exfat") == ["/dev/sda1"]
    assert devices_with(host, "ext4") == ["/dev/nvme0n1p1"]
    assert devices_with(host, "ext") == []


def test_a_machine_without_udev_has_none(tmp_path: Path) -> None:
    assert devices_with(VM.at(tmp_path / "a"), "exfat") == []
    for number, garbage in enumerate(("\0", "../x", "")):
        odd = VM.changed(files=NOTES | {"sys/class/block/sda1/dev": garbage}).at(tmp_path / f"odd {number}")
        assert devices_with(odd, "exfat") == []
