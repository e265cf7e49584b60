"""Bits as integers must give what arithmetic gives: numpy's own conversions and comparisons are the oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.packed import Array
from edgekit.quantize.floats import ceil_float16, extremes, widen
from tests.unit.quantize.fakes import BFLOAT16, DTYPES, normal


def every_finite(dtype: np.dtype[Any]) -> Array:
    with np.errstate(invalid="ignore"):
        numbers = np.arange(2**16, dtype=np.uint16).view(dtype)
        return numbers[np.isfinite(numbers.astype(np.float32))]


@pytest.mark.parametrize("dtype", DTYPES[:2], ids=str)
def test_widening_is_exact_for_every_number(dtype: np.dtype[Any]) -> None:
    numbers = every_finite(dtype)
    assert np.array_equal(widen(numbers).view(np.uint32), numbers.astype(np.float32).view(np.uint32))


def test_widening_makes_a_copy_of_float32() -> None:
    numbers = normal(3, 4, dtype=np.dtype(np.float32))
    wide = widen(numbers)
    assert np.array_equal(wide, numbers)
    assert not np.shares_memory(wide, numbers)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shift", [-9.0, 0.0, 9.0])
def test_extremes_are_the_largest_and_the_lowest(dtype: np.dtype[Any], shift: float) -> None:
    numbers = (normal(50, 33, scale=1.0, dtype=np.dtype(np.float32)) + np.float32(shift)).astype(dtype)
    high, low = extremes(numbers, axis=-1)
    wide = numbers.astype(np.float32)
    assert np.array_equal(high, np.maximum(wide.max(axis=-1), 0))
    assert np.array_equal(low, np.maximum(-wide.min(axis=-1), 0))
    assert high.dtype == low.dtype == np.float32


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_extremes_show_what_is_not_finite(dtype: np.dtype[Any]) -> None:
    numbers = np.zeros((5, 4), np.float32)
    numbers[1, 2], numbers[2, 0] = np.inf, -np.inf
    numbers[3, 3], numbers[4, 1] = np.nan, np.copysign(np.nan, -1)
    high, low = extremes(numbers.astype(dtype), axis=-1)
    assert list(np.isfinite(high)) == [True, False, True, False, True]
    assert list(np.isfinite(low)) == [True, True, False, True, False]


def test_minus_zero_counts_for_nothing() -> None:
    high, low = extremes(np.full((1, 4), -0.0, np.float16), axis=-1)
    assert (high[0], low[0]) == (0, 0)


def test_the_next_float16_is_the_least_that_is_not_below() -> None:
    positive = np.sort(every_finite(np.dtype(np.float16)).astype(np.float32))
    positive = positive[positive >= 0][1:]  # the two zeros are one
    between = np.nextafter(positive[:-1], np.float32(np.inf))
    assert np.array_equal(ceil_float16(positive).astype(np.float32), positive)
    assert np.array_equal(ceil_float16(between).astype(np.float32), positive[1:])
    assert np.array_equal(ceil_float16(np.nextafter(positive, np.float32(0))).astype(np.float32), positive)


def test_bfloat16_needs_no_alignment_of_rows() -> None:
    numbers = normal(4, 7, dtype=BFLOAT16)[:, 1:6]
    assert np.array_equal(widen(numbers), numbers.astype(np.float32))
