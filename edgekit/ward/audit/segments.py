"""The files of an audit's lines, in their order: each is named by the number of its first line."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.files import give_to_owner_of_folder, open_private

SEGMENT_BYTES = 4 * 2**20
"""No file grows beyond, so that one can be read whole."""
LOCK = ".lock"
_NAME = re.compile(r"([0-9]{12})\.jsonl")


def segment_name(first: int) -> str:
    """Return the name of the file whose first line has this number."""
    return f"{first:012}.jsonl"


def first_of(name: str) -> int:
    """Return the number that the name of a file of lines says its first line has."""
    match = _NAME.fullmatch(name)
    assert match, "a file of lines"
    return int(match[1])


def segments(folder: Path) -> list[Path]:
    """Return the files of lines in an audit's folder, in their order; there are none where there is no folder."""
    try:
        return [folder / name for name in sorted(filter(_NAME.fullmatch, os.listdir(folder)))]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(folder, error) from None


def read_segment(path: Path, size: int | None = None) -> bytes:
    """Return what a file of lines holds, up to ``size``; :class:`~edgekit.errors.EdgeKitError` where it can't be
    read."""
    try:
        with path.open("rb") as file:
            return file.read() if size is None else file.read(size)
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> EdgeKitError:
    """Return the error that a part of the audit can't be read."""
    return EdgeKitError(
        f"{path} can't be read: {error.strerror or error}", "Run the command as the service's user, or check the disk."
    )


@contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """Wait until no other process writes lines in ``folder``, and let none until the block's end."""
    lock = open_private(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        give_to_owner_of_folder(lock, folder)
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def unwritten(folder: Path) -> Iterator[None]:
    """Let no other process write lines until the block's end, for who only reads, and may be allowed no more."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:  # nobody has written yet
        yield
        return
    except OSError as error:
        raise unreadable(folder, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)
