"""A Linear that compressed-tensors packed, read by any rows against the tests' own packer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoint.prequantized.rows import RowPacked
from edgekit.checkpoint.prequantized.scales import WHOLE_ROW, Grouping
from tests.prequantized import Linear, random_linear
from tests.unit.checkpoint.prequantized.case import stored_in, unpacked

N = 22


def packed(path: Path, linear: Linear) -> RowPacked:
    tensors = stored_in(path, linear, "compressed-tensors")
    n, k = linear.codes.shape
    return RowPacked(
        (n, k),
        Grouping(k, linear.group),
        tensors["weight_packed"],
        tensors["weight_scale"],
        tensors.get("weight_zero_point"),
    )


@pytest.mark.parametrize(("k", "group"), [(96, 32), (101, 32), (100, 64), (300, WHOLE_ROW)])
@pytest.mark.parametrize(("start", "stop"), [(0, 22), (0, 8), (5, 6), (7, 17), (21, 22)])
@pytest.mark.parametrize("symmetric", [True, False])
def test_any_rows_are_those_that_were_packed(
    tmp_path: Path, k: int, group: int, start: int, stop: int, symmetric: bool
) -> None:
    linear = random_linear(N, k, group, symmetric=symmetric)
    matrix = packed(tmp_path, linear)
    assert (matrix.zeros is None) == symmetric
    np.testing.assert_array_equal(unpacked(matrix.codes(start, stop, release=True), k), linear.codes[start:stop])
    ours = np.arange(k) // matrix.grouping.group
    theirs = np.arange(k) // (k if group == WHOLE_ROW else group)
    np.testing.assert_array_equal(matrix.zeros_of(start, stop)[:, ours], linear.zeros[start:stop][:, theirs])
    np.testing.assert_array_equal(matrix.scales_of(start, stop)[:, ours], linear.scales[start:stop][:, theirs])


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    linear = random_linear(N, 64, 32)
    assert packed(tmp_path, linear).misfit() == ""
    zeros, scales = linear.zeros.copy(), linear.scales.copy()
    zeros[-1, -1], scales[0, 0] = 7, -scales[0, 0]
    assert packed(tmp_path, replace(linear, zeros=zeros)).misfit() == "zero points other than 8"
    assert packed(tmp_path, replace(linear, scales=scales)).misfit() == "negative scales"
    scales[0, 0] = np.nan
    assert packed(tmp_path, replace(linear, scales=scales)).holds_nonfinite_scale()
    assert not packed(tmp_path, linear).holds_nonfinite_scale()
