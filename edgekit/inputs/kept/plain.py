"""Pictures that are not DICOM, as they are kept: a PNG of the pixels alone, upright, in grey where they are grey."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image

from edgekit.inputs import deep
from edgekit.inputs.grey import Values
from edgekit.inputs.images import Picture, decoded
from edgekit.inputs.kept.burned_in import UNKNOWN
from edgekit.inputs.kept.mask import Rectangle, blackened, boxes
from edgekit.inputs.kept.packed import require_room
from edgekit.inputs.kept.picture import PNG, KeptPicture, PictureFacts

_LEVEL = 3  # higher ones take several times as long for a few percent


def keep_plain(stream: BinaryIO, name: str, rectangles: Sequence[Rectangle]) -> KeptPicture:
    """Return what is kept of the first picture in ``stream``, ``rectangles`` blackened; within
    :func:`~edgekit.inputs.images.reading`.

    Grey of more than 8 bits stays so where its numbers are the picture's: whole, not negative, black for 0. All else is
    kept as it is drawn.
    """
    image, notes = decoded(stream, name, None)
    places = boxes(rectangles, image.size, image.size)
    values = deep_grey(image)
    if values is not None and int(values.max()).bit_length() > int(blackened(values, places, 0).max()).bit_length():
        values = None  # what is left would be drawn brighter, by fewer bits
    if values is None:
        values = _shades(Picture.of(image))
    file = written(blackened(values, places, 0))
    require_room(len(file))
    facts = PictureFacts(
        width=values.shape[1],
        height=values.shape[0],
        frames=1,
        bits=max(8, int(values.max()).bit_length()),
        colour=values.ndim == 3,
    )
    return KeptPicture(file, PNG, facts, notes, (UNKNOWN,))


def deep_grey(image: Image.Image) -> Values | None:
    """Return a picture's grey values of 9 to 16 bits as uint16; None for every other picture."""
    if not deep.is_deep(image):
        return None
    values = np.asarray(image)
    whole = values.dtype.kind in "iu" and values.min() >= 0 and 2**8 <= values.max() < 2**16
    return values.astype(np.uint16) if whole else None


def written(values: Values) -> bytes:
    """Return pixels as a PNG with nothing beside them: uint8 or uint16 ``[h, w]``, or uint8 ``[h, w, 3]``."""
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "PNG", compress_level=_LEVEL)
    return stream.getvalue()


def _shades(picture: Picture) -> Values:
    """An RGB picture's pixels, of a grey one its shades alone."""
    pixels = np.asarray(picture.image)
    grey = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 0] == pixels[..., 2]).all()
    return pixels[..., 0] if grey else pixels
