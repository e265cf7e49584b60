"""Memory, disk and swap against what a target takes."""

from __future__ import annotations

from edgekit.doctor.capacity import disk, memory, swap
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    SWAPS,
    VM,
)


def test_memory_against_what_the_target_may_take(says: Says) -> None:
    short = ORIN6.changed(files={"proc/meminfo": "MemTotal: 64349264 kB\nMemAvailable: 9000000 kB\n"})
    [diagnosis] = says(memory, short, "orin")
    assert diagnosis[:2] == ("bad", "8.58 GiB free of 61.4 GiB; target orin may take 14.9 GiB")
    assert says(memory, short, "cpu")[0][0] == "good"
    full = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "312\n"})
    assert [diagnosis[0] for diagnosis in says(memory, full, "rtx3050")] == ["good", "bad"]
    silent = DESKTOP.changed(answers={"nvidia-smi --query-gpu=memory.free": "[N/A]\n"})
    assert [diagnosis[0] for diagnosis in says(memory, silent, "rtx3050")] == ["good", "unknown"]


def test_disk_has_room_for_two_releases(says: Says) -> None:
    [diagnosis] = says(disk, DESKTOP.changed(disk_free=lambda path: 19 * 2**30), "rtx3050")
    assert (diagnosis[0], "takes 20.0 GiB with two releases" in diagnosis[1]) == ("bad", True)
    assert says(disk, DESKTOP.changed(disk_free=lambda path: 21 * 2**30), "rtx3050")[0][0] == "good"


def test_swap(says: Says) -> None:
    assert says(swap, VM)[0][1].startswith("none")
    both = SWAPS + "/dev/zram0 partition 1048576 0 5\n/swapfile file 1048576 524288 -2\n"
    assert says(swap, VM.changed(files={"proc/swaps": both}))[0][1] == "2.00 GiB on disk and zram, 512 MiB used"
    assert says(swap, VM.changed(without=("swaps",)))[0][0] == "unknown"
