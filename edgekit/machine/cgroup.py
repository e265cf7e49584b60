"""The limits that control groups lay on this process: a container's, a systemd service's (MemoryMax), a user's.

A process lies in a folder of a tree, which /proc/self/cgroup names, and every folder above it may limit it, too. Both
versions are read: one tree for all (``0::/system.slice/x.service``, files memory.max, memory.current, memory.peak,
memory.stat), and one for memory alone (``4:memory:/x``, files memory.limit_in_bytes, memory.usage_in_bytes,
memory.max_usage_in_bytes); cgroups(7) and the kernel's cgroup-v2.rst and cgroup-v1/memory.rst. In a container that has
a namespace of its own the folder is the tree's root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgekit.machine.system import read_text

_NO_LIMIT = 1 << 60  # version 1 says "none" by the largest number of pages that there is


@dataclass(frozen=True)
class Group:
    """A group with a limit. ``cache_bytes`` of what it uses are files that the kernel drops when memory is short."""

    limit_bytes: int
    used_bytes: int
    cache_bytes: int

    @property
    def free_bytes(self) -> int:
        return self.limit_bytes - self.used_bytes + self.cache_bytes


@dataclass(frozen=True)
class _Version:
    """Where a version keeps its tree, and what its files are called."""

    tree: str
    limit: str
    used: str
    peak: str


_ONE = _Version("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes")
_TWO = _Version("sys/fs/cgroup", "memory.max", "memory.current", "memory.peak")


def limiting_groups(root: Path = Path("/")) -> list[Group]:
    """List every group that this process is in and that has a limit; raises nothing."""
    groups = []
    for version, folder in _folders(root):
        limit, used = (_number(folder / name) for name in (version.limit, version.used))
        if limit is not None and limit < _NO_LIMIT:
            groups.append(Group(limit, used or 0, _cache(folder)))
    return groups


def _cache(folder: Path) -> int:
    """Files that can be dropped; use counts the groups below, too, and so does version 1's total_inactive_file."""
    files = dict(re.findall(r"^((?:total_)?inactive_file) (\d+)$", read_text(folder / "memory.stat"), re.MULTILINE))
    return int(files.get("total_inactive_file") or files.get("inactive_file") or 0)


def memory_peak(root: Path = Path("/")) -> int | None:
    """Read the most memory in bytes that this process's own group ever used, all its processes and their page
    cache together; None where it isn't told."""
    peaks = (_number(folder / version.peak) for version, folder in _folders(root))
    return next((peak for peak in peaks if peak is not None), None)


def _folders(root: Path) -> Iterator[tuple[_Version, Path]]:
    """From the process's own group to the tree's root."""
    rows = [line.split(":", 2) for line in read_text(root / "proc/self/cgroup").splitlines()]
    own = {names: path for _, names, path in (row for row in rows if len(row) == 3)}
    of_memory = next((path for names, path in own.items() if "memory" in names.split(",")), "/")
    for version, path in ((_TWO, own.get("", "/")), (_ONE, of_memory)):
        place = PurePosixPath(path)
        if ".." in place.parts:  # a group outside this namespace
            place = PurePosixPath("/")
        for folder in (place, *place.parents):
            yield version, root / version.tree / str(folder).lstrip("/")


def _number(file: Path) -> int | None:
    text = read_text(file).strip()
    return int(text) if text.isdecimal() else None
