"""Is there room for a release, and for one more? Asked before the first byte is written.

Whoever installs a release will install the next one, and the one before stays until the next is committed. So the file
system has to have room for two like it, those that are there counted; and what is written now has to fit beside them.
statvfs(3): what is free for everybody (f_bavail, f_favail) counts, not what is kept for root.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import DiskFull
from edgekit.files import writing
from edgekit.units import format_bytes

_BLOCK = 4096
_MARGIN_BYTES = 8 << 20
"""Folders, the records, and what the journal of the file system takes beside it."""


@dataclass(frozen=True)
class Room:
    """Bytes and inodes on a file system."""

    bytes: int
    inodes: int

    def __add__(self, other: Room) -> Room:
        return Room(self.bytes + other.bytes, self.inodes + other.inodes)


def room_of(sizes: Iterable[int]) -> Room:
    """Count what files of these sizes take, each in whole blocks."""
    blocks = [-(-size // _BLOCK) * _BLOCK for size in sizes]
    return Room(sum(blocks), len(blocks))


def held(folder: Path) -> Room:
    """Count what lies in ``folder``; a file of several names counts once. Nothing where it isn't there."""
    files = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            status = os.lstat(os.path.join(place, name))
            files[status.st_dev, status.st_ino] = status.st_blocks * 512
    return Room(sum(files.values()), len(files))


def require_room(folder: Path, release: Room, shared: Room, releases: Room) -> None:
    """Refuse where a release does not fit into ``folder``, or no second one like it beside it.

    - ``release``: all that it holds
    - ``shared``: what of it are files that earlier ones hold already
    - ``releases``: what those hold that are there

    :class:`DiskFull` says what is needed and what is free, of bytes or of inodes.
    """
    with writing(folder):
        status = os.statvfs(folder)
    free_bytes = status.f_bavail * status.f_frsize
    now = release.bytes - shared.bytes + _MARGIN_BYTES
    needed = max(now, 2 * (release.bytes + _MARGIN_BYTES) - releases.bytes)
    if free_bytes < needed:
        raise DiskFull(
            f"Two releases of {format_bytes(release.bytes)} have to fit into {folder}: that needs "
            f"{format_bytes(needed)} more, and {format_bytes(free_bytes)} are free",
            _make_room(folder),
        )
    inodes = max(release.inodes - shared.inodes, 2 * release.inodes - releases.inodes)
    if status.f_files and status.f_favail < inodes:  # file systems that make inodes as they are needed have no number
        raise DiskFull(
            f"Two releases of {release.inodes} files have to fit into {folder}: that needs {inodes} more inodes, and "
            f"{status.f_favail} are free",
            _make_room(folder),
        )


def _make_room(folder: Path) -> str:
    return f"Make room on the disk of {folder}, or give a folder on a larger one as --prefix."
