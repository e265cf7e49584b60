"""Is an audit whole? Every line, its place, and where the last one ought to be.

In: the folder, the key, and a head that was written down elsewhere, if there is one. Out: how many lines there are, and
the first thing that is wrong. Whoever lacks the key can neither change a line nor add one; whoever can write the folder
can put an older state of it back whole, and only a head from elsewhere shows that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgekit.errors import EdgeKitError, GateRefused
from edgekit.ward.audit.end import last_line
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.line import BEGINNING, Line, read
from edgekit.ward.audit.segments import first_of, read_segment, segments
from edgekit.ward.audit.snapshot import snapshot

What: TypeAlias = Literal["changed", "removed", "reordered", "renamed", "truncated", "unsealed", "another"]
_WORDS: dict[What, str] = {
    "changed": "Line {line} is not what was written",
    "removed": "Line {line} is missing",
    "reordered": "Another line stands in the place of line {line}",
    "renamed": "The file that begins with line {line} has another's name",
    "truncated": "The audit is cut off: line {line} and what followed it is missing",
    "unsealed": "The head beside the lines is missing or was changed before line {line}: others may have been cut off",
    "another": "Line {line} is not the one that the head names",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong, with the line of this number, in this file ("" where it is in none)."""

    what: What
    line: int
    file: str

    def __str__(self) -> str:
        place = f" ({self.file})" if self.file else ""
        return _WORDS[self.what].format(line=self.line) + place


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What came of verifying: the lines that are whole and in their place, up to the first ``fault`` (None: all are).

    ``head`` is the last line's; ``first`` and ``last`` are when those were written; ``torn_bytes`` are what a crash
    left of a line that nobody was told of.
    """

    lines: int
    head: Head
    fault: Fault | None
    files: int
    first: str
    last: str
    torn_bytes: int

    @property
    def ok(self) -> bool:
        return self.fault is None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        fault = self.fault
        wrong = None if fault is None else {**vars(fault), "message": str(fault)}
        return {"ok": self.ok, **vars(self), "head": str(self.head), "fault": wrong}


class _Wrong(Exception):
    def __init__(self, fault: What, line: int, path: Path | None = None) -> None:
        self.fault = Fault(fault, line, path.name if path else "")


class _Walk:
    """Goes through the lines, and remembers what it has seen."""

    def __init__(self, folder: Path, keys: AuditKeys, heads: tuple[Head, ...]) -> None:
        seen = snapshot(folder, keys)
        self.sealed, self._sizes = seen.head, seen.sizes
        self._key = keys.lines
        self._heads = heads if self.sealed is None else (*heads, self.sealed)
        self.files = len(self._sizes)
        self.seq, self.mac, self._digest = 0, NONE.mac, BEGINNING
        self.first = self.last = ""
        self.torn_bytes = 0

    def all(self) -> None:
        """Raise :class:`_Wrong` at the first fault."""
        for path, size in self._sizes.items():
            self._file(path, read_segment(path, size))
        if self.sealed is None:
            raise _Wrong("unsealed", self.seq + 1)
        if any(head.seq > self.seq for head in self._heads):
            raise _Wrong("truncated", self.seq + 1)

    def _file(self, path: Path, content: bytes) -> None:
        at = 0
        while at < len(content):
            end = content.find(b"\n", at)
            line = read(self._key, content[at:end]) if end >= 0 else None
            if line is None:
                if self._is_torn(path, content, at):
                    self.torn_bytes = len(content) - at
                    return
                raise _Wrong("changed", self.seq + 1, path)
            self._line(path, line)
            if at == 0 and line.seq != first_of(path.name):
                raise _Wrong("renamed", line.seq, path)
            at = end + 1

    def _is_torn(self, path: Path, content: bytes, at: int) -> bool:
        """Whether what is not a line is what a crash left: at the very end, and nobody was told that it stands."""
        behind = last_line(content, self._key)[1] <= at and path == [*self._sizes][-1]
        return behind and self.sealed is not None and self.sealed.seq <= self.seq

    def _line(self, path: Path, line: Line) -> None:
        if line.seq != self.seq + 1:
            raise _Wrong("removed" if line.seq > self.seq else "reordered", self.seq + 1, path)
        if line.previous != self._digest:
            raise _Wrong("reordered", line.seq, path)
        if any(head.seq == line.seq and head.mac != line.mac for head in self._heads):
            raise _Wrong("another", line.seq, path)
        if line.fields["event"] == "unsealed":
            raise _Wrong("unsealed", line.seq, path)
        self.seq, self.mac, self._digest = line.seq, line.mac, line.digest
        self.last = str(line.fields["time"])
        self.first = self.first or self.last


def verify(folder: Path, key: bytes, *heads: Head) -> Verified:
    """Go through an audit, and hold it against ``heads`` that were written down elsewhere.

    :class:`~edgekit.errors.EdgeKitError` where there is none, or it can't be read.
    """
    require_audit(folder)
    walk = _Walk(folder, AuditKeys.of(key), heads)
    fault = None
    try:
        walk.all()
    except _Wrong as wrong:
        fault = wrong.fault
    return Verified(
        lines=walk.seq,
        head=Head(walk.seq, walk.mac),
        fault=fault,
        files=walk.files,
        first=walk.first,
        last=walk.last,
        torn_bytes=walk.torn_bytes,
    )


def require_whole(verified: Verified) -> None:
    """Raise :class:`~edgekit.errors.GateRefused` where an audit isn't whole: what is wrong first, and what to do."""
    if verified.fault is not None:
        hint = (
            "Keep the folder as it is, find out who could write it, and compare it with a backup and the daily heads."
        )
        if verified.lines == 0 and verified.fault.what == "changed":
            hint = "Where no line verifies, the key may be another ward's. Else: " + hint
        raise GateRefused(str(verified.fault), hint)


def current_head(folder: Path, key: bytes) -> Head:
    """Return the head of a whole audit; errors as of :func:`verify` and :func:`require_whole`."""
    verified = verify(folder, key)
    require_whole(verified)
    return verified.head


def lines(folder: Path, key: bytes) -> Iterator[Line]:
    """Yield each line that was written with this key, whatever became of the others."""
    lines_key = AuditKeys.of(key).lines
    for path in segments(folder):
        for raw in read_segment(path).split(b"\n"):
            if (line := read(lines_key, raw)) is not None:
                yield line


def require_audit(folder: Path) -> None:
    """Raise :class:`~edgekit.errors.EdgeKitError` where there is no audit in ``folder``."""
    if not folder.is_dir():
        raise EdgeKitError(
            f"There is no audit in {folder}",
            "The service begins one. Set EDGEKIT_STATE where it keeps its state elsewhere.",
        )
