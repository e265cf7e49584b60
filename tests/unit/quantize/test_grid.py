"""The grid of a group against plain numpy: scales that clip nothing, and those that lose least."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgekit.checkpoint.packed import Bits
from edgekit.quantize.grid import RATIOS, best_scales, codes, nibbles, rounded, scales_of, whole_scales

ENDS: dict[Bits, tuple[int, int]] = {4: (-8, 7), 8: (-127, 127)}
Floats: TypeAlias = npt.NDArray[Any]
groups = arrays(np.float32, (3, 32), elements=st.floats(-50, 50, width=32))


@given(weights=groups, bits=st.sampled_from([4, 8]))
def test_whole_scales_clip_nothing_and_are_float16(weights: Floats, bits: Bits) -> None:
    scales = whole_scales(weights, bits)
    low, high = ENDS[bits]
    assert (scales > 0).all()
    np.testing.assert_array_equal(scales, scales.astype(np.float16))
    assert (weights <= high * scales[:, None]).all()
    assert (weights >= low * scales[:, None]).all()


@given(weights=groups, bits=st.sampled_from([4, 8]))
def test_codes_are_whole_numbers_within_half_a_step(weights: Floats, bits: Bits) -> None:
    scales = whole_scales(weights, bits)[:, None]
    nearest = codes(weights, scales, bits)
    np.testing.assert_array_equal(nearest, np.rint(nearest))
    assert (np.abs(weights - nearest * scales) <= scales * 0.5001).all()
    assert (codes(200 * scales, scales, bits) == ENDS[bits][1]).all()
    assert (codes(-200 * scales, scales, bits) == ENDS[bits][0]).all()


@pytest.mark.parametrize("pairs", [False, True])
def test_best_scales_lose_the_least_of_those_tried(pairs: bool) -> None:
    rng = np.random.default_rng(0)
    weights = rng.standard_t(3, (16, 32)).astype(np.float32)
    read = rng.normal(size=(200, 32)).astype(np.float32)
    importance = read.T @ read if pairs else (read**2).sum(0)

    def losses(scales: Floats) -> Floats:
        errors = (weights - codes(weights, scales[:, None]) * scales[:, None]).astype(np.float64)
        every = [[e @ importance @ e if pairs else (importance * e**2).sum()] for e in errors]
        return np.concatenate(every)

    chosen = losses(best_scales(weights, importance))
    for ratio in RATIOS:
        tried = (whole_scales(weights) * np.float32(ratio)).astype(np.float16).astype(np.float32)
        assert (chosen <= losses(tried) * (1 + 1e-4)).all()
    assert (chosen < losses(whole_scales(weights))).any()


def test_a_row_that_ends_within_a_group_has_a_scale_of_its_own_there() -> None:
    weights = np.random.default_rng(0).normal(size=(4, 80)).astype(np.float32)
    scales = scales_of(weights, 32)
    assert scales.shape == (4, 3)
    np.testing.assert_array_equal(scales[:, 2], whole_scales(weights[:, 64:]))
    steps = np.repeat(scales, 32, axis=1)[:, :80]
    assert (np.abs(rounded(weights, scales, 32) - weights) <= 0.5001 * steps).all()


def test_nibbles_lie_low_first_and_are_padded_with_zeros() -> None:
    packed = nibbles(np.array([[-8, 7, 1]], np.float32), 32)
    assert packed.dtype == np.uint8
    assert packed.shape == (1, 16)
    assert packed[0, :3].tolist() == [0xF0, 0x89, 0x88]
    assert set(packed[0, 2:].tolist()) == {0x88}
