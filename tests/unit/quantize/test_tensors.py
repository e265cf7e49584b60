"""Views that convert rows as they are read: the same bytes however the rows are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint.packed import Bits
from edgekit.errors import CheckpointError
from edgekit.quantize import rtn, tensors
from edgekit.quantize.tensors import CastTensor, RoundedTensor
from tests.unit.quantize.fakes import DTYPES, Stored, normal

FLOAT16, FLOAT32 = np.dtype(np.float16), np.dtype(np.float32)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "_BLOCK", 1000)  # three or seven rows of the matrices below


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("k", [128, 300])
def test_chunks_are_the_whole(bits: Bits, k: int) -> None:
    raw = normal(40, k)
    tensor = RoundedTensor("m", Stored(raw), bits, 128 if bits == 4 else k)
    codes, scales = rtn.int4(raw, 128) if bits == 4 else rtn.int8(raw)
    whole = tensor.packed_rows(0, 40)
    assert (whole.bits, whole.group, whole.k, tensor.shape) == (bits, tensor.group, k, (40, k))
    assert np.array_equal(whole.codes, codes)
    assert np.array_equal(whole.scales, scales)
    for step in (1, 13):
        parts = [tensor.packed_rows(row, min(row + step, 40)) for row in range(0, 40, step)]
        assert np.array_equal(np.concatenate([part.codes for part in parts]), codes)
        assert np.array_equal(np.concatenate([part.scales for part in parts]), scales)


@pytest.mark.parametrize("source", DTYPES, ids=str)
@pytest.mark.parametrize("dtype", [FLOAT16, FLOAT32], ids=str)
def test_casts_are_numpys(source: np.dtype[Any], dtype: np.dtype[Any]) -> None:
    raw = normal(40, 300, dtype=source)
    tensor = CastTensor("m", Stored(raw), dtype)
    assert tensor.shape == (40, 300)
    expected = raw.astype(np.float32).astype(dtype)
    assert tensor.rows(0, 40).dtype == dtype
    assert np.array_equal(tensor.rows(0, 40), expected)
    assert np.array_equal(tensor.rows(7, 29), expected[7:29])


@pytest.mark.parametrize("shape", [(30,), (30, 3, 7, 7)])
def test_casts_take_any_rank(shape: tuple[int, ...]) -> None:
    raw = normal(*shape, dtype=FLOAT32)
    assert np.array_equal(CastTensor("m", Stored(raw), FLOAT16).rows(3, 20), raw.astype(np.float16)[3:20])


def test_every_page_that_was_read_is_given_back() -> None:
    for convert in (
        lambda stored: RoundedTensor("m", stored, 4, 128).packed_rows(4, 31),
        lambda stored: CastTensor("m", stored, FLOAT32).rows(4, 31),
    ):
        stored = Stored(normal(40, 300))
        convert(stored)
        assert {row for start, stop in stored.released for row in range(start, stop)} == set(range(4, 31))
        assert len(stored.released) > 1


def test_a_cast_that_changes_nothing_copies_nothing() -> None:
    stored = Stored(normal(40, 300))
    tensor = CastTensor("m", stored, FLOAT16)
    assert np.shares_memory(tensor.rows(0, 40), stored.array)
    assert stored.released == []  # the view is still in use
    tensor.release(0, 40)
    assert stored.released == [(0, 40)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_errors_name_the_tensor_and_the_row(value: float, dtype: np.dtype[Any]) -> None:
    raw = normal(40, 300, dtype=dtype)
    raw[33, 150] = value
    for read in (
        RoundedTensor("decoder.norm", Stored(raw), 4, 128).packed_rows,
        RoundedTensor("decoder.norm", Stored(raw), 8, 300).packed_rows,
        CastTensor("decoder.norm", Stored(raw), FLOAT16).rows,
        CastTensor("decoder.norm", Stored(raw), FLOAT32).rows,
    ):
        with pytest.raises(CheckpointError, match=rf"decoder\.norm: row 33 holds {value}") as caught:
            read(20, 40)
        assert "get it again" in caught.value.hint
        read(0, 33)


@pytest.mark.parametrize("value", [70000.0, -70000.0])
def test_a_cast_that_overflows_is_refused(value: float) -> None:
    raw = np.ones((40, 300), np.float32)
    raw[9, 1] = value
    with pytest.raises(CheckpointError, match=rf"m: row 9 holds {value:g}, too large for float16") as caught:
        CastTensor("m", Stored(raw), FLOAT16).rows(0, 40)
    assert "fp32" in caught.value.hint
    assert np.array_equal(CastTensor("m", Stored(raw), FLOAT32).rows(0, 40), raw)
