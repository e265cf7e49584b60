"""How long a bundle takes to open, from the disk (cold) and from the page cache (warm).

Cold: the kernel is asked to forget the bundle's files, which it does for pages that nobody maps or writes; whether it
did is looked up, since a figure that calls itself cold must be.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgekit.bundle import Bundle
from edgekit.runtime.model import Model


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
    return not any(_is_cached(path) for path in _files(bundle) if path.stat().st_size > 1 << 20)


def _drop(bundle: Bundle) -> None:
    for path in _files(bundle):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _files(bundle: Bundle) -> Iterator[Path]:
    for folder, _, names in os.walk(bundle.path, followlinks=True):  # an installed one's engines lie elsewhere
        for name in names:
            path = Path(folder, name)
            if path.is_file() and os.access(path, os.R_OK):
                yield path


def _is_cached(path: Path) -> bool:
    """Whether any page of a file, which isn't empty, is in the page cache, by mincore(2).

    A read that would not wait (RWF_NOWAIT) is no way to ask: it starts to fetch the page, and tells it as cached where
    the disk is fast. Of other people's files that it may not write, the kernel says that all is cached.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        content = np.frombuffer(mapped, np.uint8)
        pages = np.zeros(-(-content.size // mmap.PAGESIZE), np.uint8)
        told = _mincore(content.ctypes.data, content.size, pages.ctypes.data)
        del content  # a mapping that is looked at can't be closed
    return told != 0 or bool((pages & 1).any())


def _mincore(address: int, size: int, pages: int) -> int:
    """0, and a byte of each page's state written to `pages`, or -1 where the system can't tell."""
    return int(ctypes.CDLL(None).mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_void_p(pages)))
