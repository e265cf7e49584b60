"""Frames packed one by one."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs.dicom.header import Unusable
from edgekit.inputs.kept import packed
from edgekit.inputs.kept.packed import PackedFrames


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        (np.array([[0, 1]], np.uint8), 1),
        (np.array([[0, 0]], np.uint8), 1),
        (np.array([[0, 4095]], np.uint16), 12),
        (np.array([[0, 4095]], np.int16), 13),
        (np.array([[-2048, 0]], np.int16), 12),
        (np.array([[-2049, 0]], np.int16), 13),
        (np.array([[0, 2**31]], np.uint32), 32),
    ],
)
def test_frames_come_out_as_they_went_in(values: np.ndarray, bits: int) -> None:
    frames = PackedFrames()
    frames.add(values.astype(values.dtype.newbyteorder(">")))
    frames.add(values)
    assert [zlib.decompress(part, -15) for part in frames.parts] == [values.tobytes()] * 2
    assert (frames.shape, frames.dtype, frames.bits) == (values.shape, values.dtype, bits)


def test_floats_are_not_packed() -> None:
    frames = PackedFrames()
    frames.add(np.array([[1.5, np.nan]], np.float32))
    assert frames.is_float
    assert frames.parts == [np.array([1.5, np.nan], "<f4").tobytes()]


@pytest.mark.parametrize(
    "other", [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.uint16), np.zeros((2, 2, 3), np.uint8)]
)
def test_frames_are_of_one_kind(other: np.ndarray) -> None:
    frames = PackedFrames()
    frames.add(np.zeros((2, 2), np.uint8))
    with pytest.raises(Unusable, match="not all of one kind"):
        frames.add(other)


def test_they_end_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_BYTES", 1000)
    frames = PackedFrames()
    with pytest.raises(InputError, match="more than 1000 B") as caught:
        for seed in range(100):
            frames.add(np.random.default_rng(seed).integers(0, 256, (10, 10), dtype=np.uint8))
    assert caught.value.hint
    assert len(frames.parts) < 12
