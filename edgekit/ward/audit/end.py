"""Where an audit ends: its last line, and what lies behind that which is no line.

A process that is killed, or loses its power, while it writes a line leaves a part of it. Nobody was told that the line
stands, and the head beside the lines says so. Where the head says that a line did stand, what is there of it was
changed by somebody: it is left where it is, and lines go on in a file of their own, with a number missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.line import BEGINNING, Line, read
from edgekit.ward.audit.segments import first_of, read_segment, segments


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of an audit.

    * ``segment``: the file that goes on, None where the next line begins a new one; ``size``: its bytes up to the end
      of its last line; ``day``: on which it was begun, "" while it has no line
    * ``seq``: the number of the last line, whether it is there or not; ``digest``: the hash that the next line names
    * ``torn``: bytes behind the last line that a crash left
    """

    segment: Path | None = None
    size: int = 0
    day: str = ""
    seq: int = 0
    digest: str = BEGINNING
    torn: bytes = b""


def find_end(folder: Path, key: bytes, head: Head | None) -> End:
    """Find where the next line goes, by the lines and by the ``head`` that lies beside them (None: it is missing).

    :class:`~edgekit.errors.EdgeKitError` where there are lines, and neither one of them nor the head was written with
    this ``key``.
    """
    behind: list[tuple[Path, bytes]] = []  # of the last line that verifies
    for path in reversed(segments(folder)):
        content = read_segment(path)
        line, size = last_line(content, key)
        if line is not None:
            here = End(segment=path, size=size, day=_day(content, key), seq=line.seq, digest=line.digest)
            return _end(here, content[size:], behind[::-1], head or NONE)
        behind.append((path, content))
    if head is None and any(content for _, content in behind):
        raise EdgeKitError(
            f"None of the lines in {folder} was written with this ward's key",
            "Bring the key back that they were written with, or move the folder away, which begins a new audit.",
        )
    return _end(End(), b"", behind[::-1], head or NONE)


def _end(last: End, rest: bytes, behind: list[tuple[Path, bytes]], head: Head) -> End:
    """The end behind the line of ``last``, with the ``rest`` of its file and the files ``behind`` it."""
    if head.seq <= last.seq and not behind:
        return replace(last, torn=rest)
    if head.seq <= last.seq and not rest and len(behind) == 1:
        path, content = behind[0]
        if first_of(path.name) == last.seq + 1:  # a crash at its first line
            return End(segment=path, seq=last.seq, digest=last.digest, torn=content)
    lines = [first_of(path.name) - 1 + len(content.splitlines()) for path, content in behind]
    return End(seq=max(last.seq + len(rest.splitlines()), head.seq, *lines), digest=last.digest)


def _day(content: bytes, key: bytes) -> str:
    first = read(key, content[: content.find(b"\n")])
    return first.day if first else ""


def last_line(content: bytes, key: bytes) -> tuple[Line | None, int]:
    """The last line that verifies, and where its end is."""
    stop = len(content)
    while (end := content.rfind(b"\n", 0, stop)) >= 0:
        line = read(key, content[content.rfind(b"\n", 0, end) + 1 : end])
        if line is not None:
            return line, end + 1
        stop = end
    return None, 0
