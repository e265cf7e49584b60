"""Whether a database's log is what was written: SQLite alone would end at the first frame that is not, in silence, and
forget what was acknowledged after it.

A log ends where a power cut came, with frames of one transaction that nobody was told of. Where two transactions end
behind a frame that is not what was written, the first of them was acknowledged: each is on the disk before the next
begins. Format: "WAL-mode File Format" of sqlite.org's fileformat2.html; SQLCipher encrypts pages, and neither headers
nor checksums.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from edgekit.ward.database import Damaged

_HEADER, _FRAME = struct.Struct(">8I"), struct.Struct(">6I")
_ORDERS = {0x377F0682: "<", 0x377F0683: ">"}
_TRIES, _WAIT_S = 3, 0.1
"""Another process may be writing it just now."""
_Sums: TypeAlias = tuple[int, int]


def require_whole_log(path: Path) -> None:
    """Refuse a database whose log has lost what was acknowledged, before SQLite opens it and leaves that out.

    :class:`~edgekit.ward.database.Damaged` says what can be done.
    """
    log = path.with_name(f"{path.name}-wal")
    for _ in range(_TRIES):
        if not _is_damaged(log):
            return
        time.sleep(_WAIT_S)
    raise Damaged(
        f"{log} is damaged: what was written last stands behind bytes that are not what was written",
        f"Stop the service and restore a backup (edgekit restore). To go on without what was written last, move {log} "
        "aside.",
    )


@dataclass(frozen=True)
class _Frame:
    """A page of the log; ``ends`` says whether a transaction ends with it, ``sums`` are the checksums it claims."""

    salts: _Sums
    ends: bool
    sums: _Sums
    summed: bytes


def _is_damaged(log: Path) -> bool:
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return False
    if len(content) <= _HEADER.size:
        return False
    magic, _, page_bytes, _, *salts_and_sums = _HEADER.unpack_from(content)
    salts, order = tuple(salts_and_sums[:2]), _ORDERS.get(magic, "")
    sums = _add((0, 0), content[:24], order) if order else (0, 0)
    if not order or sums != tuple(salts_and_sums[2:]):
        return any(content[_HEADER.size :])  # the header is on the disk before any frame is
    ends, whole = 0, True
    for frame in _frames(content, page_bytes):
        if whole:
            sums = _add(sums, frame.summed, order)
            whole = frame.salts == salts and frame.sums == sums
        if not whole:
            ends += frame.ends and frame.salts == salts
    return ends >= 2


def _frames(content: bytes, page_bytes: int) -> Iterator[_Frame]:
    """The whole frames of a log. What was there before it began anew has other salts."""
    step = _FRAME.size + page_bytes
    for start in range(_HEADER.size, len(content) - step + 1, step):
        _, size, *rest = _FRAME.unpack_from(content, start)
        page = content[start + _FRAME.size : start + step]
        yield _Frame((rest[0], rest[1]), size != 0, (rest[2], rest[3]), content[start : start + 8] + page)


def _add(sums: _Sums, content: bytes, order: str) -> _Sums:
    """The checksums after more bytes: over pairs of words, each sum added to the other."""
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second
