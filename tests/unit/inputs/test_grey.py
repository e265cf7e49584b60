"""Shades of grey from values of any depth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgekit.inputs.grey import by_depth, depth_window, range_window, spread, unit


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_full_range_of_any_depth_is_black_to_white(bits: int) -> None:
    values = np.array([0, 2 ** (bits - 1), 2**bits - 1], np.uint16)
    assert by_depth(values, int(values.max())).tolist() == [0, 128, 255]


def test_eight_bits_stay_as_they_are() -> None:
    values = np.arange(256, dtype=np.uint16)
    assert (by_depth(values, 255) == values).all()
    assert (by_depth(values * 257, 65_535) == values).all()


@given(hnp.arrays(np.float64, (7,), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_spread_goes_from_black_to_white_and_keeps_the_order(values: np.ndarray) -> None:
    shades = spread(values)
    finite = np.isfinite(values)
    assert (shades[~finite] == 0).all()
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0, 0)
    if high - low > 1e-300:
        assert shades[finite].min() == 0
        assert shades.max() == 255
        order = np.argsort(values[finite])
        assert (np.diff(shades[finite][order].astype(int)) >= 0).all()


def test_spread_leaves_out_what_is_not_valid() -> None:
    assert spread(np.array([-2000, 10, 20]), np.array([False, True, True])).tolist() == [0, 0, 255]
    assert spread(np.array([5, 5])).tolist() == [0, 0]


def test_unit_cuts_off() -> None:
    assert unit(np.array([-1, 0, 0.5, 1, 9])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("top", [1, 255, 256, 1000, 4095, 65_535])
def test_depth_is_a_window_bit_by_bit(top: int) -> None:
    values = np.arange(top + 1, dtype=np.uint16)
    assert (depth_window(top)(values) == by_depth(values, top)).all()


@given(hnp.arrays(st.sampled_from([np.uint8, np.int16, np.uint16, np.int32]), (7,)), st.integers(0, 127))
def test_whole_numbers_are_spread_by_a_window(values: np.ndarray, mask: int) -> None:
    valid = np.array([bool(mask >> place & 1) for place in range(7)])
    window = range_window(values, valid)
    assert (window is None) == (not valid.any())
    expected = np.zeros(7, np.uint8) if window is None else np.where(valid, window(values), 0)
    assert (spread(values, valid) == expected).all()
    if valid.any() and values[valid].min() < values[valid].max():
        assert (expected[valid].min(), expected[valid].max()) == (0, 255)
    else:
        assert not expected.any()
