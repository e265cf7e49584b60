"""From an upload to the file that is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from edgekit.inputs.dicom.recognise import is_dicom
from edgekit.inputs.images import head_of, reading
from edgekit.inputs.kept.mask import Rectangle
from edgekit.inputs.kept.picture import KeptPicture
from edgekit.inputs.kept.plain import keep_plain


def keep(content: bytes) -> KeptPicture:
    """Return what is kept of an uploaded file: DICOM of an allow-list, or a PNG of pixels alone.

    The model sees the same picture in it, bit by bit: of each frame of DICOM, and of other formats that which
    :func:`~edgekit.inputs.images.load_image` gives without a frame. A slide is kept put together. Errors of
    :func:`~edgekit.inputs.images.load_image`, and :class:`~edgekit.errors.InputError` for what takes more than
    :data:`~edgekit.inputs.kept.packed.MOST_BYTES` once it is stored without a loss.
    """
    with reading(content) as (stream, name):
        return _keep(stream, name, ())


def masked(file: bytes, rectangles: Sequence[Rectangle]) -> KeptPicture:
    """Return a kept picture with ``rectangles`` blackened in all of its frames, and nothing else changed.

    They are in the pixels that it is drawn with (``facts.width`` by ``facts.height``). Black is what is drawn darkest,
    whichever way the picture's window is moved. :class:`~edgekit.errors.InputError` for a rectangle outside the
    picture, else as :func:`keep`.
    """
    with reading(file) as (stream, name):
        return _keep(stream, name, rectangles)


def _keep(stream: BinaryIO, name: str, rectangles: Sequence[Rectangle]) -> KeptPicture:
    if not is_dicom(head_of(stream, name)[:132], name):
        return keep_plain(stream, name, rectangles)
    from edgekit.inputs.kept.dicom import keep_dicom

    return keep_dicom(stream, name, rectangles)
