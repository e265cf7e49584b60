"""Colour pictures: RGB of any depth, and indices into a palette (PS3.3 C.7.6.3.1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.dicom.lut import read_table
from edgekit.inputs.dicom.segments import check_segments
from edgekit.inputs.grey import Shades, Values

if TYPE_CHECKING:
    from pydicom import Dataset


def is_palette(header: Dataset) -> bool:
    """Tell whether the stored values are indices into a palette."""
    return bool(header.get("PhotometricInterpretation") == "PALETTE COLOR")


def colour(stored: Values, header: Dataset, words: str, notes: list[str]) -> Shades:
    """Return RGB of any depth, or indices into a palette, as 8-bit RGB: the high byte, whatever fills the low ones."""
    depth = int(header.get("BitsStored") or 8)
    if is_palette(header):
        stored, depth = _palette(stored, header, words, notes)
    return (stored >> max(0, depth - 8)).astype(np.uint8)


def _palette(stored: Values, header: Dataset, words: str, notes: list[str]) -> tuple[Values, int]:
    """The colours of indices, and the bits that a colour has."""
    if "SegmentedRedPaletteColorLookupTableData" in header and "RedPaletteColorLookupTableData" not in header:
        return _segmented(stored, header, words)
    signed = header.get("PixelRepresentation") == 1
    tables = [
        read_table(header, words, notes, stem=f"{name}PaletteColorLookupTable", signed=signed)
        for name in ("Red", "Green", "Blue")
    ]
    return np.stack([table(stored) for table in tables], axis=-1), max(table.bits for table in tables)


def _segmented(stored: Values, header: Dataset, words: str) -> tuple[Values, int]:
    """A palette written as line segments (PS3.3 C.7.9.2), which pydicom draws out; its index has an entry's bits."""
    from pydicom.pixels import apply_color_lut

    count, _, bits = header.RedPaletteColorLookupTableDescriptor
    if bits not in (8, 16):
        raise Unusable(f"a segmented palette of {bits} bits an entry is not supported")
    if bits == 8 and not 0 < count <= 256:
        raise Unusable("a segmented palette with more than 256 entries of 8 bits is not supported")
    order = "u1" if bits == 8 else words
    for name in ("Red", "Green", "Blue", "Alpha"):
        data = header.get(f"Segmented{name}PaletteColorLookupTableData") or b""
        check_segments(np.frombuffer(data, order, len(data) // np.dtype(order).itemsize).tolist(), 32 // bits)
    colours = apply_color_lut(stored, header)[..., :3]
    return colours, colours.dtype.itemsize * 8
