"""Others' scales as EdgeKit's: every input keeps the scale that it had."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.prequantized.scales import WHOLE_ROW, Grouping, is_kept, positive, scale_misfit


@pytest.mark.parametrize(
    ("size", "kept"),
    [(32, True), (64, True), (128, True), (256, True), (384, True), (WHOLE_ROW, True)]
    + [(size, False) for size in (0, -2, 16, 96, 100, 192)],
)
def test_a_size_is_kept_where_whole_groups_of_ours_fill_it(size: int, kept: bool) -> None:
    assert is_kept(size) is kept


@given(k=st.integers(1, 1500), size=st.sampled_from([32, 64, 128, 256, 640, WHOLE_ROW]))
def test_every_input_keeps_its_scale(k: int, size: int) -> None:
    grouping = Grouping(k, size)
    inputs = np.arange(k)
    theirs = inputs // (k if size == WHOLE_ROW else size)
    assert grouping.stored == theirs[-1] + 1
    values = np.arange(2 * grouping.stored).reshape(2, -1)
    spread = grouping.spread(values)
    assert spread.shape == (2, grouping.count)
    np.testing.assert_array_equal(spread[:, inputs // grouping.group], values[:, theirs])


@pytest.mark.parametrize(
    ("scales", "misfit"),
    [
        (np.array([0.5, 0], np.float16), ""),
        (np.array([0.5, 2.0**-24], np.float32), ""),
        (np.array([0.5, -0.5], np.float16), "negative scales"),
        (np.array([0.1], np.float32), "scales in float32 that float16 can't hold"),
        (np.array([1e6], np.float32), "scales in float32 that float16 can't hold"),
    ],
)
def test_scales_that_float16_cannot_hold_do_not_fit(scales: Array, misfit: str) -> None:
    assert scale_misfit(scales) == misfit


def test_a_scale_of_zero_is_replaced_and_remembered() -> None:
    held, nothing = positive(np.array([[0.25, 0.0]], np.float32))
    assert held.dtype == np.float16
    assert nothing.tolist() == [[False, True]]
    assert held[0, 0] == 0.25
    assert held[0, 1] > 0
