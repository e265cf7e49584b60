"""Pixel data as stored values: frame by frame, each sample's bits where its value is."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from edgekit.errors import MissingExtra
from edgekit.inputs.dicom import codecs
from edgekit.inputs.dicom.codestream import check_extent, precision
from edgekit.inputs.dicom.file import DicomFile
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.dicom.syntax import (
    BY_PRECISION,
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    GE_BIG_PIXELS,
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_PROGRESSIVE,
    JPEG_SPECTRAL,
    NATIVE,
    RLE,
    name_of,
)
from edgekit.inputs.grey import Values
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from pydicom import Dataset


def decode(file: DicomFile, frames: Iterable[int], notes: list[str]) -> Iterator[Values]:
    """Yield stored values of each frame asked for: ``[rows, columns]``, or ``[rows, columns, 3]`` as RGB.

    :class:`~edgekit.errors.MissingExtra` without a decoder that the extra ``dicom`` brings; :class:`Unusable` for what
    is known not to be readable, and anything that pydicom and its decoders raise.
    """
    high = _high_bit(file.header, file.keyword, notes)
    for frame in frames:
        if file.syntax in NATIVE:
            yield _align(_native(file, file.stream, file.start, frame), file.header, high)
        else:
            encoded = file.encoded(frame)
            bits = precision(encoded)
            values = _decompress(file, encoded, bits)
            as_encoded = high == file.header.BitsStored - 1 and file.syntax in BY_PRECISION
            yield values if as_encoded else _align(values, file.header, high, bits)


def _native(file: DicomFile, stream: BinaryIO, start: int, frame: int) -> Values:
    """Frame ``frame`` of uncompressed samples that begin at ``start``."""
    needed = -(-_frame_bits(file.header) * (frame + 1) // 8)
    stored = file.length if stream is file.stream else stream.seek(0, io.SEEK_END)
    if stored is not None and stored < needed:
        missing = format_bytes(needed - stored)
        raise Unusable(f"its pixels take {format_bytes(needed)}, of which {missing} are missing")
    stream.seek(start)
    big = file.syntax == EXPLICIT_BIG
    values = _by_pydicom(file, stream, EXPLICIT_BIG if big else EXPLICIT_LITTLE, frame)
    return values.byteswap() if file.syntax == GE_BIG_PIXELS else values


def _decompress(file: DicomFile, encoded: bytes, bits: int | None) -> Values:
    """One encoded frame, whose codestream says that its samples have so many bits."""
    from pydicom.encaps import encapsulate

    header, syntax = file.header, file.syntax
    if syntax == DEFLATED_FRAMES:
        encoded = codecs.inflate(encoded, -(-_frame_bits(header) // 8))
    if syntax in (DEFLATED_FRAMES, ENCAPSULATED_UNCOMPRESSED):
        return _native(file, io.BytesIO(encoded), 0, 0)
    if bits is not None and bits > header.BitsAllocated:
        raise Unusable(f"its samples have {bits} bits, and Bits Allocated is {header.BitsAllocated}")
    if syntax != RLE:
        check_extent(encoded, header)
    if syntax in (JPEG_EXTENDED, JPEG_SPECTRAL, JPEG_PROGRESSIVE):
        if bits == 12:
            return codecs.jpeg_12(encoded, header)
        syntax = JPEG_BASELINE  # whose decoders read the other processes with 8 bits too
    changes = {"number_of_frames": 1, "extended_offsets": None, "bits_stored": max(bits or 0, header.BitsStored)}
    return _by_pydicom(file, encapsulate([encoded]), syntax, 0, **changes)  # GDCM cuts off what isn't "stored"


def _by_pydicom(file: DicomFile, pixels: BinaryIO | bytes, syntax: str, frame: int, **changes: Any) -> Values:
    from pydicom.pixels import get_decoder

    decoder = get_decoder(syntax)
    if not decoder.is_available:
        raise MissingExtra(f"Reading {name_of(syntax)}", "dicom")
    values, properties = decoder.as_array(pixels, index=frame, **{**file.options, **changes})
    colours = properties["photometric_interpretation"]
    if values.ndim == 3 and colours not in ("RGB", "YBR_ICT", "YBR_RCT"):
        raise Unusable(f"colours of the kind {colours} are not supported")
    return np.asarray(values)


def _frame_bits(header: Dataset) -> int:
    """How many bits a frame takes uncompressed."""
    bits = int(header.Rows) * int(header.Columns) * int(header.SamplesPerPixel) * int(header.BitsAllocated)
    return bits * 2 // 3 if header.PhotometricInterpretation == "YBR_FULL_422" else bits


def _high_bit(header: Dataset, keyword: str, notes: list[str]) -> int:
    """The place of a sample's highest bit (PS3.5 8.1.1): Bits Stored − 1, except in old files."""
    stored: int | None = header.get("BitsStored")
    high: int | None = header.get("HighBit")
    if keyword != "PixelData":
        return 0  # floating point has no bits to choose
    if stored is None or not 1 <= stored <= header.BitsAllocated:
        said = "is missing" if stored is None else f"is {stored}, of {header.BitsAllocated} that are allocated"
        raise Unusable(f"Bits Stored {said}")
    if high is None or stored - 1 <= high < header.BitsAllocated:
        return stored - 1 if high is None else high
    notes.append(f"High Bit is left out: it is {high}, with {stored} of {header.BitsAllocated} bits stored.")
    return stored - 1


def _align(values: Values, header: Dataset, high: int, precision: int | None = None) -> Values:
    """Samples without what stands above and below their value: overlays, rubbish, or the room of left-justified ones.

    ``precision`` is what a codestream says: one that has no room for ``high`` holds the value alone.
    """
    if header.BitsAllocated == 1 or values.dtype.kind == "f":
        return values
    stored = int(header.BitsStored)
    if precision is not None and precision <= high:
        high = stored - 1
    allocated = 8 * values.dtype.itemsize
    return (values << (allocated - 1 - high)) >> (allocated - stored)  # keeps a sign
