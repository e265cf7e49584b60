"""TIFF pictures whose zero is white are copied with black for zero, and nothing else of them changes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.inputs.negative import black_is_zero
from tests.unit.inputs.written import Order, tiff

SAMPLES = np.arange(12, dtype=np.uint16).reshape(3, 4, 1)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("photometric", "white"), [(0, True), (1, False), (2, False)])
def test_only_a_zero_that_is_white_is_turned(order: Order, photometric: int, white: bool) -> None:
    data = tiff(SAMPLES, photometric, order=order)
    copy, pages = black_is_zero(io.BytesIO(data))
    assert pages == [white]
    assert copy.getvalue() == tiff(SAMPLES, 1 if white else photometric, order=order)


def test_the_stream_is_read_from_its_beginning() -> None:
    stream = io.BytesIO(tiff(SAMPLES, 0))
    stream.seek(7)
    assert black_is_zero(stream)[1] == [True]


@given(cut=st.integers(0, 200), at=st.integers(0, 100), byte=st.integers(0, 255))
def test_what_is_damaged_is_copied_to_be_refused_by_the_decoder(cut: int, at: int, byte: int) -> None:
    data = bytearray(tiff(SAMPLES, 0))
    data[at] = byte
    del data[cut:]
    copy, _ = black_is_zero(io.BytesIO(bytes(data)))
    assert len(copy.getvalue()) == len(data)


@pytest.mark.parametrize("data", [b"", b"II*", b"II+\0" + bytes(40), b"\x89PNG" + bytes(40)])
def test_no_tiff_of_the_common_form_is_left_alone(data: bytes) -> None:
    copy, pages = black_is_zero(io.BytesIO(data))
    assert (copy.getvalue(), pages) == (data, [])
