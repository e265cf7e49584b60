"""A picture stored in tiles, as whole slides are: put together (PS3.3 C.7.6.17.3, C.8.12.4, C.8.12.14)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from edgekit.errors import InputError
from edgekit.inputs.dicom.decode import decode
from edgekit.inputs.dicom.file import DicomFile
from edgekit.inputs.dicom.header import Unusable, numbers, optional, text
from edgekit.inputs.grey import Values

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_TILES = 2**14  # of 64 x 64 pixels, they fill the largest picture
MAX_DECODED = 2**28  # pixels of all tiles: those of the largest picture four times, since tiles stand out or overlap
_SMALLER = "Give a file of a lower resolution of the same slide: its levels are files of one series."


@dataclass(frozen=True)
class Tile:
    """A frame, and where its top left pixel lies in the whole picture."""

    frame: int
    top: int
    left: int


@dataclass(frozen=True)
class Grid:
    """The whole picture's size in pixels, and its tiles."""

    rows: int
    columns: int
    tiles: tuple[Tile, ...]


def read_grid(header: Dataset, name: str, check_size: Callable[[int, int], None], notes: list[str]) -> Grid | None:
    """Read how the tiles of the first focal plane and optical path lie; None for a file that is no picture in tiles.

    :class:`~edgekit.errors.InputError` for a level that is too large to be put together.
    """
    read = (partial(numbers, header, f"TotalPixelMatrix{side}") for side in ("Rows", "Columns"))
    rows, columns = (int((optional("The whole slide", count, notes) or [0])[0]) for count in read)
    if not (rows > header.Rows or columns > header.Columns) or min(rows, columns) < 1:
        return None
    try:
        check_size(columns, rows)
    except InputError as error:
        raise InputError(f"{error.message}; it is one level of a slide", _SMALLER) from None
    full = text(header, "DimensionOrganizationType") == "TILED_FULL"
    sparse = not full and header.get("PerFrameFunctionalGroupsSequence")
    tiles = _sparse(header, name) if sparse else _full(header, rows, columns, name)
    if len(tiles) * header.Rows * header.Columns > MAX_DECODED:
        raise InputError(f"{name} is a slide whose {len(tiles)} tiles hold many times its pixels", _SMALLER)
    return Grid(rows, columns, tiles)


def assemble(file: DicomFile, grid: Grid, notes: list[str]) -> Values:
    """Return the stored values of all tiles, ``[rows, columns]`` or ``[rows, columns, 3]``; what no tile covers is
    white in colour pictures, as slides are, and 0 in grey ones.
    """
    whole: Values | None = None
    covered = np.zeros((grid.rows, grid.columns), bool)
    tiles = decode(file, (tile.frame for tile in grid.tiles), notes)
    for tile, values in zip(grid.tiles, tiles, strict=True):
        if whole is None:
            ground = 2 ** int(file.header.BitsStored) - 1 if values.ndim == 3 else 0
            whole = np.full((grid.rows, grid.columns, *values.shape[2:]), ground, values.dtype)
        part = values[: max(0, grid.rows - tile.top), : max(0, grid.columns - tile.left)]
        place = np.s_[tile.top : tile.top + part.shape[0], tile.left : tile.left + part.shape[1]]
        whole[place], covered[place] = part, True
    if whole is None:
        raise Unusable("it is a slide without tiles")
    notes.append(f"It is a slide of {len(grid.tiles)} tiles, put together to {grid.columns}x{grid.rows}.")
    if not covered.all():
        notes.append(f"{100 * (1 - covered.mean()):.0f} % of the slide is in no tile and left blank.")
    return whole


def _full(header: Dataset, rows: int, columns: int, name: str) -> tuple[Tile, ...]:
    """Tiles that fill the picture row by row; frames behind them are other focal planes and optical paths."""
    tops, lefts = range(0, rows, header.Rows), range(0, columns, header.Columns)
    count = len(tops) * len(lefts)
    _check_count(count, name)
    if header.NumberOfFrames < count:
        raise Unusable(f"it is a slide of {count} tiles and holds {header.NumberOfFrames}")
    corners = itertools.product(tops, lefts)
    return tuple(Tile(frame, top, left) for frame, (top, left) in enumerate(corners))


def _sparse(header: Dataset, name: str) -> tuple[Tile, ...]:
    """Tiles that say themselves where they lie; those of the plane and path of the first."""
    groups = header.PerFrameFunctionalGroupsSequence[: header.NumberOfFrames]
    _check_count(len(groups), name)
    layers = [_layer(group) for group in groups]
    return tuple(_tile(frame, group) for frame, group in enumerate(groups) if layers[frame] == layers[0])


def _check_count(count: int, name: str) -> None:
    if count > MAX_TILES:
        raise InputError(f"{name} is a slide of {count} tiles; at most {MAX_TILES} are put together", _SMALLER)


def _tile(frame: int, group: Dataset) -> Tile:
    """Where a tile's top left pixel lies in the picture, which counts from 1."""
    place = group.PlanePositionSlideSequence[0]
    top = int(place.RowPositionInTotalImagePixelMatrix) - 1
    left = int(place.ColumnPositionInTotalImagePixelMatrix) - 1
    if min(top, left) < 0:
        raise Unusable(f"tile {frame} of the slide lies outside of it")
    return Tile(frame, top, left)


def _layer(group: Dataset) -> tuple[str, str]:
    """The focal plane and the optical path of a tile."""
    places = group.get("PlanePositionSlideSequence") or []
    paths = group.get("OpticalPathIdentificationSequence") or []
    return (
        str([place.get("ZOffsetInSlideCoordinateSystem") for place in places]),
        str([path.get("OpticalPathIdentifier") for path in paths]),
    )
