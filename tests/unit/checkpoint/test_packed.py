"""Packed weights, multiplied out element by element."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.checkpoint.packed import PackedWeight, groups, int8_block, is_packed
from tests.unit.quantize.fakes import Stored, normal


@settings(max_examples=20)
@given(n=st.integers(1, 4), k=st.integers(1, 70), group=st.sampled_from([16, 32]), seed=st.integers(0, 99))
def test_int4_is_code_times_its_group_s_scale(n: int, k: int, group: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    padded = groups(k, group) * group
    codes = rng.integers(0, 256, (n, padded // 2), np.uint8)
    scales = rng.random((n, padded // group)).astype(np.float16)
    values = PackedWeight(4, group, k, codes, scales).dequantize()
    assert values.dtype == np.float32
    assert values.shape == (n, k)
    for row in range(n):
        for at in range(k):
            code = int(codes[row, at // 2]) >> 4 * (at % 2) & 15
            assert values[row, at] == np.float32(code - 8) * np.float32(scales[row, at // group])


def test_int8_is_code_times_its_row_s_scale() -> None:
    codes = np.array([[-127, 0, 3], [1, -1, 127]], np.int8)
    weight = PackedWeight(8, 3, 3, codes, np.array([[0.5], [2]], np.float16))
    np.testing.assert_array_equal(weight.dequantize(), [[-63.5, 0, 1.5], [2, -2, 254]])
    assert weight.nbytes == 6 + 4


@pytest.mark.parametrize(
    ("k", "activation_bytes", "block"),
    [(512, 4, 256), (512, 2, 128), (384, 4, 128), (100, 4, 128), (64, 2, 64), (33, 4, 64), (7, 4, 16), (16, 2, 16)],
)
def test_a_block_of_int8_is_a_power_of_two_that_kernels_take(k: int, activation_bytes: int, block: int) -> None:
    assert int8_block(k, activation_bytes) == block


@pytest.mark.parametrize(("k", "group", "count"), [(128, 128, 1), (129, 128, 2), (1, 32, 1)])
def test_the_last_group_may_be_shorter(k: int, group: int, count: int) -> None:
    assert groups(k, group) == count


def test_plain_tensors_are_not_packed() -> None:
    assert not is_packed(Stored(normal(2, 2)))
