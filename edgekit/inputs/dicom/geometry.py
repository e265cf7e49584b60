"""Pixels that are not square, made square: models look at pictures whose pixels are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import Image

from edgekit.errors import InputError
from edgekit.inputs.dicom.header import numbers, optional, title
from edgekit.inputs.grey import Shades

if TYPE_CHECKING:
    from pydicom import Dataset

CheckSize: TypeAlias = Callable[[int, int], None]
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio")
"""Each is a height and a width; the first that can be used counts (PS3.3 C.7.6.3.1.7 leaves the last for files that
have none of the others)."""
_NOTHING = 0.01  # what detectors' spacings differ by when they are rounded
_TOO_MUCH = 10.0  # more is a slip of the pen


def square(shades: Shades, header: Dataset, check_size: CheckSize, notes: list[str]) -> Shades:
    """Return the picture with square pixels: stretched along the side where they are coarser, with a note."""
    height, width = shades.shape[:2]
    size = square_size(width, height, header, check_size, notes)
    if size == (width, height):
        return shades
    return np.asarray(Image.fromarray(shades).resize(size, Image.Resampling.BICUBIC))


def square_size(width: int, height: int, header: Dataset, check_size: CheckSize, notes: list[str]) -> tuple[int, int]:
    """Return the width and height of a picture once its pixels are square; that it is stretched is noted.

    Where the result would be larger than ``check_size`` lets pass, the other side is shrunk instead.
    """
    aspect = _aspect(header, notes)
    if abs(aspect - 1) <= _NOTHING:
        return width, height
    size = (width, round(height * aspect)) if aspect > 1 else (round(width / aspect), height)
    try:
        check_size(*size)
    except InputError:
        size = (max(1, round(width / aspect)), height) if aspect > 1 else (width, max(1, round(height * aspect)))
    notes.append(f"Its pixels are {aspect:.3g} times as high as wide: stretched to {size[0]}x{size[1]}.")
    return size


def usable_spacing(header: Dataset, keyword: str, notes: list[str]) -> tuple[float, float] | None:
    """Return one of :data:`SPACINGS`, height and width of a pixel; None where it is missing or can't be meant."""
    pair = optional(title(keyword), partial(numbers, header, keyword), notes)
    if pair is None:
        return None
    if len(pair) == 2 and min(pair) > 0 and 1 / _TOO_MUCH <= pair[0] / pair[1] <= _TOO_MUCH:
        return pair[0], pair[1]
    notes.append(f"{title(keyword)} is left out: it is {' by '.join(f'{part:g}' for part in pair)}.")
    return None


def _aspect(header: Dataset, notes: list[str]) -> float:
    """Height of a pixel by its width; 1 where nothing usable is said."""
    for keyword in SPACINGS:
        pair = usable_spacing(header, keyword, notes)
        if pair is not None:
            return pair[0] / pair[1]
    return 1.0
