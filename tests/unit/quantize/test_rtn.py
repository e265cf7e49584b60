"""Round to nearest against its own definition: no weight is further from its code than half a scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgekit.checkpoint.packed import Array, PackedWeight
from edgekit.quantize.floats import Unfit
from edgekit.quantize.rtn import int4, int8
from tests.unit.quantize.fakes import DTYPES, normal


def pack4(raw: Array, group: int) -> PackedWeight:
    return PackedWeight(4, group, raw.shape[1], *int4(raw, group))


def pack8(raw: Array) -> PackedWeight:
    return PackedWeight(8, raw.shape[1], raw.shape[1], *int8(raw))


def codes(packed: PackedWeight) -> Array:
    """Signed codes ``[n, padded k]``."""
    if packed.bits == 8:
        return packed.codes.astype(np.int32)
    both = np.stack([packed.codes & 15, packed.codes >> 4], axis=-1)
    signed: Array = both.reshape(len(both), -1).astype(np.int32) - 8
    return signed


def assert_nearest(packed: PackedWeight, raw: Array) -> None:
    wide = raw.astype(np.float64)
    scales = np.repeat(packed.scales.astype(np.float64), packed.group, axis=1)[:, : raw.shape[1]]
    assert packed.scales.dtype == np.float16
    assert (packed.scales > 0).all()
    assert np.isfinite(packed.scales).all()
    error = np.abs(wide - packed.dequantize().astype(np.float64))
    assert (error <= scales / 2 * (1 + 1e-6)).all(), (error / scales).max()
    low, high = (-8, 7) if packed.bits == 4 else (-127, 127)
    assert codes(packed).min() >= low
    assert codes(packed).max() <= high


@st.composite
def matrices(draw: st.DrawFn) -> Array:
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 70)))
    largest = 65504.0 if dtype == np.float16 else 4e5
    number = st.floats(-largest, largest, width=32 if dtype != np.float16 else 16)
    array = draw(hnp.arrays(np.float32, shape, elements=number, fill=st.nothing()))
    scaled: Array = array.astype(dtype) * dtype.type(draw(st.sampled_from([1.0, 2.0**-10, 2.0**-20])))
    return scaled


@settings(max_examples=150, deadline=None)
@given(matrices(), st.sampled_from([16, 32, 64]))
def test_no_weight_is_further_than_half_a_scale(raw: Array, group: int) -> None:
    assert_nearest(pack4(raw, group), raw)
    assert_nearest(pack8(raw), raw)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("k", [128, 256, 200, 1, 4304])
def test_random_matrices(dtype: np.dtype[Any], k: int) -> None:
    raw = normal(17, k, dtype=dtype)
    assert_nearest(pack4(raw, 128), raw)
    assert_nearest(pack8(raw), raw)


def test_the_whole_range_of_int4_is_used() -> None:
    raw = normal(64, 1024)
    used = codes(pack4(raw, 128))
    assert set(np.unique(used)) == set(range(-8, 8))
    grouped, extreme = raw.astype(np.float32).reshape(64, 8, 128), used.reshape(64, 8, 128)
    upward = grouped.max(axis=-1) / 7 >= -grouped.min(axis=-1) / 8
    assert (np.where(upward, extreme.max(axis=-1), -extreme.min(axis=-1)) == np.where(upward, 7, 8)).all()


def test_scales_are_the_least_that_clip_nothing() -> None:
    raw = normal(8, 256)
    wide = raw.astype(np.float64).reshape(8, 2, 128)
    exact = np.maximum(wide.max(axis=-1) / 7, -wide.min(axis=-1) / 8)
    scales = pack4(raw, 128).scales
    assert (scales.astype(np.float64) >= exact * (1 - 1e-6)).all()
    assert (np.nextafter(scales, np.float16(0)).astype(np.float64) < exact).all()


def test_codes_are_those_of_the_textbook() -> None:
    raw = normal(32, 512, dtype=np.dtype(np.float32))
    packed = pack4(raw, 64)
    ratio = raw.astype(np.float64) / np.repeat(packed.scales.astype(np.float64), 64, axis=1)
    clear = np.abs(ratio - np.floor(ratio) - 0.5) > 1e-5  # between two codes either is right
    assert np.array_equal(codes(packed)[clear], np.rint(ratio)[clear])


def test_padding_is_the_zero_code() -> None:
    packed = pack4(normal(5, 200), 128)
    assert packed.codes.shape == (5, 128)
    assert packed.scales.shape == (5, 2)
    assert (packed.codes[:, 100:] == 0x88).all()
    assert packed.dequantize().shape == (5, 200)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_zero_groups_have_the_zero_code_and_a_normal_scale(dtype: np.dtype[Any]) -> None:
    raw = normal(3, 256, dtype=dtype)
    raw[1, 128:] = 0
    raw[2, 128:] = -0.0
    packed = pack4(raw, 128)
    assert (packed.codes[1:, 64:] == 0x88).all()
    assert (packed.scales[1:, 1] >= np.finfo(np.float16).smallest_normal).all()
    assert (pack8(np.zeros((2, 9), dtype)).codes == 0).all()


@pytest.mark.parametrize("value", [1.0, -1.0, 6e-8, -6e-8, 1e-3, 65504.0, -65504.0])
def test_constant_rows_come_back(value: float) -> None:
    raw = np.full((2, 64), value, np.float16)
    for packed in (pack4(raw, 32), pack8(raw)):
        assert_nearest(packed, raw)
        smallest = float(np.finfo(np.float16).smallest_subnormal)
        assert packed.dequantize() == pytest.approx(raw.astype(np.float32), rel=2e-3, abs=smallest / 2)


def test_numbers_below_any_float16_scale_become_zero() -> None:
    raw = np.full((1, 32), 1e-30, np.float32)
    assert (pack4(raw, 32).dequantize() == 0).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.copysign(np.nan, -1)])
def test_what_is_not_finite_is_refused_with_its_row(dtype: np.dtype[Any], value: float) -> None:
    raw = normal(9, 256, dtype=dtype)
    raw[6, 200] = value
    for pack in (int8, lambda block: int4(block, 128)):
        with pytest.raises(Unfit) as caught:
            pack(raw)
        assert caught.value.row == 6
        assert str(caught.value.value) == str(float(np.abs(value) if np.isnan(value) else value))


def test_numbers_too_large_for_a_float16_scale_are_refused() -> None:
    raw = np.ones((4, 128), np.float32)
    raw[2, 5] = -8 * 65504.0
    assert_nearest(pack4(raw, 128), raw)
    raw[2, 5] = -8 * 65600.0
    with pytest.raises(Unfit) as caught:
        int4(raw, 128)
    assert (caught.value.row, caught.value.value) == (2, raw[2, 5])
