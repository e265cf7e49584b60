"""A picture as a vision tower wants it: fitted to a square, scaled and normalised as its family does.

Sources: LLaVA's ``expand2square`` for "pad"; Hugging Face's CLIP processor for "crop" and SigLIP
processor for "stretch", both with Pillow's bicubic filter on 8-bit pixels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgekit.checkpoint.spec import ImageSpec

_ROWS = 64  # a tall picture is padded in blocks of this many rows
_LONGEST = 64  # times the shorter edge: what is longer is cut before it is enlarged


def preprocess(image: Image.Image, spec: ImageSpec) -> npt.NDArray[np.float32]:
    """Fit an RGB picture to ``spec.size``² and normalise it: float32 ``[3, size, size]``, RGB order."""
    if spec.fit == "pad":
        fitted = _pad(image, spec.size, _pad_colour(spec))
    elif spec.fit == "crop":
        fitted = _crop(image, spec.size)
    else:
        fitted = _resize(image, spec.size, spec.size)
    levels = np.arange(256) / 255.0
    table = (levels - np.array(spec.mean)[:, None]) / np.array(spec.std)[:, None]
    pixels = np.asarray(fitted).transpose(2, 0, 1)
    return np.stack([table[c].astype(np.float32)[pixels[c]] for c in range(3)])


def _resize(image: Image.Image, width: int, height: int) -> Image.Image:
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _pad_colour(spec: ImageSpec) -> tuple[int, int, int]:
    red, green, blue = (int(255 * mean) for mean in spec.mean)
    return red, green, blue


def _pad(image: Image.Image, size: int, colour: tuple[int, int, int]) -> Image.Image:
    """Grow to a square, the picture in the middle, then resize.

    Pillow resizes a square along its rows first, then along its columns. Doing these two by hand gives
    the same pixels and never holds the whole square, which for a long thin picture could be gigabytes.
    """
    width, height = image.size
    side = max(width, height)
    columns = Image.new("RGB", (size, side), colour)
    if width >= height:
        columns.paste(_resize(image, size, height), (0, (side - height) // 2))
        return _resize(columns, size, size)
    for top in range(0, height, _ROWS):
        rows = image.crop((0, top, width, min(top + _ROWS, height)))
        block = Image.new("RGB", (side, rows.height), colour)
        block.paste(rows, ((side - width) // 2, 0))
        columns.paste(_resize(block, size, rows.height), (0, top))
    return _resize(columns, size, size)


def _crop(image: Image.Image, size: int) -> Image.Image:
    """Resize the shorter edge to ``size`` and keep the middle."""
    image = _shorten(image)
    width, height = image.size
    short = min(width, height)
    new_width, new_height = int(size * width / short), int(size * height / short)
    left, top = (new_width - size) // 2, (new_height - size) // 2
    return _resize(image, new_width, new_height).crop((left, top, left + size, top + size))


def _shorten(image: Image.Image) -> Image.Image:
    """Cut the ends off a picture that is more than 64 times as long as wide: the crop drops them anyway.

    Enlarging all of such a strip first, as the original does, takes gigabytes.
    """
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    keep_width, keep_height = min(width, longest), min(height, longest)
    left, top = (width - keep_width) // 2, (height - keep_height) // 2
    return image.crop((left, top, left + keep_width, top + keep_height))
