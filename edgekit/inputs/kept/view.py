"""A kept picture as a page shows it: numbers to be drawn with any window, or a PNG.

A page that moves a window asks for a frame's numbers once and draws them itself. With the window that comes along it
comes to the shades that the model sees, bit by bit, as long as nothing is scaled; ``docs/ward.md`` has the arithmetic.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgekit.inputs.dicom.colour import colour
from edgekit.inputs.dicom.file import open_dicom
from edgekit.inputs.dicom.geometry import square_size
from edgekit.inputs.dicom.grayscale import Presentation, read_presentation
from edgekit.inputs.dicom.modality import Rescale
from edgekit.inputs.dicom.read import read_stored, readable
from edgekit.inputs.dicom.recognise import is_dicom
from edgekit.inputs.dicom.voi import TableShades
from edgekit.inputs.grey import Shades, Values, Window, depth_window, range_window
from edgekit.inputs.images import check_size, decoded, head_of, reading, rgb
from edgekit.inputs.kept.drawing import SHADES
from edgekit.inputs.kept.plain import deep_grey
from edgekit.inputs.kept.scale import fitted, scaled_colour, scaled_grey

_MOST = 2**16 - 1
_LEVEL = 1  # of a PNG that is sent once: higher ones take longer than they save
Pixels: TypeAlias = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False, kw_only=True)
class View:
    """A grey frame's numbers, and how they become shades.

    * ``pixels``: uint16 ``[h, w]``; where there is a ``padding``, that number stands for "nothing was measured here",
      which is black whatever the window
    * ``offset``, ``slope``, ``intercept``: (number + offset) × slope + intercept is a value as the window takes it
    * ``function``, ``window``: of the window that it is drawn with (:class:`~edgekit.inputs.grey.Window`), centre and
      width
    * ``inverted``: whether the least value is white
    """

    pixels: Pixels
    function: str
    window: tuple[float, float]
    offset: int = 0
    slope: float = 1.0
    intercept: float = 0.0
    inverted: bool = False
    padding: int | None = None

    def shades(self) -> Shades:
        """Return the frame as it is drawn with its own window, uint8 ``[h, w]``."""
        numbers = np.arange(int(self.pixels.max()) + 1)
        table = Window(self.function, *self.window)((numbers + self.offset) * self.slope + self.intercept)
        table = 255 - table if self.inverted else table
        if self.padding is not None:
            table[self.padding : self.padding + 1] = 0
        return table[self.pixels]

    def document(self) -> dict[str, Any]:
        """Return all but the pixels, as JSON for a page."""
        return {
            "width": self.pixels.shape[1],
            "height": self.pixels.shape[0],
            "offset": self.offset,
            "slope": self.slope,
            "intercept": self.intercept,
            "function": self.function,
            "center": self.window[0],
            "width_of_window": self.window[1],
            "invert": self.inverted,
            "padding": self.padding,
        }


def view(file: bytes, frame: int | None, side: int) -> View | bytes:
    """Return a frame of a kept picture, scaled down by area where it is larger than ``side`` (0: as large as is sent,
    :data:`~edgekit.inputs.kept.scale.MOST_SIDE`): its numbers where it is grey, a PNG of 8-bit RGB where it is not.

    ``frame`` and errors are :func:`~edgekit.inputs.images.load_image`'s. Only that frame is decoded.
    """
    shown = _shown(file, frame, side)
    return shown if isinstance(shown, View) else _png(shown)


def png(file: bytes, frame: int | None, side: int) -> bytes:
    """Return a frame as :func:`view` does, drawn with its own window, as a PNG of 8 bits."""
    shown = _shown(file, frame, side)
    return _png(shown.shades() if isinstance(shown, View) else shown)


def _shown(file: bytes, frame: int | None, side: int) -> View | Shades:
    with reading(file) as (stream, name):
        if is_dicom(head_of(stream, name)[:132], name):
            return _of_dicom(stream, name, frame, side)
        image, _ = decoded(stream, name, frame)
    values = deep_grey(image)
    if values is not None:
        whole = _seen_by(depth_window(int(values.max())), values)
    elif image.mode == "L" and not image.has_transparency_data:
        whole = of_shades(np.asarray(image))
    else:
        return scaled_colour(np.asarray(rgb(image)), fitted(image.size, side))
    return replace(whole, pixels=scaled_grey(whole.pixels, fitted(image.size, side), None))


def of_shades(shades: Shades) -> View:
    """Return the view of a frame that can only be shown as it is drawn: its shades."""
    return _seen_by(SHADES, shades.astype(np.uint16))


def _of_dicom(stream: BinaryIO, name: str, frame: int | None, side: int) -> View | Shades:
    def check(width: int, height: int) -> None:
        check_size(width, height, name)

    with readable(name):
        file = open_dicom(stream, name, [])
        check(int(file.header.Columns), int(file.header.Rows))
        stored = read_stored(file, name, frame, check, [])
        rows, columns = stored.values.shape[:2]
        size = fitted(square_size(columns, rows, stored.header, check, []), side)
        if stored.in_colour:
            return scaled_colour(colour(stored.values, stored.header, file.words, []), size)
        presentation = read_presentation(stored.header, stored.values.dtype, file.words, [])
        whole = grey_view(stored.values, presentation)
        return replace(whole, pixels=scaled_grey(whole.pixels, size, whole.padding))


def grey_view(stored: Values, presentation: Presentation) -> View:
    """Return the view of a frame's stored values: themselves or, behind a table, its entries.

    What 16 bits can't hold (floating point, values far apart) is shown as it is drawn.
    """
    padded = presentation.padded(stored)
    numbers, slope, intercept, window = _numbers(stored, presentation, ~padded)
    if window is None or numbers.dtype.kind == "f":
        return of_shades(presentation(stored))
    valid = numbers[~padded] if padded.any() else numbers
    low, high = int(valid.min()), int(valid.max())
    offset = 0 if low >= 0 and high < _MOST else low
    if high - offset > _MOST - (valid is not numbers):
        return of_shades(presentation(stored))
    pixels = (numbers if offset == 0 else numbers.astype(np.int64) - offset).astype(np.uint16, copy=False)
    # A number that none of the others has, nor any mean of them.
    padding = None if valid is numbers else high - offset + 1
    if padding is not None:
        pixels = np.where(padded, np.uint16(padding), pixels)
    whole = _seen_by(window, pixels)
    turned = presentation.turned
    return replace(whole, offset=offset, slope=slope, intercept=intercept, inverted=turned, padding=padding)


def _numbers(
    stored: Values, presentation: Presentation, valid: npt.NDArray[np.bool_]
) -> tuple[Values, float, float, Window | None]:
    """What is sent of stored values, the line from there to the window's values, and the window."""
    modality, voi = presentation.modality, presentation.voi
    if isinstance(voi, Window) and isinstance(modality, Rescale):
        return stored, modality.slope, modality.intercept, voi
    numbers = presentation.values(stored)
    if isinstance(voi, TableShades):
        return voi.table(numbers), 1.0, 0.0, depth_window(voi.top)
    if voi is None and numbers.dtype.kind != "f":
        return numbers, 1.0, 0.0, range_window(numbers, valid)
    return numbers, 1.0, 0.0, voi


def _seen_by(window: Window, pixels: Pixels) -> View:
    return View(pixels=pixels, function=window.function, window=(window.centre, window.width))


def _png(shades: Shades) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(shades).save(stream, "PNG", compress_level=_LEVEL)
    return stream.getvalue()
