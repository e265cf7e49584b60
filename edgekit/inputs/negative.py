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
    data = bytearray(stream.read() if size <= _LARGEST else b"")
    white: list[bool] = []
    if data.startswith((b"II*\0", b"MM\0*")):
        with suppress(struct.error):
            _turn_pages(data, white)
    return io.BytesIO(data), white


def _turn_pages(data: bytearray, white: list[bool]) -> None:
    order = "<" if data.startswith(b"II") else ">"
    (page,) = struct.unpack_from(order + "I", data, 4)
    while page and len(white) < _MOST_PAGES:
        (count,) = struct.unpack_from(order + "H", data, page)
        entries = range(page + 2, page + 2 + 12 * min(count, _MOST_TAGS), 12)
        white.append(sum(_turned(data, entry, order) for entry in entries) > 0)
        (page,) = struct.unpack_from(order + "I", data, page + 2 + 12 * count)


def _turned(data: bytearray, entry: int, order: str) -> bool:
    """Whether the entry said that zero is white, which it then says no more."""
    tag, kind = struct.unpack_from(order + "HH", data, entry)
    if tag != _PHOTOMETRIC or kind not in (_SHORT, _LONG):
        return False
    value = order + ("H" if kind == _SHORT else "I")
    if struct.unpack_from(value, data, entry + 8) != (0,):
        return False
    struct.pack_into(value, data, entry + 8, _BLACK_IS_ZERO)
    return True
