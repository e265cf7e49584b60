"""What the disk holds, rather than the page cache: flushed as a whole, and read back from the disk itself.

A release of some thousand files is flushed by one call for its file system, syncfs(2), which takes a sixtieth of the
time that a call for each file takes. That a disk has acknowledged a write does not yet say that it gives the same back,
so what was written is dropped from the page cache, read and hashed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgekit.bundle.hashes import Sealed, check_hashes
from edgekit.files import writing
from edgekit.progress import Progress, silent


@contextmanager
def flushed(folder: Path) -> Iterator[None]:
    """Flush the file system of ``folder``, which exists, when the block ends well; on an error, nothing is flushed.

    :class:`~edgekit.errors.EdgeKitError` where the disk refuses, be it a write of the block's that failed afterwards:
    the kernel tells that to whom has had the file system open since before.
    """
    with writing(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield
        with writing(folder):
            _sync(descriptor)
    finally:
        os.close(descriptor)


def read_back(files: Sequence[Sealed], progress: Progress = silent) -> None:
    """Read ``files``, which were flushed, from the disk and compare their hashes.

    :class:`~edgekit.errors.BundleError` names the first that came back as something else. What another process has
    mapped stays in the page cache, and is compared there.
    """
    for file in files:
        forget(file.path)
    check_hashes(files, lambda stage, done, total: progress("read back", done, total))


def forget(path: Path) -> None:
    """Drop a file from the page cache, as far as it was flushed and nobody has it mapped; one that is gone, too."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return  # whoever reads it tells
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """syncfs(2), which Python's os lacks."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.syncfs(descriptor) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
