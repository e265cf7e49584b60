"""What was begun and done with an installation: lines on the disk before anything else is, so that no run is forgotten.

``state/journal.jsonl``: a JSON object a line. An operation begins with all its steps; each step has a line before it is
begun and one after; the operation ends with how it went. A line is on the disk before its writer goes on. The last one
may be torn by a crash: it is passed over, and cleared by whoever writes next.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.config.state import flush_folder
from edgekit.errors import EdgeKitError
from edgekit.files import writing
from edgekit.machine.moment import now

_log = logging.getLogger(__name__)
NAME, LOCK = "journal.jsonl", ".lock"
INSTALL = "install"
"""What an operation is called that leads to a trial."""


class Busy(EdgeKitError):
    """Another command works on the installation."""


@dataclass(kw_only=True)
class Operation:
    """An operation as the journal tells it so far.

    - ``number``: its own, rising; ``name``: "install", "commit", …; ``about``: what it is given, as JSON has it
    - ``began``, ``ended``: the wall clock, by ISO 8601; "" as long as it has not ended
    - ``steps``: as documents
    - ``begun``: of each step that was begun, what undoing it needs; ``results``: of each that was done, what came of it
    - ``begun_ms``, ``done_ms``, ``undone_ms``: when that was, in milliseconds since the machine's start
    - ``result``: "done", "undone" or "" where it has not ended, or has to be undone; ``reason``: why
    - ``is_bad``: whether its release failed, and is to be remembered as bad
    """

    number: int
    name: str
    about: Mapping[str, Any]
    began: str
    steps: Sequence[Mapping[str, Any]]
    begun: dict[int, Any] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)
    begun_ms: dict[int, int] = field(default_factory=dict)
    done_ms: dict[int, int] = field(default_factory=dict)
    undone_ms: dict[int, int] = field(default_factory=dict)
    result: str = ""
    reason: str = ""
    is_bad: bool = False
    ended: str = ""

    @property
    def is_to_be_undone(self) -> bool:
        """Whether it failed, and has not been undone wholly since; a full disk may hold no line that it failed."""
        return not self.result and bool(self.reason or self.undone_ms)


class Journal:
    """A journal in the folder of an installation's state. Who writes holds :func:`alone`; reading changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def operations(self) -> list[Operation]:
        """Read every operation, in their order; a line that can't be read is passed over."""
        operations: dict[int, Operation] = {}
        for line in self._whole().splitlines():
            with suppress(ValueError, KeyError, TypeError):
                _tell(operations, json.loads(line))
        return list(operations.values())

    def last(self, *names: str) -> Operation | None:
        """Return the operation, of those names if any are given, that was begun last; None where there was none."""
        return next((one for one in reversed(self.operations()) if not names or one.name in names), None)

    def unfinished(self) -> Operation | None:
        """Return the operation that was begun last of those that have not ended; None where all have."""
        return next((one for one in reversed(self.operations()) if not one.result), None)

    def begin(self, name: str, about: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Operation:
        """Note an operation before its first step, and return it."""
        last = self.last()
        operations: dict[int, Operation] = {}
        number = last.number + 1 if last else 1
        self._write(operations, "begin", number, name=name, about=about, steps=steps)
        return operations[number]

    def intend(self, operation: Operation, step: int, before: Any) -> None:
        """Note that a step is begun, with what undoing it needs."""
        self._note(operation, "intent", step=step, before=before)

    def did(self, operation: Operation, step: int, result: Any = None) -> None:
        """Note that a step is done, and what came of it, as JSON has it."""
        self._note(operation, "done", step=step, result=result)

    def undid(self, operation: Operation, step: int) -> None:
        """Note that a step is undone."""
        self._note(operation, "undone", step=step)

    def fail(self, operation: Operation, reason: str, *, is_bad: bool) -> None:
        """Note that an operation is to be undone, and why, before the first of its steps is."""
        self._note(operation, "failed", reason=reason, is_bad=is_bad)

    def end(self, operation: Operation, result: str, reason: str = "") -> None:
        """Note how an operation ended: "done", or "undone" with the reason."""
        self._note(operation, "end", result=result, reason=reason)

    def _note(self, operation: Operation, event: str, **words: Any) -> None:
        self._write({operation.number: operation}, event, operation.number, **words)

    def _whole(self) -> bytes:
        """The whole lines: what stands behind the last line feed was being written when the machine or its writer
        ended, and nothing that it announces was begun."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return b""
        return content[: content.rfind(b"\n") + 1]

    def _write(self, operations: dict[int, Operation], event: str, number: int, **words: Any) -> None:
        """Put a line on the disk, and tell it to ``operations``."""
        moment = now()
        line = {"at": moment.time, "up_ms": moment.up_ms, "event": event, "operation": number, **words}
        with writing(self.path):
            is_new = not self.path.exists()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                _append(descriptor, len(self._whole()), json.dumps(line).encode() + b"\n")
            finally:
                os.close(descriptor)
            if is_new:
                flush_folder(self.path.parent)
        _tell(operations, line)


def _append(descriptor: int, end: int, line: bytes) -> None:
    """Write a line behind the whole ones, all of it or, on a full disk, nothing."""
    os.ftruncate(descriptor, end)
    try:
        offset = 0
        while offset < len(line):
            offset += os.pwrite(descriptor, line[offset:], end + offset)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _tell(operations: dict[int, Operation], line: Mapping[str, Any]) -> None:
    """Add what a line says."""
    number, up_ms = int(line["operation"]), int(line["up_ms"])
    if line["event"] == "begin":
        about, steps = dict(line["about"]), tuple(line["steps"])
        operations[number] = Operation(
            number=number, name=str(line["name"]), about=about, began=str(line["at"]), steps=steps
        )
        return
    operation = operations[number]
    match line["event"]:
        case "intent":
            operation.begun[int(line["step"])] = line["before"]
            operation.begun_ms[int(line["step"])] = up_ms
        case "done":
            operation.results[int(line["step"])] = line["result"]
            operation.done_ms[int(line["step"])] = up_ms
        case "undone":
            operation.undone_ms[int(line["step"])] = up_ms
        case "failed":
            operation.result, operation.reason, operation.is_bad = "", str(line["reason"]), bool(line["is_bad"])
        case "end":
            operation.result, operation.ended = str(line["result"]), str(line["at"])
            operation.reason = str(line["reason"]) or operation.reason


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, on the disk; everybody may look into it, whatever the umask. One that is there
    stays as it is."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with writing(folder):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            flush_folder(folder.parent)


@contextmanager
def alone(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Let one command at a time change the installation whose state lies in ``folder``; where there is none, nothing is
    made, and nothing is to be kept apart.

    :class:`Busy` where another one does, unless ``wait`` is for its end, which is said: at night that can take as long
    as the golden check. A lock ends with its process.
    """
    if not folder.is_dir():
        yield
        return
    with writing(folder / LOCK):
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise Busy("Another command works on this installation", "Wait for its end.") from None
            _log.warning("Another command works on this installation, or the nightly check: waiting for its end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
