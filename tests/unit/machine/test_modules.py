"""What a kernel has, by the lists of its modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.modules import has_module, reads_filesystem
from tests.unit.machine.recordings import VM

FOLDER = "lib/modules/6.1.0-38-cloud-amd64"
DEP = "kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\nkernel/fs/fat/fat.ko:\n"
BUILTIN = "kernel/fs/ext4/ext4.ko\nkernel/net/ipv4/netfilter/ip_tables.ko\n"
LISTS = {f"{FOLDER}/modules.dep": DEP, f"{FOLDER}/modules.builtin": BUILTIN}


@pytest.mark.parametrize(
    ("name", "more", "has"),
    [
        ("vfat", {}, True),
        ("ext4", {}, True),
        ("ip-tables", {}, True),
        ("exfat", {}, False),
        ("fa", {}, False),
        ("exfat", {f"{FOLDER}/modules.dep": "kernel/fs/exfat/exfat.ko.zst:\n"}, True),
        ("iptable_raw", {f"{FOLDER}/modules.dep": "updates/iptable-raw.ko:\n"}, True),
        ("exfat", {"proc/modules": "exfat 90112 0 - Live 0x0000000000000000\n"}, True),
        ("exfat", {"proc/modules": "exfatx 90112 0 - Live 0x0000000000000000\n"}, False),
    ],
)
def test_modules(tmp_path: Path, name: str, more: dict[str, str], has: bool) -> None:
    assert has_module(VM.changed(files=LISTS | more).at(tmp_path), name.replace("ip-tables", "ip_tables")) is has


def test_a_machine_without_these_lists_tells_nothing(tmp_path: Path) -> None:
    assert has_module(VM.at(tmp_path / "a"), "exfat") is None
    assert has_module(VM.changed(files=LISTS, without=("osrelease",)).at(tmp_path / "b"), "exfat") is None
    for number, garbage in enumerate(("\0", "../../etc", "a b")):
        odd = VM.changed(files=LISTS | {"proc/sys/kernel/osrelease": garbage}).at(tmp_path / f"odd {number}")
        assert has_module(odd, "exfat") is None


@pytest.mark.parametrize(
    ("more", "reads"),
    [
        ({}, False),
        ({"proc/filesystems": "nodev\tsysfs\n\texfat\n"}, True),
        ({"proc/filesystems": "nodev\tsysfs\n\tvfat\n"}, False),
        ({f"{FOLDER}/modules.dep": "kernel/fs/exfat/exfat.ko:\n"}, True),
        ({"usr/sbin/mount.exfat": ""}, True),
    ],
)
def test_file_systems(tmp_path: Path, more: dict[str, str], reads: bool) -> None:
    assert reads_filesystem(VM.changed(files=LISTS | more).at(tmp_path), "exfat") is reads
