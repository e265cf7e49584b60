"""Matrices turned to ``[k, n]`` on their way into a graph, against those that their codes stand for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.export import transposed
from tests.unit.export.filled import gather, quantized

SINGLE = np.dtype(np.float32)


def nibbles(stored: bytes, rows: int) -> npt.NDArray[np.int64]:
    """ONNX's INT4 ``[rows, …]``: two's complement, the earlier number in the low half of a byte."""
    packed = np.frombuffer(stored, np.uint8)
    numbers = np.stack([packed & 15, packed >> 4], axis=1).astype(np.int64).reshape(rows, -1)
    return numbers - 16 * (numbers > 7)


@pytest.mark.parametrize("k", [48, 128, 300])  # within a stretch, just one, and ending within a group of the third
@pytest.mark.parametrize("rows", [(16, 4), (16, 3)])
def test_int4_columns_times_scales_are_the_rows(rows: tuple[int, int], k: int) -> None:
    parts = quantized(rows, 4, k)
    n, groups = sum(rows), -(-k // 32)
    filled = gather(transposed.int4("codes", "scales", parts, SINGLE))
    codes = nibbles(filled["codes"], 32 * groups)
    scales = np.frombuffer(filled["scales"], np.float32).reshape(groups, -1)
    whole = np.repeat(scales, 32, axis=0) * codes
    expected = np.concatenate([part.packed_rows(0, part.shape[0]).dequantize() for part in parts.values()])
    np.testing.assert_array_equal(whole[:k, :n], expected.T)
    assert whole.shape[1] == n + n % 2
    assert not whole[k:].any()
    assert not codes[:, n:].any()
    assert (scales[:, n:] == 1).all()


@pytest.mark.parametrize("k", [48, 128, 300])
def test_int8_columns_times_scales_are_the_rows(k: int) -> None:
    parts = quantized((16, 3), 8, k)
    filled = gather(transposed.int8("codes", "scales", parts, SINGLE))
    whole = np.frombuffer(filled["codes"], np.int8).reshape(k, 19) * np.frombuffer(filled["scales"], np.float32)
    expected = np.concatenate([part.packed_rows(0, part.shape[0]).dequantize() for part in parts.values()])
    np.testing.assert_array_equal(whole, expected.T)
