"""Encodings of single frames that pydicom does not read, or not whole: 12-bit JPEG, deflated and bare frames."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from edgekit.errors import MissingExtra
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset

# The markers that begin a frame, with the precision of its samples (ISO 10918-1 B.2.2, 14495-1 C.2.2).
_FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_ALONE = {0x01, 0xFF, *range(0xD0, 0xD9)}  # markers without a length


def precision(encoded: bytes) -> int | None:
    """Bits of a sample in a JPEG, JPEG-LS or JPEG 2000 codestream; None where it doesn't say."""
    from pydicom.pixels.utils import get_j2k_parameters

    at = _frame_header(encoded)
    if at is not None:
        return encoded[at]
    bits: int | None = get_j2k_parameters(encoded).get("precision")
    return bits


def _frame_header(encoded: bytes) -> int | None:
    """Where a JPEG's frame header begins: a byte of precision, then rows and columns, two bytes each."""
    at = 2
    while encoded[:2] == b"\xff\xd8" and at + 8 < len(encoded) and encoded[at] == 0xFF:
        marker = encoded[at + 1]
        if marker in _FRAME_HEADERS:
            return at + 4
        at += 1 if marker == 0xFF else 2 if marker in _ALONE else 2 + int.from_bytes(encoded[at + 2 : at + 4], "big")
    return None


def jpeg_12(encoded: bytes, header: Dataset) -> Values:
    """A grey frame of 12-bit JPEG, any of the processes with a discrete cosine transform, uint16 ``[rows, columns]``.

    By GDCM, which decodes what pydicom's plugin for it refuses to hand over (pydicom 3.0). GDCM chooses among its
    decoders by the bits allocated: 16 would first try the one for 16 bits, which complains on stderr.
    """
    try:
        import gdcm
    except ImportError:
        raise MissingExtra("Reading 12-bit JPEG", "dicom") from None
    if header.SamplesPerPixel != 1:
        raise ValueError("12-bit JPEG in colour is not supported")
    at = _frame_header(encoded) or 0
    size = int.from_bytes(encoded[at + 1 : at + 3], "big"), int.from_bytes(encoded[at + 3 : at + 5], "big")
    if size != (header.Rows, header.Columns):
        raise ValueError(f"its JPEG has {size[0]} rows of {size[1]}, not {header.Rows} of {header.Columns}")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(encoded)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((header.Columns, header.Rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 12, 12, 11, 0))
    decoded = image.GetBuffer()
    if decoded is None:
        raise ValueError("its JPEG is damaged")
    samples = np.frombuffer(decoded.encode("utf-8", "surrogateescape"), "<u2")  # GDCM gives bytes as text
    return samples.reshape(header.Rows, header.Columns).astype(np.uint16)


def inflate(encoded: bytes, size: int) -> bytes:
    """A frame of Deflated Image Frame Compression (PS3.5 8.2.16): at most ``size`` bytes are inflated."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(encoded, size)
