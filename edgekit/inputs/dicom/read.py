"""The steps from a file to its picture, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from edgekit.errors import DecodeError, EdgeKitError, InputError, MissingExtra
from edgekit.inputs.dicom.colour import colour, is_palette
from edgekit.inputs.dicom.decode import decode
from edgekit.inputs.dicom.file import DicomFile, open_dicom
from edgekit.inputs.dicom.frames import choose_frame, flattened
from edgekit.inputs.dicom.geometry import CheckSize, square
from edgekit.inputs.dicom.grayscale import read_presentation
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.dicom.syntax import HINT
from edgekit.inputs.dicom.tiles import assemble, read_grid
from edgekit.inputs.grey import Shades, Values

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, eq=False)
class Rendering:
    """A picture, uint8 ``[rows, columns]`` or ``[rows, columns, 3]`` (RGB), and notes on what was done to draw it."""

    shades: Shades
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """A frame's stored ``values``, ``[rows, columns]`` or ``[rows, columns, 3]``, and what the header says of it."""

    values: Values
    header: Dataset

    @property
    def in_colour(self) -> bool:
        """Whether it is colour, or indices into colours."""
        return self.values.ndim == 3 or is_palette(self.header)


def read_dicom(stream: BinaryIO, name: str, frame: int | None, check_size: CheckSize) -> Rendering:
    """Read the picture in ``stream``.

    ``frame`` counts from 0; None takes the middle one, or puts a slide's tiles together. ``check_size(width, height)``
    is asked before anything is decoded. :class:`~edgekit.errors.InputError` for what holds no picture or can't be
    read, :class:`~edgekit.errors.DecodeError` in the words of pydicom or of a decoder of its own,
    :class:`~edgekit.errors.MissingExtra` without pydicom or without a decoder that the extra brings.
    """
    with readable(name):
        return _render(stream, name, frame, check_size)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Whatever reading the DICOM file ``name`` raises becomes one of EdgeKit's errors, as :func:`read_dicom` says."""
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise MissingExtra("Reading DICOM", "dicom") from None
    try:
        yield
    except EdgeKitError:
        raise
    except Unusable as error:
        raise InputError(f"{name} can't be read as DICOM: {error}", HINT) from None
    except Exception as error:  # pydicom and its decoders raise anything on damaged files
        raise DecodeError(f"{name} can't be read as DICOM: {_reason(error)}", HINT) from error


def _render(stream: BinaryIO, name: str, frame: int | None, check_size: CheckSize) -> Rendering:
    notes: list[str] = []
    file = open_dicom(stream, name, notes)
    check_size(int(file.header.Columns), int(file.header.Rows))
    stored = read_stored(file, name, frame, check_size, notes)
    if stored.in_colour:
        shades = colour(stored.values, stored.header, file.words, notes)
    else:
        shades = read_presentation(stored.header, stored.values.dtype, file.words, notes)(stored.values)
    return Rendering(square(shades, stored.header, check_size, notes), tuple(notes))


def read_stored(file: DicomFile, name: str, frame: int | None, check_size: CheckSize, notes: list[str]) -> StoredFrame:
    """Return the stored values of one frame, or of a slide put together; errors of what decodes them."""
    grid = read_grid(file.header, name, check_size, notes) if frame is None else None
    if grid is not None:
        values, chosen = assemble(file, grid, notes), grid.tiles[0].frame if grid.tiles else 0
    else:
        chosen = choose_frame(file.header, name, frame, notes)
        values = next(decode(file, [chosen], notes))
    return StoredFrame(values, flattened(file.header, chosen, notes))


def _reason(error: Exception) -> str:
    """An error in one line, its beginning and its end; pydicom puts whole tracebacks into some."""
    line = " ".join(str(error).partition("Traceback")[0].split())
    return (line if len(line) <= 300 else f"{line[:180]} … {line[-110:]}") or type(error).__name__
