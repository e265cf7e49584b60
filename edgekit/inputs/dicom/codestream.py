"""What encoded frames say of themselves: JPEG, JPEG-LS and JPEG 2000 have headers of their own.

Decoders go by those, and take memory for as much as stands there, before anybody can compare it with the DICOM header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edgekit.inputs.dicom.header import Unusable

if TYPE_CHECKING:
    from pydicom import Dataset

# The markers that begin a frame, with the precision of its samples (ISO 10918-1 B.2.2, 14495-1 C.2.2).
_FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_ALONE = {0x01, 0xFF, *range(0xD0, 0xD9)}  # markers without a length
_SIZE = b"\xff\x4f\xff\x51"  # how JPEG 2000 begins (ISO 15444-1 A.4.1, A.5.1)


class Extent(NamedTuple):
    """A codestream's size in pixels, and the samples of a pixel."""

    rows: int
    columns: int
    samples: int


def precision(encoded: bytes) -> int | None:
    """Return bits of a sample in a JPEG, JPEG-LS or JPEG 2000 codestream; None where it doesn't say."""
    from pydicom.pixels.utils import get_j2k_parameters

    at = _frame_header(encoded)
    if at is not None:
        return encoded[at]
    bits: int | None = get_j2k_parameters(encoded).get("precision")
    return bits


def check_extent(encoded: bytes, header: Dataset) -> None:
    """Raise :class:`Unusable` for a codestream of another size, or of more samples, than ``header`` says."""
    extent = _extent(encoded)
    if extent is None:
        raise Unusable("its pixels have no header that says how large they are")
    if extent[:2] != (header.Rows, header.Columns):
        raise Unusable(
            f"its encoded pixels are {extent.rows} rows of {extent.columns}, not {header.Rows} of {header.Columns}"
        )
    if extent.samples > header.SamplesPerPixel:
        raise Unusable(f"its encoded pixels have {extent.samples} samples each, not {header.SamplesPerPixel}")


def _extent(encoded: bytes) -> Extent | None:
    at = _frame_header(encoded)
    if at is not None:
        return Extent(_number(encoded, at + 1, 2), _number(encoded, at + 3, 2), _number(encoded, at + 5, 1))
    start = _codestream(encoded)
    if encoded[start : start + 4] != _SIZE:
        return None
    right, bottom, left, top = (_number(encoded, start + place, 4) for place in (8, 12, 16, 20))
    return Extent(bottom - top, right - left, _number(encoded, start + 40, 2))


def _frame_header(encoded: bytes) -> int | None:
    """Where a JPEG's frame header begins: a byte of precision, rows and columns of two bytes, a byte of samples."""
    at = 2
    while encoded[:2] == b"\xff\xd8" and at + 9 < len(encoded) and encoded[at] == 0xFF:
        marker = encoded[at + 1]
        if marker in _FRAME_HEADERS:
            return at + 4
        at += 1 if marker == 0xFF else 2 if marker in _ALONE else 2 + _number(encoded, at + 2, 2)
    return None


def _codestream(encoded: bytes) -> int:
    """Where JPEG 2000's codestream begins: at once, or in a box of the file format (ISO 15444-1 I.4)."""
    if encoded[4:8] != b"jP  ":
        return 0
    at = 0
    while encoded[at + 4 : at + 8] not in (b"jp2c", b""):
        length = _number(encoded, at, 4)
        at += _number(encoded, at + 8, 8) if length == 1 else max(length, 8)
    return at + (16 if _number(encoded, at, 4) == 1 else 8)


def _number(encoded: bytes, at: int, size: int) -> int:
    return int.from_bytes(encoded[at : at + size], "big")
