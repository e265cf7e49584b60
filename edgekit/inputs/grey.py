"""Numbers to shades: grey values of any depth as the 256 that a picture has.

Whatever is linear comes down to a :class:`Window`, so that a page can do the same arithmetic and come to the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
Shades = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, with black at 0 and white at 1.

    ``function`` is LINEAR, LINEAR_EXACT or SIGMOID; ``centre`` and ``width`` are in the unit of the values.
    """

    function: str
    centre: float
    width: float

    def __call__(self, values: Values) -> Shades:
        """Return the shades of values; in float64, operation by operation as docs/ward.md writes it down."""
        values = np.asarray(values, np.float64)
        if self.function == "SIGMOID":
            return unit(1 / (1 + np.exp(np.clip(-4 * (values - self.centre) / self.width, -700, 700))))
        if self.function == "LINEAR_EXACT":
            return unit((values - self.centre) / self.width + 0.5)
        return unit((values - (self.centre - 0.5)) / max(self.width - 1, 1e-6) + 0.5)


def depth_window(top: int) -> Window:
    """Return the window from 0 to the greatest number of as many bits as ``top`` has, of 8 at least.

    Cameras and detectors of 10, 12 or 14 bits store their values in 16; scaled by 16 bits such a picture would be all
    but black. It gives what :func:`by_depth` does.
    """
    white = 2 ** max(8, int(top).bit_length()) - 1
    return Window("LINEAR_EXACT", white / 2, float(white))


def by_depth(values: Values, top: int) -> Shades:
    """Return integers from 0 to ``top`` as :func:`depth_window` shows them, in a third of its memory.

    Pictures of 8 bits come out unchanged, whatever they are stored in.
    """
    white = depth_window(top).width
    shades: Shades = np.rint(values * np.float32(255 / white)).astype(np.uint8)
    return shades


def range_window(values: Values, valid: npt.NDArray[np.bool_] | None = None) -> Window | None:
    """Return the window in which the least of integers is black and the greatest white; what is not ``valid`` does not
    count, and where nothing is, there is none.
    """
    used = values if valid is None or valid.all() else values[valid]
    if not used.size:
        return None
    low, high = float(used.min()), float(used.max())
    # All the same: black.
    return Window("LINEAR_EXACT", (low + high) / 2, high - low) if low < high else Window("LINEAR_EXACT", low + 0.5, 1)


def spread(values: Values, valid: npt.NDArray[np.bool_] | None = None) -> Shades:
    """Make the least value black, the greatest white; what is not ``valid`` (or not
    finite) is black and not counted.
    """
    if values.dtype.kind in "iu":
        window = range_window(values, valid)
        shades = np.zeros(values.shape, np.uint8) if window is None else window(values)
        return shades if valid is None else np.where(valid, shades, np.uint8(0))
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
