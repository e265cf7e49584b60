"""Places that somebody marked by hand, blackened: in numbers that are drawn darkest, whatever a window is moved to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edgekit.errors import InputError
from edgekit.inputs.dicom.grayscale import Presentation
from edgekit.inputs.grey import Values

MOST_RECTANGLES = 256


class Rectangle(NamedTuple):
    """A place in the picture as it is drawn, in whole pixels; ``x`` and ``y`` are its left and its upper edge."""

    x: int
    y: int
    width: int
    height: int


def boxes(
    rectangles: Sequence[Rectangle], drawn: tuple[int, int], stored: tuple[int, int]
) -> list[tuple[slice, slice]]:
    """Return the rows and columns that rectangles cover of a picture with ``stored`` width and height, which is drawn
    with others: whole pixels, also where one is touched only.

    What of a rectangle lies outside is left out; :class:`~edgekit.errors.InputError` for one that does with all of it,
    for one without an area, and for more than :data:`MOST_RECTANGLES`.
    """
    if len(rectangles) > MOST_RECTANGLES:
        raise InputError(
            f"{len(rectangles)} rectangles are too many: at most {MOST_RECTANGLES}", "Mark larger ones instead."
        )
    return [
        (_span(each.y, each.height, drawn[1], stored[1]), _span(each.x, each.width, drawn[0], stored[0]))
        for each in rectangles
    ]


def darkest(presentation: Presentation, candidates: Values) -> float:
    """Return which of ``candidates``, stored values in their order, is drawn darkest: the first or the last, where one
    of them is, so that it stays darkest in other windows.
    """
    shades = presentation(candidates)
    ends = [end for end in (0, -1) if shades[end] == shades.min()]
    return float(candidates[ends[0] if ends else int(shades.argmin())])


def blackened(values: Values, places: Sequence[tuple[slice, slice]], black: float) -> Values:
    """Return a copy of a frame's values with those of ``places`` replaced."""
    copy: Values = values.copy()
    for rows, columns in places:
        copy[rows, columns] = black
    return copy


def _span(start: int, length: int, drawn: int, stored: int) -> slice:
    """The stored pixels of one side that drawn ones touch."""
    first, last = max(0, start), min(drawn, start + length)
    if first >= last:
        raise InputError(
            f"A rectangle from {start} to {start + length} covers nothing of {drawn} pixels",
            "Give x, y, width and height in pixels of the picture as it is drawn.",
        )
    return slice(first * stored // drawn, -(-last * stored // drawn))
