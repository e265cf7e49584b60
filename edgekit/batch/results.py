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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edgekit.errors import InputError
from edgekit.files import open_private, write_bytes, writing
from edgekit.vqa.item import Id

_SYNC_S = 1.0
_START = b'{"id": '
_OTHER = "Give another file with --out."


@dataclass(frozen=True, kw_only=True)
class Result:
    """A line: what was asked, of which model and how, and what came of it.

    * ``id``, ``question``, ``images``: the row's own; ``sha256``: of each picture's file
    * ``model``, ``fingerprint``, ``sampling``: as which the answer can be had again, with ``seed``
    * the rest as :class:`~edgekit.batch.answer.Answer` has it
    """

    id: Id
    question: str
    images: list[str]
    sha256: list[str]
    model: str
    fingerprint: str | None
    sampling: dict[str, Any]
    text: str | None
    reason: str | None
    tokens: int | None
    seed: int | None
    notes: list[str]
    error: str | None

    def line(self) -> bytes:
        """Return it as a line of JSON in UTF-8."""
        # Names of files may hold what no text can: it is escaped, and read back as it was.
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


class Results:
    """An open file of answers, of this process alone: ``answered`` is what it held, by the ids of the rows."""

    def __init__(self, path: Path, descriptor: int, answered: dict[Id, Result]) -> None:
        self.path = path
        self.answered = answered
        self._descriptor = descriptor
        self._synced = time.monotonic()

    def add(self, result: Result) -> None:
        """Write a line; :class:`~edgekit.errors.EdgeKitError` where the disk is full."""
        line = result.line()
        with writing(self.path):
            while line:
                line = line[os.write(self._descriptor, line) :]
            if time.monotonic() - self._synced >= _SYNC_S:
                os.fsync(self._descriptor)
                self._synced = time.monotonic()


@contextmanager
def results(path: Path, require: Callable[[Result], None]) -> Iterator[Results]:
    """Open a file of answers, or make it, its owner's alone; at the end all of it is on the disk.

    ``require`` is called with each answer that it holds, and raises where it can't be gone on with: nothing is changed
    then. :class:`InputError` where the file holds anything else, or another process writes it.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a file", _OTHER)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(path)
    try:
        text = path.read_bytes()
        answered = _answered(text, path)
        for result in answered.values():
            require(result)
        kept = b"".join(result.line() for result in answered.values())
        if kept != text:
            write_bytes(path, kept, path.stat().st_mode & 0o777)
            locked = _locked(path)
            os.close(descriptor)
            descriptor = locked
        yield Results(path, descriptor, answered)
        with writing(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


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


def _answered(text: bytes, path: Path) -> dict[Id, Result]:
    """The answers that a file holds; errors, and a line at the end that was cut, are left out."""
    *lines, rest = text.split(b"\n")
    if not _is_cut(rest):
        lines.append(rest)
    answered: dict[Id, Result] = {}
    for line in lines:
        result = _result(line)
        if result is None:
            raise InputError(f"{path} exists, and holds no answers to a list", _OTHER)
        if result.error is None:
            answered[result.id] = result
    return answered


def _is_cut(rest: bytes) -> bool:
    """Whether what stands behind the last line is nothing, or the beginning of one; a power cut may leave zeros."""
    if rest.startswith(_START):
        try:
            json.loads(rest)
        except (ValueError, RecursionError):
            return True
        return False
    return _START.startswith(rest.rstrip(b"\0"))


def _result(line: bytes) -> Result | None:
    try:
        document = json.loads(line)
        result = Result(**document) if list(document) == _KEYS else None
    except (ValueError, TypeError, RecursionError):
        return None
    return result if result and isinstance(result.id, str | int) else None


_KEYS = [field.name for field in fields(Result)]
