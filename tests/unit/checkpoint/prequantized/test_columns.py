"""A Linear that GPTQ or AWQ packed, read by any rows against the tests' own packer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoint.prequantized import columns
from edgekit.checkpoint.prequantized.columns import ColumnPacked
from edgekit.checkpoint.prequantized.scales import Grouping
from tests.prequantized import LESS_ONE, Format, Linear, random_linear
from tests.unit.checkpoint.prequantized.case import stored_in, unpacked

N, K, GROUP = 24, 96, 32
KINDS: list[Format] = ["gptq", "gptq_v2", "awq"]


def packed(path: Path, linear: Linear, kind: Format) -> ColumnPacked:
    tensors = stored_in(path, linear, kind)
    return ColumnPacked(
        method="awq" if kind == "awq" else "gptq",
        less_one=kind in LESS_ONE,
        shape=(N, K),
        grouping=Grouping(K, linear.group),
        qweight=tensors["qweight"],
        qzeros=tensors["qzeros"],
        scales=tensors["scales"],
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("start", "stop"), [(0, 24), (0, 8), (5, 6), (7, 17), (23, 24)])
def test_any_rows_are_those_that_were_packed(
    tmp_path: Path, kind: Format, start: int, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = random_linear(N, K, GROUP, symmetric=False)
    matrix = packed(tmp_path, linear, kind)
    for block_bytes in (columns._BLOCK_BYTES, 1):  # whole, and by the fewest rows of the file at once
        monkeypatch.setattr(columns, "_BLOCK_BYTES", block_bytes)
        codes = matrix.codes(start, stop, release=True)
        np.testing.assert_array_equal(unpacked(codes, K), linear.codes[start:stop])
    spread = np.arange(codes.shape[1] * 2 // GROUP)
    np.testing.assert_array_equal(matrix.zeros_of(start, stop), linear.zeros[start:stop][:, spread])
    np.testing.assert_array_equal(matrix.scales_of(start, stop), linear.scales[start:stop][:, spread])


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_told(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(N, K, GROUP)
    assert packed(tmp_path, linear, kind).misfit() == ""
    zeros, scales = linear.zeros.copy(), linear.scales.copy()
    zeros[-1, -1], scales[0, 0] = 7, -scales[0, 0]
    assert packed(tmp_path, replace(linear, zeros=zeros), kind).misfit() == "zero points other than 8"
    assert packed(tmp_path, replace(linear, scales=scales), kind).misfit() == "negative scales"
    scales[0, 0] = np.inf
    assert packed(tmp_path, replace(linear, scales=scales), kind).holds_nonfinite_scale()
    assert not packed(tmp_path, linear, kind).holds_nonfinite_scale()


@pytest.mark.parametrize("kind", KINDS)
def test_a_zero_point_that_tools_read_differently_is_told(tmp_path: Path, kind: Format) -> None:
    linear = random_linear(N, K, GROUP)
    assert not packed(tmp_path, linear, kind).holds_doubtful_zero()
    zeros = linear.zeros.copy()
    zeros[0, 0] = 0  # stored as 15 where one is taken off
    assert packed(tmp_path, replace(linear, zeros=zeros), kind).holds_doubtful_zero() == (kind == "gptq")
