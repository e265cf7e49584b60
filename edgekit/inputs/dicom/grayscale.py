"""Stored grey values as shades: modality, values of interest, which end is black, padding (PS3.4 N.2)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgekit.inputs.dicom.header import Unusable, numbers, optional, text, title
from edgekit.inputs.dicom.modality import Modality, read_modality
from edgekit.inputs.dicom.voi import read_voi
from edgekit.inputs.grey import Shades, Values, spread

if TYPE_CHECKING:
    from pydicom import Dataset


def grayscale(stored: Values, header: Dataset, words: str, notes: list[str]) -> Shades:
    """Return stored grey values as a viewer shows them; padding is black and does not count.

    Without a look-up table or window that can be used, the least value is black and the greatest white.
    """
    valid = ~_padding(stored, header, notes)
    modality = read_modality(header, words, notes)
    values = stored if modality is None else modality(stored)
    voi = read_voi(header, words, _below_zero(stored, modality), notes)
    shades = spread(values, valid) if voi is None else voi(values)
    if _inverted(header, notes):
        shades = 255 - shades
    return np.where(valid, shades, np.uint8(0))


def _below_zero(stored: Values, modality: Modality | None) -> bool:
    """Whether such values may be below 0, in this picture or in another of its kind."""
    if stored.dtype.kind == "f":
        return True
    ends = np.array([np.iinfo(stored.dtype).min, np.iinfo(stored.dtype).max], stored.dtype)
    values = ends if modality is None else modality(ends)
    return bool((values < 0).any())


def _inverted(header: Dataset, notes: list[str]) -> bool:
    """Whether the least value is white. Presentation LUT Shape decides where it is given, as in dcmtk and Weasis."""
    inverted = bool(header.get("PhotometricInterpretation") == "MONOCHROME1")
    shape = text(header, "PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted:
        notes.append(f"Presentation LUT Shape {shape} is followed, not {header.get('PhotometricInterpretation')}.")
        return not inverted
    return inverted


def _padding(stored: Values, header: Dataset, notes: list[str]) -> npt.NDArray[np.bool_]:
    """Where values stand for "nothing was measured here" (PS3.3 C.7.5.1.1.2), one value or a range."""
    nowhere = np.zeros(stored.shape, bool)
    if stored.dtype.kind not in "iu":
        return nowhere
    value = optional("The padding", partial(_stored, header, "PixelPaddingValue", stored.dtype), notes)
    if value is None:
        return nowhere
    limit = optional("The padding's other end", partial(_stored, header, "PixelPaddingRangeLimit", stored.dtype), notes)
    low, high = sorted((value, value if limit is None else limit))
    padding = np.asarray((stored >= low) & (stored <= high))
    return nowhere if padding.all() else padding


def _stored(header: Dataset, keyword: str, dtype: np.dtype[Any]) -> int | None:
    """A value as pixels have it: signed ones may be written unsigned, and the other way round, in 16 bits or theirs."""
    values, range_ = numbers(header, keyword), np.iinfo(dtype)
    if values is None:
        return None
    for turn in (0, -(2**16), 2**16, -(2**range_.bits)):
        if range_.min <= values[0] + turn <= range_.max:
            return int(values[0]) + turn
    raise Unusable(f"{title(keyword)} is {values[0]:g}, and pixels are {range_.min} to {range_.max}")
