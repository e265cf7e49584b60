"""What the doctor says of sticks that the kernel can't read."""

from __future__ import annotations

from edgekit.doctor.sticks import sticks
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import ORIN6, VM

LISTS = {"lib/modules/5.15.148-tegra/modules.dep": "kernel/fs/fat/vfat.ko:\n"}
PLUGGED = {"sys/class/block/sda1/dev": "8:1\n", "run/udev/data/b8:1": "E:ID_FS_TYPE=exfat\n"}
WITHOUT = ORIN6.changed(files=LISTS)


def test_a_stick_that_the_kernel_can_not_read(says: Says) -> None:
    [diagnosis] = says(sticks, WITHOUT.changed(files=PLUGGED), "orin")
    assert diagnosis[:2] == ("bad", "/dev/sda1 is exFAT, which this kernel (5.15.148-tegra) can't read")
    assert "exfat-fuse" in diagnosis[2]


def test_a_kernel_that_could_not_read_one(says: Says) -> None:
    [diagnosis] = says(sticks, WITHOUT, "orin")
    assert diagnosis[:2] == (
        "good",
        "this kernel (5.15.148-tegra) can't read exFAT, as which sticks over 32 GB are sold",
    )
    assert "ext4" in diagnosis[2]


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    assert says(sticks, WITHOUT.changed(files=PLUGGED | {"proc/filesystems": "\texfat\n"}), "orin") == []
    assert says(sticks, WITHOUT.changed(files=PLUGGED | {"sbin/mount.exfat": ""}), "orin") == []
    assert says(sticks, WITHOUT.changed(files=PLUGGED | {".dockerenv": ""}), "orin") == []
    assert says(sticks, VM.changed(files=PLUGGED), "cpu") == []
    assert says(sticks, VM, "cpu") == []
