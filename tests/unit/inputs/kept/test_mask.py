"""Where rectangles lie in stored pixels, and which value is darkest."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs.dicom.grayscale import Presentation
from edgekit.inputs.dicom.lut import Table
from edgekit.inputs.dicom.voi import TableShades
from edgekit.inputs.grey import Window
from edgekit.inputs.kept.mask import MOST_RECTANGLES, Rectangle, blackened, boxes, darkest

SHADES = Window("LINEAR", 128, 256)


@pytest.mark.parametrize(
    ("rectangle", "rows", "columns"),
    [
        (Rectangle(1, 2, 3, 4), slice(2, 6), slice(1, 4)),
        (Rectangle(-5, -5, 6, 7), slice(0, 2), slice(0, 1)),
        (Rectangle(9, 19, 100, 100), slice(19, 20), slice(9, 10)),
    ],
)
def test_a_rectangle_is_its_rows_and_columns(rectangle: Rectangle, rows: slice, columns: slice) -> None:
    assert boxes([rectangle], (10, 20), (10, 20)) == [(rows, columns)]


def test_where_it_is_drawn_stretched_every_pixel_that_is_touched_counts() -> None:
    assert boxes([Rectangle(0, 3, 5, 2)], (10, 20), (10, 10)) == [(slice(1, 3), slice(0, 5))]
    assert boxes([Rectangle(3, 0, 1, 20)], (10, 20), (20, 20)) == [(slice(0, 20), slice(6, 8))]


@pytest.mark.parametrize("rectangle", [(10, 0, 1, 1), (0, -3, 5, 3), (1, 1, 0, 5), (1, 1, 5, -2)])
def test_a_rectangle_that_covers_nothing_is_refused(rectangle: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match="covers nothing") as caught:
        boxes([Rectangle(*rectangle)], (10, 20), (10, 20))
    assert caught.value.hint


def test_so_many_are_refused() -> None:
    with pytest.raises(InputError, match="too many"):
        boxes([Rectangle(0, 0, 1, 1)] * (MOST_RECTANGLES + 1), (10, 20), (10, 20))


@pytest.mark.parametrize(
    ("presentation", "black"),
    [
        (Presentation(None, None, SHADES, False), 0),
        (Presentation(None, None, SHADES, True), 255),
        (Presentation((255, 255), None, SHADES, False), 0),
        (Presentation((7, 7), None, Window("LINEAR", 500, 2), True), 7),  # all of the others are white
        (Presentation(None, None, TableShades(Table(np.array([9, 3, 5], np.uint16), 0, 8)), False), 1),
    ],
)
def test_the_darkest_value(presentation: Presentation, black: float) -> None:
    assert darkest(presentation, np.arange(256)) == black


def test_a_frame_is_blackened_in_a_copy() -> None:
    values = np.ones((4, 5), np.int16)
    copy = blackened(values, [(slice(0, 2), slice(1, 3))], -7)
    assert copy.sum() == 16 - 7 * 4
    assert values.sum() == 20
