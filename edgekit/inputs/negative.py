"""TIFF pictures whose zero is white, of depths that Pillow knows only with black for zero: film digitizers' among them.

The tag that says so is turned round in a copy of the file (TIFF 6.0, section 2); who reads the copy inverts it.
"""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import BinaryIO

_PHOTOMETRIC = 262
_SHORT, _LONG = 3, 4
_BLACK_IS_ZERO = 1
_LARGEST = 512 * 2**20  # bytes: twice what the largest picture takes
_MOST_PAGES = 4096
_MOST_TAGS = 512


def black_is_zero(stream: BinaryIO) -> tuple[io.BytesIO, list[bool]]:
    """Return a copy of a TIFF in which every zero is black, and of each page whether it was white.

    Whatever is damaged is copied as far as it makes sense, and nothing of what is too large or BigTIFF: it is for the
    decoder to refuse.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    tiff = bytearray(stream.read() if size <= _LARGEST else b"")
    white: list[bool] = []
    if tiff.startswith((b"II*\0", b"MM\0*")):
        with suppress(struct.error):
            _turn_pages(tiff, white)
    return io.BytesIO(tiff), white


def _turn_pages(tiff: bytearray, white: list[bool]) -> None:
    order = "<" if tiff.startswith(b"II") else ">"
    (page,) = struct.unpack_from(order + "I", tiff, 4)
    while page and len(white) < _MOST_PAGES:
        (count,) = struct.unpack_from(order + "H", tiff, page)
        entries = range(page + 2, page + 2 + 12 * min(count, _MOST_TAGS), 12)
        white.append(sum(_turned(tiff, entry, order) for entry in entries) > 0)
        (page,) = struct.unpack_from(order + "I", tiff, page + 2 + 12 * count)


def _turned(tiff: bytearray, entry: int, order: str) -> bool:
    """Whether the entry said that zero is white, which it then says no more."""
    tag, kind = struct.unpack_from(order + "HH", tiff, entry)
    if tag != _PHOTOMETRIC or kind not in (_SHORT, _LONG):
        return False
    value = order + ("H" if kind == _SHORT else "I")
    if struct.unpack_from(value, tiff, entry + 8) != (0,):
        return False
    struct.pack_into(value, tiff, entry + 8, _BLACK_IS_ZERO)
    return True
