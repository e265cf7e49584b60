"""Windows by the standard's formulas (PS3.3 C.11.2.1.2 and C.11.2.1.3), value by value."""

from __future__ import annotations

from math import exp

import numpy as np
import pytest

from edgekit.inputs.dicom.voi import read_voi
from edgekit.inputs.grey import Window
from tests.dicoms import item

VALUES = np.array([-1e6, 0, 99, 100, 100.5, 101, 250, 1e6])
CENTRE, WIDTH = 100.0, 40.0


def linear(x: float) -> float:
    if x <= CENTRE - 0.5 - (WIDTH - 1) / 2:
        return 0.0
    if x > CENTRE - 0.5 + (WIDTH - 1) / 2:
        return 1.0
    return (x - (CENTRE - 0.5)) / (WIDTH - 1) + 0.5


def exact(x: float) -> float:
    if x <= CENTRE - WIDTH / 2:
        return 0.0
    return 1.0 if x > CENTRE + WIDTH / 2 else (x - CENTRE) / WIDTH + 0.5


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(min(700, max(-700, -4 * (x - CENTRE) / WIDTH))))


@pytest.mark.parametrize(("function", "formula"), [("LINEAR", linear), ("LINEAR_EXACT", exact), ("SIGMOID", sigmoid)])
def test_a_window_is_the_standard_s_formula(function: str, formula: object) -> None:
    assert callable(formula)
    shades = Window(function, CENTRE, WIDTH)(VALUES)
    unit = Window("LINEAR_EXACT", 0.5, 1.0)(np.array([formula(float(x)) for x in VALUES]))  # shades as they are kept
    np.testing.assert_allclose(np.asarray(shades, np.float64), np.asarray(unit, np.float64), rtol=1e-5, atol=1e-6)


def test_the_narrowest_window_is_a_step() -> None:
    shades = Window("LINEAR", 100, 1)(np.array([99.4, 99.6]))
    assert shades[0] == 0
    assert shades[1] == Window("LINEAR", 100, 1)(np.array([1e6]))[0] > 0


def test_the_first_usable_pair_is_taken() -> None:
    notes: list[str] = []
    header = item(WindowCenter=["1", "2", "3"], WindowWidth=["0", "0.5", "4"])
    assert read_voi(header, "<u2", False, notes) == Window("LINEAR", 3, 4)
    assert notes == ["Window 3 is taken: the width of the first is 0."]
    header.VOILUTFunction = "SIGMOID"
    assert read_voi(header, "<u2", False, []) == Window("SIGMOID", 2, 0.5)  # only LINEAR needs a width of 1


def test_without_any_there_is_none() -> None:
    notes: list[str] = []
    assert read_voi(item(), "<u2", False, notes) is None
    assert not notes
    assert read_voi(item(WindowCenter="1"), "<u2", False, notes) is None
    assert notes == ["The window is left out: Window Width is missing."]
