"""Colour pictures: RGB of any depth, and indices into a palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgekit.inputs.grey import Shades, Values

if TYPE_CHECKING:
    from pydicom import Dataset


def is_palette(header: Dataset) -> bool:
    return bool(header.get("PhotometricInterpretation") == "PALETTE COLOR")


def colour(stored: Values, header: Dataset) -> Shades:
    """RGB of any depth, or indices into a palette, as 8-bit RGB: the high byte, whatever fills the low ones."""
    depth = int(header.get("BitsStored") or 8)
    if is_palette(header):
        from pydicom.pixels import apply_color_lut

        _swap_palette(header)
        stored = apply_color_lut(stored, header)
        depth = stored.dtype.itemsize * 8
    return (stored >> max(0, depth - 8)).astype(np.uint8)


def _swap_palette(header: Dataset) -> None:
    """Turn a big-endian file's palette round: pydicom reads its entries as little-endian.

    It does so with plain tables only; segmented ones it reads as they are written.
    """
    if header.original_encoding[1]:
        return
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableData"
        if keyword in header:
            header[keyword].value = np.frombuffer(header[keyword].value, ">u2").astype("<u2").tobytes()
