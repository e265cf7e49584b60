"""Sizes and SHA-256 of files: taken when a folder is sealed, and compared where somebody relies on it.

Files stream through a buffer of a thread each, several of them at once (OpenSSL hashes outside of Python's lock).
Nothing is mapped, so that no memory grows with them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from edgekit.errors import BundleError
from edgekit.machine.system import cores
from edgekit.progress import Progress, silent

T = TypeVar("T")
_BUFFER = 1 << 20
_TICK_S = 0.2
_AGAIN = "Copy or build the bundle again."


@dataclass(frozen=True)
class FileEntry:
    """Size and SHA-256 (hex) of one file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Sealed:
    """A file as it was sealed. ``remedy``: what to do where it isn't so any more ("build the bundle again")."""

    path: Path
    entry: FileEntry
    remedy: str


def hash_files(folder: Path, progress: Progress = silent) -> dict[str, FileEntry]:
    """Return the size and hash of every file in ``folder`` and the folders in it, by its relative name."""
    sizes = {path: path.stat().st_size for path in sorted(folder.rglob("*")) if path.is_file()}
    reader = Reader()
    jobs = [partial(reader.digest, path, size) for path, size in sizes.items()]
    digests = reader.together(jobs, sum(sizes.values()), "seal", progress)
    return {
        path.relative_to(folder).as_posix(): FileEntry(size, digest)
        for (path, size), digest in zip(sizes.items(), digests, strict=True)
    }


def check_hashes(files: Sequence[Sealed], progress: Progress = silent) -> None:
    """Read ``files`` and compare their sizes and hashes. Progress counts the bytes read.

    :class:`BundleError` names the first that turned out to differ, to be gone, a link or no file, or unreadable.
    """
    reader = Reader()

    def check(file: Sealed) -> None:
        if reader.digest(file.path, file.entry.bytes) != file.entry.sha256:
            raise BundleError(
                f"{file.path}: the contents differ from what was sealed",
                f"The file was damaged or changed: {file.remedy}.",
            )

    largest_first = sorted(files, key=lambda file: -file.entry.bytes)
    total = sum(file.entry.bytes for file in files)
    reader.together([partial(check, file) for file in largest_first], total, "verify", progress)


def read_sealed(path: Path) -> bytes:
    """Read a small file's bytes; :class:`BundleError` where it is gone, a link or no file, or can't be read."""
    try:
        with open(path, "rb", opener=_no_link) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BundleError(f"{path} is no file", _AGAIN)
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> BundleError:
    """Return the error for a file of a bundle that the system does not let read."""
    if isinstance(error, FileNotFoundError):
        return BundleError(f"{path} is missing", _AGAIN)
    if error.errno == errno.ELOOP:
        return BundleError(f"{path} is a link, where a file was sealed", _AGAIN)
    return BundleError(f"{path} can't be read: {error.strerror}", "Check the disk and the permissions.")


class Reader:
    """Reads files on several threads, and counts the bytes: once."""

    def __init__(self) -> None:
        self._stop = Event()
        self._counts: list[int] = []  # appending needs no lock

    def digest(self, path: Path, size: int, take: Callable[[memoryview], object] | None = None) -> str:
        """Return the SHA-256 (hex) of a file; :class:`BundleError` where it has not ``size`` bytes,
        or can't be read.

        ``take`` gets each piece as it is read; what it raises ends the reading, an :class:`OSError` as this file's.
        """
        digest, buffer = hashlib.sha256(), memoryview(bytearray(max(1, min(size, _BUFFER))))
        try:
            with open(path, "rb", buffering=0, opener=_no_link) as file:
                if (actual := os.fstat(file.fileno()).st_size) != size:
                    raise BundleError(f"{path} has {actual} bytes, not {size}", _AGAIN)
                while not self._stop.is_set() and (count := file.readinto(buffer)):
                    digest.update(buffer[:count])
                    if take is not None:
                        take(buffer[:count])
                    self._counts.append(count)
        except OSError as error:
            raise unreadable(path, error) from error
        return digest.hexdigest()

    def together(self, jobs: Sequence[Callable[[], T]], total: int, stage: str, progress: Progress) -> list[T]:
        """Run ``jobs``, which read ``total`` bytes, and return their results; the first error ends all.

        ``progress`` is called from this thread alone, and no thread reads on however this ends.
        """
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait  # not in what only opens a bundle

        with ThreadPoolExecutor(cores(), thread_name_prefix="edgekit-hash") as pool:
            try:
                readings = [pool.submit(job) for job in jobs]
                left = set(readings)
                while left:
                    if (done := sum(self._counts)) < total:
                        progress(stage, done, total)
                    ready, left = wait(left, _TICK_S, FIRST_EXCEPTION)  # not at each of thousands of small files
                    for reading in ready:
                        reading.result()
            finally:
                self._stop.set()
        progress(stage, total, total)
        return [reading.result() for reading in readings]


def _no_link(path: str, flags: int) -> int:
    """Not waiting for who would write to a pipe that stands in a file's place, either."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
