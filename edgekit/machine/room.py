"""The machine's memory and swap: how much there is, and how much is free now.

/proc/meminfo and /proc/swaps as in proc(5); a container's share by its control groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from edgekit.machine.cgroup import limiting_groups
from edgekit.machine.system import field_of, read_text


def total_memory(root: Path = Path("/")) -> int:
    """Read the machine's memory in bytes, or the limit of this process's control group where that is less."""
    total = field_of(read_text(root / "proc/meminfo"), "MemTotal").split()
    whole = int(total[0]) * 1024 if total and total[0].isdecimal() else psutil.virtual_memory().total
    return min([whole, *(group.limit_bytes for group in limiting_groups(root))])


def free_memory(root: Path = Path("/")) -> int:
    """Read how many bytes the machine could give to new programs without swapping (MemAvailable), whatever a control
    group lets this process have; 0 where the kernel doesn't say."""
    free = field_of(read_text(root / "proc/meminfo"), "MemAvailable").split()
    return int(free[0]) * 1024 if free and free[0].isdecimal() else 0


def available_memory(root: Path = Path("/")) -> int:
    """Count bytes that a new process may take without swapping: MemAvailable, or what a control group's limit leaves
    where that is less (its page cache counts as free). 0 where the kernel doesn't say.
    """
    free = free_memory(root)
    if not free:
        return 0
    return max(1, min([free, *(group.free_bytes for group in limiting_groups(root))]))


def free_swap(root: Path = Path("/")) -> int:
    """Count bytes of swap that nobody uses; 0 where the kernel doesn't say."""
    free = field_of(read_text(root / "proc/meminfo"), "SwapFree").split()
    return int(free[0]) * 1024 if free and free[0].isdecimal() else 0


@dataclass(frozen=True)
class SwapArea:
    """A file, a partition, or compressed memory (zram) that takes pages which are not looked at."""

    name: str
    size_bytes: int
    used_bytes: int

    @property
    def is_zram(self) -> bool:
        return "zram" in self.name


def swap_areas(root: Path = Path("/")) -> list[SwapArea] | None:
    """List every area in use; None where /proc/swaps can't be read."""
    lines = read_text(root / "proc/swaps").splitlines()
    if not lines or not lines[0].startswith("Filename"):
        return None
    rows = [line.split() for line in lines[1:]]
    kept = (row for row in rows if len(row) >= 4 and row[2].isdecimal())
    return [SwapArea(row[0], int(row[2]) * 1024, int(row[3]) * 1024) for row in kept]
