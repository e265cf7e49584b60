"""PNG and TIFF files of kinds that Pillow doesn't write, by the specifications (PNG third edition, TIFF 6.0)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Order = Literal["<", ">"]
_COLOUR_TYPES = {1: 0, 3: 2, 2: 4, 4: 6}


def png(samples: Values, *extra: tuple[bytes, bytes]) -> bytes:
    """``samples`` uint8 or uint16 ``[rows, columns, channels]``: grey, grey and alpha, RGB or RGBA; chunks beside."""
    rows, columns, channels = samples.shape
    depth = samples.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", columns, rows, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    above = np.zeros_like(samples[0])
    lines = []
    for at, row in enumerate(samples):  # unfiltered and "up" by turns
        stored = row.astype(row.dtype.newbyteorder(">")).tobytes()
        before = above.astype(above.dtype.newbyteorder(">")).tobytes()
        up = (np.frombuffer(stored, np.uint8) - np.frombuffer(before, np.uint8)).tobytes()
        lines.append(b"\2" + up if at % 2 else b"\0" + stored)
        above = row
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(samples: Values, photometric: int, *, order: Order = "<", deflate: bool = False, **tags: Any) -> bytes:
    """``samples`` ``[rows, columns, channels]`` of any dtype; ``tags`` may be ``planar``, and numbers (``t274=6``)."""
    planar = tags.pop("planar", False)
    rows, columns, channels = samples.shape
    stored = samples.astype(samples.dtype.newbyteorder(order))
    planes = [stored[..., channel] for channel in range(channels)] if planar else [stored]
    strips = [zlib.compress(plane.tobytes()) if deflate else plane.tobytes() for plane in planes]
    bits = samples.dtype.itemsize * 8
    entries = {
        256: [columns], 257: [rows], 258: [bits] * channels, 259: [8 if deflate else 1], 262: [photometric],
        273: [0] * len(strips), 277: [channels], 278: [rows], 279: [len(strip) for strip in strips],
        284: [2 if planar else 1], 339: [{"u": 1, "i": 2, "f": 3}[samples.dtype.kind]] * channels,
        **{int(tag[1:]): [value] for tag, value in tags.items()},
    }  # fmt: skip
    return _file(entries, strips, order)


def _file(entries: dict[int, list[int]], strips: Sequence[bytes], order: str) -> bytes:
    def packed(values: Sequence[int]) -> bytes:
        return struct.pack(f"{order}{len(values)}I", *values)

    beside = 8 + 2 + 12 * len(entries) + 4
    pixels = beside + sum(len(packed(values)) for values in entries.values() if len(values) > 1)
    entries[273] = [pixels + sum(map(len, strips[:at])) for at in range(len(strips))]
    table = tail = b""
    for tag, values in sorted(entries.items()):
        field = packed(values)
        if len(values) > 1:
            field, tail = packed([beside + len(tail)]), tail + field
        table += struct.pack(order + "HHI", tag, 4, len(values)) + field  # type 4: LONG
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return head + table + b"\0\0\0\0" + tail + b"".join(strips)
