"""The steps from a file to its picture, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from edgekit.errors import DecodeError, EdgeKitError, InputError, MissingExtra
from edgekit.inputs.dicom.colour import colour, is_palette
from edgekit.inputs.dicom.decode import decode
from edgekit.inputs.dicom.file import DicomFile, open_dicom
from edgekit.inputs.dicom.frames import choose_frame, flatten
from edgekit.inputs.dicom.geometry import square
from edgekit.inputs.dicom.grayscale import grayscale
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.dicom.syntax import HINT
from edgekit.inputs.dicom.tiles import assemble, read_grid
from edgekit.inputs.grey import Shades, Values

CheckSize = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture, uint8 ``[rows, columns]`` or ``[rows, columns, 3]`` (RGB), and notes on what was done to draw it."""

    shades: Shades
    notes: tuple[str, ...]


def read_dicom(stream: BinaryIO, name: str, frame: int | None, check_size: CheckSize) -> Rendering:
    """Read the picture in ``stream``.

    ``frame`` counts from 0; None takes the middle one, or puts a slide's tiles together. ``check_size(width, height)``
    is asked before anything is decoded. :class:`~edgekit.errors.InputError` for what holds no picture or can't be
    read, :class:`~edgekit.errors.DecodeError` in the words of pydicom or of a decoder of its own,
    :class:`~edgekit.errors.MissingExtra` without pydicom or without a decoder that the extra brings.
    """
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise MissingExtra("Reading DICOM", "dicom") from None
    try:
        return _render(stream, name, frame, check_size)
    except EdgeKitError:
        raise
    except Unusable as error:
        raise InputError(f"{name} can't be read as DICOM: {error}", HINT) from None
    except Exception as error:  # pydicom and its decoders raise anything on damaged files
        raise DecodeError(f"{name} can't be read as DICOM: {_reason(error)}", HINT) from error


def _render(stream: BinaryIO, name: str, frame: int | None, check_size: CheckSize) -> Rendering:
    notes: list[str] = []
    file = open_dicom(stream, name, notes)
    header = file.header
    check_size(int(header.Columns), int(header.Rows))
    stored, frame = _stored(file, name, frame, check_size, notes)
    flatten(header, frame, notes)
    in_colour = stored.ndim == 3 or is_palette(header)
    shades = (colour if in_colour else grayscale)(stored, header, file.words, notes)
    return Rendering(square(shades, header, check_size, notes), tuple(notes))


def _stored(
    file: DicomFile, name: str, frame: int | None, check_size: CheckSize, notes: list[str]
) -> tuple[Values, int]:
    """The stored values of one frame, or of a slide put together, and the frame whose window and rescale count."""
    grid = read_grid(file.header, name, check_size, notes) if frame is None else None
    if grid is not None:
        return assemble(file, grid, notes), grid.tiles[0].frame if grid.tiles else 0
    chosen = choose_frame(file.header, name, frame, notes)
    return next(decode(file, [chosen], notes)), chosen


def _reason(error: Exception) -> str:
    """An error in one line, its beginning and its end; pydicom puts whole tracebacks into some."""
    line = " ".join(str(error).partition("Traceback")[0].split())
    return (line if len(line) <= 300 else f"{line[:180]} … {line[-110:]}") or type(error).__name__
