"""Encodings of single frames that pydicom does not read, or not whole: 12-bit JPEG, deflated and bare frames."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from edgekit.errors import MissingExtra
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset


def jpeg_12(encoded: bytes, header: Dataset) -> Values:
    """Return a grey frame of 12-bit JPEG, any of the processes with a discrete cosine transform,
    uint16 ``[rows, columns]``.

    By GDCM, which decodes what pydicom's plugin for it refuses to hand over (pydicom 3.0). GDCM chooses among its
    decoders by the bits allocated: 16 would first try the one for 16 bits, which complains on stderr.
    """
    try:
        import gdcm
    except ImportError:
        raise MissingExtra("Reading 12-bit JPEG", "dicom") from None
    if header.SamplesPerPixel != 1:
        raise Unusable("12-bit JPEG in colour is not supported")
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
        raise Unusable("its JPEG is damaged")
    samples = np.frombuffer(decoded.encode("utf-8", "surrogateescape"), "<u2")  # GDCM gives bytes as text
    return samples.reshape(header.Rows, header.Columns).astype(np.uint16)


def inflate(encoded: bytes, size: int) -> bytes:
    """Return a frame of Deflated Image Frame Compression (PS3.5 8.2.16): at most ``size`` bytes are inflated."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(encoded, size)
