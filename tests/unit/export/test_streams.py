"""Fills, gathered in memory and held against numpy."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from edgekit.checkpoint.packed import Array
from edgekit.errors import CheckpointError
from edgekit.export import streams
from tests.unit.export.filled import gather, quantized
from tests.unit.quantize.fakes import DTYPES, Stored, normal

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RANGE_BYTES", 4 * 48 * 7)  # seven rows of 48


def test_chunks_cover_every_row_once_within_the_limit() -> None:
    assert list(streams.row_ranges((16, 48))) == [(0, 7), (7, 14), (14, 16)]
    assert list(streams.row_ranges((16, 3, 4, 4))) == [(0, 7), (7, 14), (14, 16)]
    assert list(streams.row_ranges((3,))) == [(0, 3)]
    assert list(streams.row_ranges((2, 10**6))) == [(0, 1), (1, 2)]


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", [HALF, SINGLE])
def test_plain_tensors_lie_row_below_row(source: np.dtype[np.floating], target: np.dtype[np.floating]) -> None:
    parts = {name: Stored(normal(rows, 48, dtype=source, seed=rows)) for name, rows in (("q", 16), ("k", 3))}
    got = gather(streams.plain("w", parts, target))["w"]
    expected = np.concatenate([part.array.astype(np.float32) for part in parts.values()]).astype(target)
    assert got == expected.tobytes()
    assert parts["q"].released == [(0, 7), (7, 14), (14, 16)]


def test_int4_codes_and_scales_are_the_packed_ones() -> None:
    parts = quantized((16, 3), 4)
    whole = [part.packed_rows(0, part.shape[0]) for part in parts.values()]
    got = gather(streams.packed("codes", "scales", parts, SINGLE))
    assert got["codes"] == b"".join(part.codes.tobytes() for part in whole)
    assert got["scales"] == b"".join(part.scales.astype(np.float32).tobytes() for part in whole)


def test_int8_codes_become_unsigned_around_128() -> None:
    parts = quantized((16, 3), 8)
    whole = np.concatenate([part.packed_rows(0, part.shape[0]).codes for part in parts.values()])
    got = gather(streams.int8_unsigned("codes", "scales", parts, HALF))
    assert got["codes"] == (whole.astype(np.int16) + 128).astype(np.uint8).tobytes()
    assert len(got["scales"]) == 19 * 2


def test_int8_columns_are_transposed() -> None:
    parts = quantized((16, 3), 8)
    whole = [part.packed_rows(0, part.shape[0]) for part in parts.values()]
    got = gather(streams.int8_columns("codes", "scales", parts, SINGLE))
    assert got["codes"] == np.concatenate([part.codes for part in whole]).T.tobytes()
    assert got["scales"] == np.concatenate([part.scales for part in whole]).astype(np.float32).tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_no_number_is_refused_by_name(bad: float, dtype: np.dtype[np.floating]) -> None:
    array: Array = normal(16, 48, dtype=dtype)
    array[11, 5] = bad
    with pytest.raises(CheckpointError, match=r"'vision\.cls' holds NaN or infinity"):
        gather(streams.plain("w", {"vision.cls": Stored(array)}, SINGLE))


def test_what_float16_cannot_hold_is_refused_with_the_value() -> None:
    array = np.array([1.0, -70000.0], ml_dtypes.bfloat16)
    with pytest.raises(CheckpointError, match=r"'decoder\.norm\.weight'.*float16.*7\.01e\+04"):
        streams.convert(array, HALF, "decoder.norm.weight")
    assert streams.convert(array, SINGLE, "decoder.norm.weight")[0] == 1
    tiny = np.array([1e-30], np.float32)
    assert streams.convert(tiny, HALF, "x")[0] == 0
