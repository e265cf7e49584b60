"""A picture as a vision tower wants it: fitted to a square, scaled and normalised as its family does.

Sources: LLaVA's ``expand2square`` for "pad"; Hugging Face's CLIP processor for "crop" and SigLIP
processor for "stretch". The models were trained through Pillow's filters on 8-bit pixels, so these are
used, and not torchvision's, by which transformers 5's other back end comes to slightly other values.
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
        fitted = _pad(image, spec, spec.fill or _mean_colour(spec))
    elif spec.fit == "crop":
        fitted = _shortest_edge(image, spec)
    else:
        fitted = _resize(image, spec.edge, spec.edge, spec)
    levels = np.arange(256) * spec.scale
    table = (levels - np.array(spec.mean)[:, None]) / np.array(spec.std)[:, None]
    pixels = np.asarray(_middle(fitted, spec.size)).transpose(2, 0, 1)
    return np.stack([table[c].astype(np.float32)[pixels[c]] for c in range(3)])


def _resize(image: Image.Image, width: int, height: int, spec: ImageSpec) -> Image.Image:
    return image.resize((width, height), Image.Resampling[spec.filter.upper()])


def _middle(image: Image.Image, size: int) -> Image.Image:
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


def _mean_colour(spec: ImageSpec) -> tuple[int, int, int]:
    red, green, blue = (int(255 * mean) for mean in spec.mean)
    return red, green, blue


def _pad(image: Image.Image, spec: ImageSpec, colour: tuple[int, int, int]) -> Image.Image:
    """Grow to a square, the picture in the middle, then resize.

    Pillow resizes a square along its rows first, then along its columns. Doing these two by hand gives
    the same pixels and never holds the whole square, which for a long thin picture could be gigabytes.
    """
    width, height = image.size
    side, edge = max(width, height), spec.edge
    columns = Image.new("RGB", (edge, side), colour)
    if width >= height:
        columns.paste(_resize(image, edge, height, spec), (0, (side - height) // 2))
        return _resize(columns, edge, edge, spec)
    for top in range(0, height, _ROWS):
        rows = image.crop((0, top, width, min(top + _ROWS, height)))
        block = Image.new("RGB", (side, rows.height), colour)
        block.paste(rows, ((side - width) // 2, 0))
        columns.paste(_resize(block, edge, rows.height, spec), (0, top))
    return _resize(columns, edge, edge, spec)


def _shortest_edge(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """Resize the shorter edge, and the longer by as much."""
    image = _shorten(image)
    short, edge = min(image.size), spec.edge
    return _resize(image, int(edge * image.width / short), int(edge * image.height / short), spec)


def _shorten(image: Image.Image) -> Image.Image:
    """Cut the ends off a picture that is more than 64 times as long as wide: the middle does not reach them.

    Enlarging all of such a strip first, as the original does, takes gigabytes.
    """
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    keep_width, keep_height = min(width, longest), min(height, longest)
    left, top = (width - keep_width) // 2, (height - keep_height) // 2
    return image.crop((left, top, left + keep_width, top + keep_height))
