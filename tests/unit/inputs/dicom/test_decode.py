"""Stored values, whichever way they are stored; JPEG frames are written here, so that each sample is known."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless, RLELossless

from edgekit.errors import InputError
from tests import jpegs
from tests.dicoms import DEEP, RAMP, dataset, deep, encapsulated, encode, least_to_greatest, read, shades, under

SIGNED = np.array([[-2048, -100, -1, 0], [1, 100, 1000, 2047]], np.int16)
MEANS = np.array([[0, 700, 4095], [2048, 100, 3000]])
BLOCKS = np.kron(MEANS, np.ones((8, 8), int)).astype(np.uint16)
JPEG = "1.2.840.10008.1.2.4."


def drawn(instance: Any, values: npt.NDArray[Any]) -> None:
    np.testing.assert_allclose(shades(instance), least_to_greatest(values.astype(int)), atol=1)


@pytest.mark.parametrize(
    ("values", "true", "high"),
    [
        (DEEP << 4, DEEP, 15),
        (DEEP << 4 | 7, DEEP, 15),
        (DEEP << 2 | 0x8001, DEEP, 13),
        (DEEP | 0x8000, DEEP, 11),
        (DEEP | 0xF000, DEEP, 11),
        (SIGNED << 4, SIGNED, 15),
        ((SIGNED & 0x0FFF), SIGNED, 11),
        (SIGNED << 1, SIGNED, 12),
    ],
)
def test_a_value_is_where_the_high_bit_says(values: npt.NDArray[Any], true: npt.NDArray[Any], high: int) -> None:
    instance = deep(values, HighBit=high)
    drawn(instance, true)
    instance.compress(RLELossless, generate_instance_uid=False)
    drawn(instance, true)


@pytest.mark.parametrize("high", [7, 16, 255])
def test_a_high_bit_that_can_not_be_is_left_out(high: int) -> None:
    instance = deep(HighBit=high)
    drawn(instance, DEEP)
    assert read(instance).notes == (f"High Bit is left out: it is {high}, with 12 of 16 bits stored.",)


@pytest.mark.parametrize("number", ["53", "51", "55"])
def test_jpeg_of_12_and_8_bits(number: str) -> None:
    frame = jpegs.SEQUENTIAL if number == "51" else jpegs.PROGRESSIVE
    drawn(encapsulated(deep(BLOCKS), [jpegs.flat_blocks(MEANS, 12, frame)], JPEG + number), BLOCKS)
    eight = jpegs.flat_blocks(MEANS // 16, 8, frame)
    drawn(encapsulated(dataset((BLOCKS // 16).astype(np.uint8)), [eight], JPEG + number), BLOCKS // 16)


def test_12_bit_jpeg_frame_by_frame() -> None:
    frames = [jpegs.flat_blocks(np.array([[value, 4095, 0]])) for value in (500, 1000, 2000)]
    instance = deep(np.zeros((3, 8, 24), np.uint16), WindowCenter="2048", WindowWidth="4096")
    data = encapsulated(instance, frames, JPEG + "51")
    assert [shades(data, frame)[0, 0] for frame in range(3)] == [31, 62, 125]


@pytest.mark.parametrize(("precision", "high"), [(12, 11), (12, 15), (16, 11), (16, 15)])
def test_lossless_jpeg_may_keep_the_room_of_left_justified_values(precision: int, high: int) -> None:
    values = DEEP << 4 if precision == 16 and high == 15 else DEEP
    for number in ("57", "70"):
        drawn(encapsulated(deep(HighBit=high), [jpegs.lossless(values, precision)], JPEG + number), DEEP)


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian, JPEG2000Lossless])
def test_compressed_files_give_the_same_picture(syntax: UID) -> None:
    instance = dataset(np.kron(RAMP, np.ones((4, 4), np.uint16)), WindowCenter="1000", WindowWidth="900")
    plain = shades(instance)
    if syntax == DeflatedExplicitVRLittleEndian:
        instance.file_meta.TransferSyntaxUID = syntax
    else:
        instance.compress(syntax, generate_instance_uid=False)
    assert (shades(instance) == plain).all()


def test_jpeg_2000_has_the_bits_that_it_says() -> None:
    values = np.kron(RAMP, np.ones((4, 4), np.uint16)) * 10
    instance = dataset(values)
    instance.compress(JPEG2000Lossless, generate_instance_uid=False)
    instance.BitsStored, instance.HighBit = 12, 11
    drawn(instance, values)


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("stored", "reason"), [(0, "is 0, of 16"), (17, "is 17, of 16"), (None, "is missing")])
def test_bits_stored_that_can_not_be(stored: int | None, reason: str, encoded: bool) -> None:
    instance = deep()
    instance.BitsStored = stored
    data = encapsulated(instance, [jpegs.lossless(DEEP, 12)], JPEG + "70") if encoded else encode(instance)
    with pytest.raises(InputError, match=f"Bits Stored {reason}"):
        read(data)


def deflated(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


@pytest.mark.parametrize("number", ["8.1", "1.98"])
def test_frames_deflated_or_bare_in_items(number: str) -> None:
    frames = np.stack([RAMP, RAMP[::-1], RAMP.T])
    encoded = [deflated(frame.tobytes()) if number == "8.1" else frame.tobytes() for frame in frames]
    data = encapsulated(dataset(frames), encoded, f"1.2.840.10008.1.2.{number}")
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(shades(data, index), shades(dataset(frame)))
    bits = np.packbits(RAMP[:3, :5] % 20 == 0, axis=None, bitorder="little").tobytes()
    instance = dataset(RAMP[:3, :5], BitsAllocated=1, BitsStored=1, HighBit=0)
    data = encapsulated(instance, [deflated(bits) if number == "8.1" else bits], f"1.2.840.10008.1.2.{number}")
    assert (shades(data) == 255 * (RAMP[:3, :5] % 20 == 0)).all()


def test_a_deflated_frame_that_is_too_short_is_refused() -> None:
    data = encapsulated(dataset(RAMP), [deflated(RAMP.tobytes()[:400])], "1.2.840.10008.1.2.8.1")
    with pytest.raises(InputError, match="its pixels take 800 B, of which 400 B are missing"):
        read(data)


def ge(values: npt.NDArray[Any], **elements: Any) -> bytes:
    """A file in GE's private syntax: implicit VR, little-endian, but the samples big-endian."""
    instance = dataset(values, **elements)
    instance.PixelData = values.astype(values.dtype.newbyteorder(">")).tobytes()
    instance.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2")
    return under(encode(instance), "1.2.840.113619.5.2")


def test_ges_private_syntax() -> None:
    drawn(ge(DEEP, BitsStored=12, HighBit=11), DEEP)
    drawn(ge(SIGNED), SIGNED)
    drawn(ge(np.arange(12, dtype=np.uint8).reshape(3, 4)), np.arange(12).reshape(3, 4))


def test_big_endian_files() -> None:
    """Samples of 16 bits, and of 8 in words, which are swapped in pairs."""
    deep_ones = deep(PixelData=DEEP.astype(">u2").tobytes())
    deep_ones.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    drawn(deep_ones, DEEP)
    eight = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for vr, pixels in (("OW", eight.view("<u2").byteswap().tobytes()), ("OB", eight.tobytes())):
        instance = dataset(eight)
        instance.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        instance.add_new("PixelData", vr, pixels)
        drawn(instance, eight)


@pytest.mark.parametrize("table", [True, False])
def test_a_frame_in_several_items(table: bool) -> None:
    """A frame may be cut into items, and is found by a table of offsets, or because it is the only one."""
    frame = jpegs.flat_blocks(MEANS)
    frame += b"\0" * (len(frame) % 2)
    offsets = struct.pack("<I", 0) if table else b""
    items = [offsets, frame[:60], frame[60:]]
    pixels = b"".join(b"\xfe\xff\0\xe0" + struct.pack("<I", len(part)) + part for part in items)
    data = encapsulated(deep(BLOCKS), [b"\0\0"], JPEG + "51")
    start = data.index(b"\xe0\x7f\x10\0") + 12
    drawn(data[:start] + pixels + b"\xfe\xff\xdd\xe0\0\0\0\0", BLOCKS)
