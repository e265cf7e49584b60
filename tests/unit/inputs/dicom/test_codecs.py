"""Frames that pydicom does not read, of which each sample is known beforehand."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest

from edgekit.errors import InputError, MissingExtra
from edgekit.inputs.dicom.codecs import inflate, jpeg_12
from tests import jpegs
from tests.dicoms import deep, encapsulated, read

MEANS = np.array([[0, 700, 4095], [2048, 100, 3000]])
BLOCKS = np.kron(MEANS, np.ones((8, 8), int)).astype(np.uint16)
JPEG = "1.2.840.10008.1.2.4."


@pytest.mark.parametrize("frame", [jpegs.SEQUENTIAL, jpegs.PROGRESSIVE])
@pytest.mark.parametrize("allocated", [12, 16])
def test_12_bit_jpeg_is_exact(frame: int, allocated: int) -> None:
    samples = jpeg_12(jpegs.flat_blocks(MEANS, 12, frame), deep(BLOCKS, BitsAllocated=allocated))
    assert samples.dtype == np.uint16
    np.testing.assert_array_equal(samples, BLOCKS)


def test_12_bit_jpeg_that_is_damaged_or_in_colour_is_refused() -> None:
    frame = jpegs.flat_blocks(MEANS)
    wrong = encapsulated(deep(BLOCKS[:8]), [frame], JPEG + "51")
    with pytest.raises(InputError, match="its encoded pixels are 16 rows of 24, not 8 of 24"):
        read(wrong)
    colour = encapsulated(deep(np.zeros((16, 24, 3), np.uint16)), [frame], JPEG + "51")
    with pytest.raises(InputError, match="12-bit JPEG in colour"):
        read(colour)


def test_without_gdcm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gdcm", None)
    with pytest.raises(MissingExtra, match="12-bit JPEG"):
        read(encapsulated(deep(BLOCKS), [jpegs.flat_blocks(MEANS)], JPEG + "51"))


@pytest.mark.parametrize(("size", "length"), [(100, 100), (10**6, 10**6), (2 * 10**6, 10**6)])
def test_a_deflated_frame_gives_no_more_than_a_frame_takes(size: int, length: int) -> None:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    encoded = deflate.compress(bytes(range(250)) * 4000) + deflate.flush()
    assert inflate(encoded, size) == (bytes(range(250)) * 4000)[:length]
