"""Frames scaled down by area, to the size of a screen: what a page shows of millions of pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgekit.inputs.grey import Shades

MOST_SIDE = 4096
"""Of what is sent: 32 MiB of numbers, more than any screen has."""

_AS_SQUARED = Image.Resampling.BICUBIC  # as the model sees pixels that had to be made square

Pixels = npt.NDArray[np.uint16]
Size = tuple[int, int]


def fitted(size: Size, side: int) -> Size:
    """Return the width and height of a picture whose longer side is ``side`` at most; 0: :data:`MOST_SIDE`."""
    longest, most = max(size), min(side, MOST_SIDE) or MOST_SIDE
    if longest <= most:
        return size
    width, height = (max(1, round(length * most / longest)) for length in size)
    return width, height


def scaled_colour(colours: Shades, size: Size) -> Shades:
    """Return RGB of another ``size`` (width and height)."""
    if size == colours.shape[1::-1]:
        return colours
    image = Image.fromarray(colours)
    return np.asarray(image.resize(size, Image.Resampling.BOX if _shrinks(image.size, size) else _AS_SQUARED))


def scaled_grey(pixels: Pixels, size: Size, padding: int | None) -> Pixels:
    """Return numbers of another ``size`` (width and height). ``padding`` counts for nothing: what is of it alone stays
    it, what is partly of it is the mean of the rest.
    """
    if size == pixels.shape[1::-1]:
        return pixels
    if padding is None or not (pixels == padding).any():
        return np.rint(_resized(pixels, size)).astype(np.uint16)
    valid = pixels != padding
    share = _resized(valid, size)
    numbers = _resized(np.where(valid, pixels, 0), size)
    means = np.rint(numbers / np.maximum(share, 1e-3)).astype(np.uint16)
    return np.where(share > 1e-3, means, np.uint16(padding))


def _resized(values: npt.NDArray[np.generic], size: Size) -> npt.NDArray[np.float32]:
    image = Image.fromarray(values.astype(np.float32))  # which hold 16 bits whole, and Pillow scales them
    # Pixels that are made square grow along one side: by a filter that makes no number that lies beyond all others.
    sampling = Image.Resampling.BOX if _shrinks(image.size, size) else Image.Resampling.BILINEAR
    return np.asarray(image.resize(size, sampling))


def _shrinks(before: Size, after: Size) -> bool:
    return after[0] <= before[0] and after[1] <= before[1]
