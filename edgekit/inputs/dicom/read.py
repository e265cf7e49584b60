"""The steps from a file to its picture, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.inputs.dicom.colour import colour, is_palette
from edgekit.inputs.dicom.decode import decode
from edgekit.inputs.dicom.frames import choose_frame, flatten
from edgekit.inputs.dicom.grayscale import grayscale
from edgekit.inputs.dicom.source import HINT, check_inflated
from edgekit.inputs.grey import Shades


def read_dicom(stream: BinaryIO, name: str, frame: int | None, check_size: Callable[[int, int], None]) -> Shades:
    """The picture in ``stream``, uint8 ``[rows, columns]`` or ``[rows, columns, 3]`` (RGB).

    ``frame`` counts from 0; None takes the middle one. ``check_size(width, height)`` is asked before
    anything is decoded. :class:`InputError` for what holds no picture or can't be decoded,
    :class:`MissingExtra` without pydicom or without a decoder that the extra brings.
    """
    try:
        import pydicom
    except ImportError:
        raise MissingExtra("Reading DICOM", "dicom") from None
    try:
        check_inflated(stream, name)
        header = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
        if "Rows" not in header or "Columns" not in header:
            raise InputError(f"{name} holds no picture", "Reports, plans and directories are DICOM too; give an image.")
        check_size(int(header.Columns), int(header.Rows))
        frame = choose_frame(header, name, frame)
        flatten(header, frame)
        stored = decode(stream, header, frame)
        return colour(stored, header) if stored.ndim == 3 or is_palette(header) else grayscale(stored, header)
    except EdgeKitError:
        raise
    except Exception as error:  # pydicom and its decoders raise anything on damaged files
        raise InputError(f"{name} can't be read as DICOM: {_reason(error)}", HINT) from error


def _reason(error: Exception) -> str:
    """An error in one line; pydicom puts whole tracebacks into some."""
    line = " ".join(str(error).partition("Traceback")[0].split())
    return line[:300] or type(error).__name__
