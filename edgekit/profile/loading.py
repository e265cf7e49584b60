"""How long a bundle takes to open, from the disk (cold) and from the page cache (warm).

Cold: the kernel is asked to forget the bundle's files, which it does for pages that nobody maps or writes; whether it
did is looked up, since a figure that calls itself cold must be.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.runtime.model import Model

_LOOKS = 16


def load_seconds(bundle: Path, slots: int) -> float:
    """Time from opening the bundle until it can be asked; Python's own start, and its libraries', are not counted."""
    began = time.perf_counter()
    model = Model.open(bundle, slots)
    taken = time.perf_counter() - began
    model.engine.close()
    return taken


def forget(bundle: Bundle) -> bool:
    """Drop a bundle's files from the page cache; say whether they are gone (other processes may hold them)."""
    if not hasattr(os, "posix_fadvise"):
        return False
    _drop(bundle)
    gone = not any(_is_cached(path) for path in _files(bundle) if path.stat().st_size > 1 << 20)
    _drop(bundle)  # those that were looked at, too
    return gone


def _drop(bundle: Bundle) -> None:
    for path in _files(bundle):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _files(bundle: Bundle) -> Iterator[Path]:
    for folder, _, names in os.walk(bundle.path):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and os.access(path, os.R_OK):
                yield path


def _is_cached(path: Path) -> bool:
    """Whether any of some places of a file would be read without waiting for the disk (preadv2(2), RWF_NOWAIT)."""
    size = path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)  # looking at a page is to fetch no others
        return any(_is_there(descriptor, size * place // _LOOKS) for place in range(_LOOKS))
    except OSError:
        return True  # a file system that can't tell
    finally:
        os.close(descriptor)


def _is_there(descriptor: int, offset: int) -> bool:
    try:
        return os.preadv(descriptor, [bytearray(1)], offset, os.RWF_NOWAIT) > 0
    except BlockingIOError:
        return False
