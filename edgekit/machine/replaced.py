"""Libraries that a process runs with and that are no longer the files of their names: something replaced them since.

A process keeps what it has mapped, however old, until it ends; whatever starts after it takes what lies on the disk.
/proc/PID/maps, as proc(5) has it: address, rights, offset, device as "fd:01", inode, path, with " (deleted)" behind the
path of a file that has no name any more, as one has that a package manager laid another over.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

# A line feed in a path is written "\012" there. What begins with "/memfd:" lies in memory alone, and never had a name.
_LINE = re.compile(r"[-0-9a-f]+ \S+ [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) (\d+)\s+(/(?!memfd:).*?)( \(deleted\))?$")
_LIBRARY = re.compile(r"\.so(\.[^/]*)?$")


def replaced_libraries(pid: int, proc: Path = Path("/proc")) -> tuple[str, ...] | None:
    """List the libraries of process ``pid``, and its program, that were replaced or removed since it mapped them: their
    paths as it sees them, sorted. None where it is gone, or may not be looked at.

    A path is looked up as the process sees it, whose mounts may be others. Where a file system numbers mapped files
    otherwise than those on it (Btrfs and overlays do), only a name that is gone tells.
    """
    process = proc / str(pid)
    try:
        program = os.readlink(process / "exe").removesuffix(" (deleted)")
        lines = (process / "maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    parts = {match.groups() for line in lines if (match := _LINE.match(line))}
    theirs = (part for part in parts if part[3] == program or _LIBRARY.search(part[3]))
    others = {path for *numbers, path, gone in theirs if gone or _is_another(process / "root", path, *numbers)}
    return tuple(sorted(path.encode(errors="replace").decode() for path in others))


def _is_another(root: Path, path: str, major: str, minor: str, inode: str) -> bool:
    """Whether another file has the name by now."""
    try:
        there = os.stat(root / path.lstrip("/"))
    except FileNotFoundError:
        return True
    except OSError:
        return False  # it can't be told
    is_comparable = (os.major(there.st_dev), os.minor(there.st_dev)) == (int(major, 16), int(minor, 16))
    return is_comparable and there.st_ino != int(inode)
