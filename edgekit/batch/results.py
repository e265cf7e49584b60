"""The file of answers: a line of JSON for each row, written as its answer comes.

A line is in the file, whole, when the next one is begun, and on the disk a second later. Whoever opens the file again
finds what has been answered, drops a last line that was cut, and drops rows without an answer, which are asked again.
A file of anything else is left as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic

from edgekit.batch.line import Kind, L
from edgekit.errors import InputError
from edgekit.files import open_private, write_bytes, writing

_SYNC_S = 1.0
_OTHER = "Give another file with --out."


class Results(Generic[L]):
    """An open file of answers, of this process alone: ``answered`` is what it held, by the keys of its kind; ``lines``
    is all that it holds now, rows without an answer too."""

    def __init__(self, path: Path, kind: Kind[L], descriptor: int, answered: dict[Hashable, L]) -> None:
        self.path = path
        self.answered = answered
        self.lines = dict(answered)
        self._kind = kind
        self._descriptor = descriptor
        self._synced = time.monotonic()

    def add(self, result: L) -> None:
        """Write a line; :class:`~edgekit.errors.EdgeKitError` where the disk is full."""
        line = result.line()
        with writing(self.path):
            while line:
                line = line[os.write(self._descriptor, line) :]
            if time.monotonic() - self._synced >= _SYNC_S:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()
        self.lines[self._kind.key(result)] = result

    def arrange(self, keys: Iterable[Hashable]) -> None:
        """Put the lines into the order of ``keys``, all at once: where they are in it, nothing is written.

        :class:`~edgekit.errors.EdgeKitError` where the disk is full; the lines then stay as they were.
        """
        self.replace([self.lines[key] for key in keys])

    def replace(self, lines: Iterable[L]) -> None:
        """Have ``lines`` stand in the file and nothing else, unless they do so already."""
        content = b"".join(line.line() for line in lines)
        if content != self.path.read_bytes():
            write_bytes(self.path, content, self.path.stat().st_mode & 0o777)
            locked = _locked(self.path)
            os.close(self._descriptor)
            self._descriptor = locked

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._descriptor)

    def flush(self) -> None:
        """Return once all of it is on the disk."""
        with writing(self.path):
            os.fsync(self._descriptor)


@contextmanager
def results(path: Path, kind: Kind[L], require: Callable[[L], None]) -> Iterator[Results[L]]:
    """Open a file of answers, or make it, its owner's alone; at the end all of it is on the disk.

    ``require`` is called with each answer that it holds, and raises where it can't be gone on with: nothing is changed
    then. :class:`InputError` where the file holds anything else, or another process writes it.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file", _OTHER)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = Results(path, kind, _locked(path), {})
    try:
        answered = _answered(path, kind)
        for result in answered.values():
            require(result)
        opened.answered, opened.lines = answered, dict(answered)
        opened.replace(answered.values())
        yield opened
        opened.flush()
    finally:
        opened.close()


def mixed(path: Path, reason: str) -> InputError:
    """Return why a file of answers is not gone on with: it holds what would not be asked now."""
    return InputError(
        f"{path} holds {reason}", "Answers are not mixed: give another file with --out, or ask as before."
    )


def _locked(path: Path) -> int:
    """Open a file to append to it, and lock it: the lock ends with the process, however it ends."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = open_private(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.stat(path)):
            return descriptor
    except BlockingIOError:
        pass
    except OSError:
        return descriptor  # this file system has no locks
    os.close(descriptor)
    raise InputError(f"Another process writes {path}", "Wait until it has ended, or give another file with --out.")


def _answered(path: Path, kind: Kind[L]) -> dict[Hashable, L]:
    """The answers that a file holds; errors, and a line at the end that was cut, are left out."""
    *lines, rest = path.read_bytes().split(b"\n")
    if not _is_cut(rest, kind.start):
        lines.append(rest)
    answered: dict[Hashable, L] = {}
    for line in lines:
        result = kind.read(line)
        if result is None:
            raise InputError(f"{path} exists, and holds no {kind.title}", _OTHER)
        if kind.error(result) is None:
            answered[kind.key(result)] = result
    return answered


def _is_cut(rest: bytes, start: bytes) -> bool:
    """Whether what stands behind the last line is nothing, or the beginning of one; a power cut may leave zeros."""
    if rest.startswith(start):
        try:
            json.loads(rest)
        except (ValueError, RecursionError):
            return True
        return False
    return start.startswith(rest.rstrip(b"\0"))
