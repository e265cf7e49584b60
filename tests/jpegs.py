"""JPEG frames written here, of which each sample is known before any decoder has seen them (ISO 10918-1)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

SEQUENTIAL, PROGRESSIVE, LOSSLESS = 0xC1, 0xC2, 0xC3


def flat_blocks(means: npt.NDArray[Any], bits: int = 12, frame: int = SEQUENTIAL) -> bytes:
    """Blocks of 8 x 8 samples of one value each: ``[blocks down, blocks across]``, of 8 or 12 bits.

    A block's first coefficient is 8 × (mean − half the range); quantized by 8, it is coded without a loss.
    """
    levels = means.astype(int) - 2 ** (bits - 1)
    steps = [_difference(int(step)) for step in np.diff(levels.ravel(), prepend=0)]
    quantization = _segment(0xDB, b"\0" + b"\x08" * 64)
    ends_of_block = _segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")  # the only other code: one bit, 0
    rows, columns = (8 * side for side in means.shape)
    if frame == PROGRESSIVE:
        scans = _scan(0, 0, "".join(steps)) + _scan(1, 63, "0" * len(steps))
    else:
        scans = _scan(0, 63, "".join(step + "0" for step in steps))
    return _file(quantization + ends_of_block, frame, bits, (rows, columns), scans)


def lossless(values: npt.NDArray[Any], bits: int) -> bytes:
    """Any samples, each predicted by the one to the left (selection value 1)."""
    wide = values.astype(int)
    predicted = np.empty_like(wide)
    predicted[:, 1:] = wide[:, :-1]
    predicted[1:, 0] = wide[:-1, 0]
    predicted[0, 0] = 2 ** (bits - 1)
    steps = (wide - predicted + 2**15 - 1) % 2**16 - 2**15 + 1
    code = "".join(_difference(int(step)) for step in steps.ravel())
    return _file(b"", LOSSLESS, bits, values.shape, _scan(1, 0, code))


def _difference(step: int) -> str:
    """The bits of a difference: its category by a code of 5 bits, then its amplitude (F.1.2.1, H.1.2.2)."""
    category = abs(step).bit_length()
    amplitude = step if step > 0 else step + 2**category - 1
    return f"{category:05b}" + (f"{amplitude:0{category}b}" if 0 < category < 16 else "")


def _scan(first: int, last: int, code: str) -> bytes:
    code += "1" * (-len(code) % 8)
    data = int(code, 2).to_bytes(len(code) // 8, "big").replace(b"\xff", b"\xff\0")
    return _segment(0xDA, bytes([1, 1, 0, first, last, 0])) + data


def _file(tables: bytes, frame: int, bits: int, size: tuple[int, ...], scans: bytes) -> bytes:
    categories = _segment(0xC4, b"\0" + bytes([0] * 4 + [17] + [0] * 11) + bytes(range(17)))
    header = _segment(frame, struct.pack(">BHHB", bits, *size, 1) + b"\1\x11\0")
    return b"\xff\xd8" + tables + categories + header + scans + b"\xff\xd9"


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
