"""Numbers to shades: grey values of any depth as the 256 that a picture has."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Shades = npt.NDArray[np.uint8]


def by_depth(values: Values, top: int) -> Shades:
    """Return integers ≥ 0 scaled by their bit depth: the smallest, of at least 8 bits, that holds ``top``.

    Cameras and detectors of 10, 12 or 14 bits store their values in 16; scaled by 16 bits such a picture
    would be all but black. Pictures of 8 bits come out unchanged, whatever they are stored in.
    """
    white = 2 ** max(8, int(top).bit_length()) - 1
    shades: Shades = np.rint(values * np.float32(255 / white)).astype(np.uint8)
    return shades


def spread(values: Values, valid: npt.NDArray[np.bool_] | None = None) -> Shades:
    """Make the least value black, the greatest white; what is not ``valid`` (or not
    finite) is black and not counted.
    """
    used = np.isfinite(values) if valid is None else valid & np.isfinite(values)
    if not used.any():
        return np.zeros(values.shape, np.uint8)
    low, high = float(values[used].min()), float(values[used].max())
    # Halves, since the difference of two large floats may overflow where that of their halves can't.
    span = high / 2 - low / 2
    if span == 0:
        return np.zeros(values.shape, np.uint8)
    return unit(np.where(used, (values / 2 - low / 2) / span, 0))


def unit(values: Values) -> Shades:
    """Return 0…1 as 0…255; what lies outside is cut off."""
    shades: Shades = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return shades
