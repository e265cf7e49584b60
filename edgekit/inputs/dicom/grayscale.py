"""Stored grey values as shades: modality LUT or rescale, then VOI LUT or window (PS3.4 N.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgekit.inputs.dicom.lut import through_lut
from edgekit.inputs.dicom.window import read_window, through_window
from edgekit.inputs.grey import Shades, Values, spread

if TYPE_CHECKING:
    from pydicom import Dataset


def grayscale(stored: Values, header: Dataset) -> Shades:
    """Stored grey values as a viewer shows them; padding is black and does not count."""
    from pydicom.pixels import apply_modality_lut

    valid = ~_padding(stored, header)
    values = np.asarray(apply_modality_lut(stored, header))
    if header.get("VOILUTSequence"):
        shades = through_lut(values, header)
    else:
        window = read_window(header)
        shades = spread(values, valid) if window is None else through_window(values, *window)
    if header.get("PhotometricInterpretation") == "MONOCHROME1":
        shades = 255 - shades
    return np.where(valid, shades, np.uint8(0))


def _padding(stored: Values, header: Dataset) -> npt.NDArray[np.bool_]:
    """Where values stand for "nothing was measured here" (PS3.3 C.7.5.1.1.2), one value or a range."""
    if header.get("PixelPaddingValue") is None or stored.dtype.kind not in "iu":
        return np.zeros(stored.shape, bool)
    limit = header.get("PixelPaddingRangeLimit")
    ends = [int(header.PixelPaddingValue), int(header.PixelPaddingValue if limit is None else limit)]
    low, high = sorted(np.array(ends).astype(stored.dtype).tolist())  # signed values may be written unsigned
    padding = np.asarray((stored >= low) & (stored <= high))
    return np.zeros_like(padding) if padding.all() else padding
