"""Appending to an audit's lines: on the disk before it returns, whole or not at all, by one process at a time.

The service writes, and so do commands at a terminal. Whoever appends holds the folder's lock, and looks whether others
have written since.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgekit.config.state import flush_folder, make_private
from edgekit.files import give_to_owner_of_folder, open_private, write_bytes, writing
from edgekit.machine.moment import Moment
from edgekit.ward.audit.end import End, find_end
from edgekit.ward.audit.facts import Event
from edgekit.ward.audit.head import NONE, Head, begin_head, read_head, write_head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.line import Line, digest, read, write
from edgekit.ward.audit.segments import SEGMENT_BYTES, segment_name, segments, writing_alone

OWN = "the audit"
"""Who writes of the log itself."""


class Log:
    """The lines in ``folder``, which is made where it is missing. Any thread may append.

    ``least`` is a head that the audit once had: where fewer lines are there, the next has a number behind that.
    """

    def __init__(self, folder: Path, keys: AuditKeys, clock: Callable[[], Moment], least: Head = NONE) -> None:
        self._folder = folder
        self._keys = keys
        self._clock = clock
        self._thread = threading.Lock()
        self._end = End()
        self._head = least
        self._sure = False  # whether both are what this process wrote, all of it
        with writing(folder):
            make_private(folder)
            with writing_alone(folder):
                if not segments(folder):
                    begin_head(folder, keys.head)

    def append(self, event: Event, who: str, facts: Mapping[str, Any]) -> Line:
        """Write a line and return it; where the disk refuses it, :class:`~edgekit.errors.EdgeKitError`: none stands."""
        with self._thread, writing(self._folder), writing_alone(self._folder):
            self._find()
            return self._write(event, who, facts)

    def _find(self) -> None:
        """Where the next line goes. What a crash left is set aside, and a head that is missing is told."""
        if self._sure and self._is_current():
            return
        there = read_head(self._folder, self._keys.head)
        self._head = max(there or NONE, self._head, key=lambda head: head.seq)  # not older than what is known
        end = find_end(self._folder, self._keys.lines, self._head if there or self._head.seq else None)
        self._end = replace(end, torn=b"")
        if end.torn:
            self._set_aside(end.torn)
        if there is None:
            self._write("unsealed", OWN, {})

    def _is_current(self) -> bool:
        """Whether nobody else has written since."""
        paths, end = segments(self._folder), self._end
        if end.segment is None or not paths or paths[-1] != end.segment:
            return False
        return end.segment.stat().st_size == end.size and read_head(self._folder, self._keys.head) == self._head

    def _set_aside(self, torn: bytes) -> None:
        assert self._end.segment is not None
        name = f"{self._end.segment.stem}-{self._end.size}.torn"
        write_bytes(self._folder / name, torn, mode=0o600)
        facts = {"bytes": len(torn), "sha256": digest(torn), "file": name}
        self._write("set_aside", OWN, facts, over=True)

    def _write(self, event: Event, who: str, facts: Mapping[str, Any], over: bool = False) -> Line:
        """Write a line; ``over`` what a crash left, which must be gone, and so in the same file."""
        moment, end = self._clock(), self._end
        says = {"event": event, "who": who, **facts}
        raw = write(self._keys.lines, moment, end.seq + 1, end.digest, says) + b"\n"
        full = end.size and not over and (end.size + len(raw) > SEGMENT_BYTES or end.day != moment.day)
        path = end.segment if end.segment is not None and not full else self._folder / segment_name(end.seq + 1)
        size = end.size if path == end.segment else 0
        line = read(self._keys.lines, raw[:-1])
        assert line is not None, "what is written can be read"
        head = Head(line.seq, line.mac)
        self._sure = False
        self._put(path, size, raw, head)
        day = end.day if size else moment.day
        self._end = End(segment=path, size=size + len(raw), day=day, seq=line.seq, digest=line.digest)
        self._head, self._sure = head, True
        return line

    def _put(self, path: Path, size: int, raw: bytes, head: Head) -> None:
        """Have a line stand at ``size`` in a file, and the head say so; or nothing there."""
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
        try:
            give_to_owner_of_folder(descriptor, self._folder)
            try:
                written = 0
                while written < len(raw):
                    written += os.pwrite(descriptor, raw[written:], size + written)
                os.ftruncate(descriptor, size + len(raw))  # of what a crash left there, more may be behind it
                os.fsync(descriptor)
                if size == 0:
                    flush_folder(self._folder)
                write_head(self._folder, self._keys.head, head)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                    os.fsync(descriptor)
                raise
        finally:
            os.close(descriptor)
