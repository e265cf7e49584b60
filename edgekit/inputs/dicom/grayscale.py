"""Stored grey values as shades: modality, values of interest, which end is black, padding (PS3.4 N.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgekit.inputs.dicom.header import Unusable, numbers, optional, text, title
from edgekit.inputs.dicom.modality import Modality, Rescale, read_modality
from edgekit.inputs.dicom.voi import VOI, read_voi
from edgekit.inputs.grey import Shades, Values, spread

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Presentation:
    """How a picture's stored grey values are shown.

    * ``padding``: the least and the greatest stored value that stand for "nothing was measured here"; None: none do
    * ``modality``, ``voi``: the steps to the values of interest, and from those to shades; None where there is none
    * ``inverted``: whether the least of these values is white
    """

    padding: tuple[int, int] | None
    modality: Modality | None
    voi: VOI | None
    inverted: bool

    def __call__(self, stored: Values) -> Shades:
        """Return stored values as shades; padding is black and does not count.

        Without a look-up table or window, the least value is black and the greatest white.
        """
        valid = ~self.padded(stored)
        values = self.values(stored)
        shades = spread(values, valid) if self.voi is None else self.voi(values)
        if self.turned:
            shades = 255 - shades
        return np.where(valid, shades, np.uint8(0))

    def padded(self, stored: Values) -> npt.NDArray[np.bool_]:
        """Where stored values are padding (PS3.3 C.7.5.1.1.2); nowhere, if all of them would be."""
        nowhere = np.zeros(stored.shape, bool)
        if self.padding is None:
            return nowhere
        low, high = self.padding
        padding = np.asarray((stored >= low) & (stored <= high))
        return nowhere if padding.all() else padding

    def values(self, stored: Values) -> Values:
        """Return what the values of interest are chosen from. From the least to the greatest, a straight line shows
        whole numbers as well as what it makes of them, and without its rounding.
        """
        return stored if self.modality is None or self._is_straight else self.modality(stored)

    @property
    def turned(self) -> bool:
        """Whether shades of :meth:`values` are to be inverted."""
        return self.inverted != (self._is_straight and isinstance(self.modality, Rescale) and self.modality.slope < 0)

    @property
    def _is_straight(self) -> bool:
        return self.voi is None and isinstance(self.modality, Rescale)


def read_presentation(header: Dataset, dtype: np.dtype[Any], words: str, notes: list[str]) -> Presentation:
    """Read how stored values of a ``dtype`` are shown. What can't be used is noted, and counts as absent."""
    padding = _padding(header, dtype, notes)
    modality = read_modality(header, words, notes)
    voi = read_voi(header, words, _below_zero(dtype, modality), notes)
    return Presentation(padding, modality, voi, _inverted(header, notes))


def _below_zero(dtype: np.dtype[Any], modality: Modality | None) -> bool:
    """Whether such values may be below 0, in this picture or in another of its kind."""
    if dtype.kind == "f":
        return True
    ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
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


def _padding(header: Dataset, dtype: np.dtype[Any], notes: list[str]) -> tuple[int, int] | None:
    """The values that are padding, one or a range."""
    if dtype.kind not in "iu":
        return None
    value = optional("The padding", partial(_stored, header, "PixelPaddingValue", dtype), notes)
    if value is None:
        return None
    limit = optional("The padding's other end", partial(_stored, header, "PixelPaddingRangeLimit", dtype), notes)
    low, high = sorted((value, value if limit is None else limit))
    return low, high


def _stored(header: Dataset, keyword: str, dtype: np.dtype[Any]) -> int | None:
    """A value as pixels have it: signed ones may be written unsigned, and the other way round, in 16 bits or theirs."""
    values, range_ = numbers(header, keyword), np.iinfo(dtype)
    if values is None:
        return None
    for turn in (0, -(2**16), 2**16, -(2**range_.bits)):
        if range_.min <= values[0] + turn <= range_.max:
            return int(values[0]) + turn
    raise Unusable(f"{title(keyword)} is {values[0]:g}, and pixels are {range_.min} to {range_.max}")
