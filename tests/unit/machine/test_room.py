"""Memory and swap as the kernel and control groups tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.room import SwapArea, available_memory, free_swap, swap_areas, total_memory
from tests.unit.machine.recordings import ORIN6, SWAPS

KIB = 1024


def lay(root: Path, name: str, text: str) -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({"proc/meminfo": "MemTotal: 900 kB\nMemAvailable:  500 kB\n"}, 500 * 1024),
        ({"proc/meminfo": "MemTotal: 900 kB\n"}, 0),
        ({"proc/meminfo": "MemAvailable: much\n"}, 0),
        ({"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5\n"}, 500 * 1024),
        ({"sys/fs/cgroup/memory.max": "4096\n", "sys/fs/cgroup/memory.current": "1024\n"}, 3072),
        ({"sys/fs/cgroup/memory.max": "4096\n", "sys/fs/cgroup/memory.current": "9999\n"}, 1),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "2048\n",
                "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 512\n",
            },
            2560,
        ),
    ],
)
def test_memory_that_a_new_process_may_take(tmp_path: Path, files: dict[str, str], free: int) -> None:
    for name, text in ({"proc/meminfo": "MemAvailable: 500 kB\n"} | files).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available_memory(tmp_path) == free


def test_a_container_has_what_its_limit_leaves(tmp_path: Path) -> None:
    lay(tmp_path, "proc/meminfo", "MemTotal: 900 kB\n")
    assert total_memory(tmp_path) == 900 * KIB
    lay(tmp_path, "sys/fs/cgroup/memory.max", "4096\n")
    assert total_memory(tmp_path) == 4096


@pytest.mark.parametrize(("text", "free"), [("SwapFree: 7 kB\n", 7 * KIB), ("SwapFree: some\n", 0), ("", 0)])
def test_free_swap(tmp_path: Path, text: str, free: int) -> None:
    assert free_swap(lay(tmp_path, "proc/meminfo", text)) == free


def test_areas_of_swap(tmp_path: Path) -> None:
    assert swap_areas(tmp_path) is None
    assert swap_areas(lay(tmp_path, "proc/swaps", "no table\n")) is None
    assert swap_areas(lay(tmp_path, "proc/swaps", SWAPS)) == []
    assert swap_areas(lay(tmp_path, "proc/swaps", SWAPS + "/swapfile file 1048576 524288 -2\nodd\n")) == [
        SwapArea("/swapfile", 2**30, 2**29)
    ]
    ORIN6.at(tmp_path)
    areas = swap_areas(tmp_path) or []
    assert len(areas) == 12
    assert all(area.is_zram for area in areas)
