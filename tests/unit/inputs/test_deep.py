"""More than 8 bits a sample: the values that were written come back scaled, whatever the file's form."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgekit.errors import InputError
from edgekit.inputs.images import load_image
from tests.unit.inputs.written import Order, chunk, png, tiff

RNG = np.random.default_rng(3)
TWELVE = RNG.integers(0, 4096, (9, 7, 4)).astype(np.uint16)
TWELVE[0, 0] = 4095
FULL = RNG.integers(0, 65536, (9, 7, 4)).astype(np.uint16)
FULL[0, 0] = 65535
RAMP = np.arange(63, dtype=np.uint16).reshape(9, 7, 1) * 66  # ends at 4092: 12 bits


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(load_image(data).image)


def scaled(values: npt.NDArray[Any], white: int) -> npt.NDArray[Any]:
    return np.broadcast_to(values * (255 / white), (*values.shape[:2], 3))


COLOUR = {
    "PNG": lambda values: png(values[..., :3]),
    "PNG with alpha": lambda values: png(values),
    "TIFF": lambda values: tiff(values[..., :3], 2),
    "big-endian TIFF": lambda values: tiff(values[..., :3], 2, order=">"),
    "deflated TIFF": lambda values: tiff(values[..., :3], 2, deflate=True),
    "deflated big-endian TIFF": lambda values: tiff(values[..., :3], 2, order=">", deflate=True),
    "planar TIFF": lambda values: tiff(values[..., :3], 2, planar=True),
    "planar big-endian TIFF": lambda values: tiff(values[..., :3], 2, order=">", planar=True),
    "TIFF with alpha": lambda values: tiff(values, 2, t338=2),
    "planar TIFF with alpha": lambda values: tiff(values, 2, planar=True, t338=2),
    "TIFF with a fourth sample": lambda values: tiff(values, 2, t338=0),
}


@pytest.mark.parametrize("kind", COLOUR)
@pytest.mark.parametrize(("values", "white"), [(TWELVE, 4095), (FULL, 65535)], ids=["12", "16"])
def test_colour_is_scaled_by_the_depth_that_it_uses(kind: str, values: npt.NDArray[np.uint16], white: int) -> None:
    np.testing.assert_allclose(pixels(COLOUR[kind](values)), scaled(values[..., :3], white), atol=0.51)


def test_a_picture_of_many_rows_has_one_depth() -> None:
    values = np.zeros((200, 3, 3), np.uint16)
    values[:, 1] = 1023
    values[199, 2] = 4095
    np.testing.assert_allclose(pixels(png(values)), scaled(values, 4095), atol=0.51)


def test_alpha_sets_no_depth() -> None:
    values = TWELVE.copy()
    values[..., 3] = 65535
    np.testing.assert_allclose(pixels(png(values)), scaled(values[..., :3], 4095), atol=0.51)


def test_grey_with_alpha_is_scaled_as_grey_is() -> None:
    np.testing.assert_allclose(pixels(png(TWELVE[..., :2])), scaled(TWELVE[..., :1], 4095), atol=0.51)


def test_inks_of_16_bits_are_pillows_inks_of_8() -> None:
    inks = (FULL >> 8).astype(np.uint8)
    theirs = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"))
    np.testing.assert_allclose(pixels(tiff(inks.astype(np.uint16) * 257, 5)), theirs, atol=1)


@pytest.mark.parametrize("turn", range(1, 9))
def test_deep_colour_is_turned_upright(turn: int) -> None:
    values = np.repeat(TWELVE[..., :3] >> 4, 1, axis=0).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = turn
    shallow = io.BytesIO()
    Image.fromarray(values).save(shallow, "PNG", exif=exif)
    deep = png(values.astype(np.uint16) * 257, (b"eXIf", exif.tobytes()[6:]))
    assert (pixels(deep) == pixels(shallow.getvalue())).all()
    assert (pixels(tiff(values.astype(np.uint16) * 257, 2, t274=turn)) == pixels(tiff(values, 2, t274=turn))).all()


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("form", ["<u1", "<u2", ">u2", "<i2", ">i2", "<u4", "<i4", ">i4", "<f4", ">f4"])
def test_white_is_zero_is_no_negative(form: str, deflate: bool) -> None:
    order: Order = "<" if form[0] == "<" else ">"
    dtype = form[1:]
    stored = (RAMP // 16 if dtype == "u1" else RAMP).astype(dtype)
    white, black = (pixels(tiff(stored, photometric, order=order, deflate=deflate)) for photometric in (0, 1))
    np.testing.assert_allclose(black, scaled(stored, _white(dtype)), atol=0.51)
    np.testing.assert_allclose(white, 255 - scaled(stored, _white(dtype)), atol=0.51)


def _white(dtype: str) -> int:
    """What is white in the ramp: its last value where floats are spread, else the most that its bits hold."""
    return {"u1": 255, "f4": 62 * 66}.get(dtype, 4095)


def test_white_is_zero_of_one_bit() -> None:
    bits = Image.fromarray((RAMP[..., 0] % 3 == 0).astype(np.uint8) * 255).convert("1")
    files = [io.BytesIO(), io.BytesIO()]
    for file, photometric in zip(files, (0, 1), strict=True):
        bits.save(file, "TIFF", tiffinfo={262: photometric})
    expected = np.asarray(bits.convert("RGB"))
    assert all((pixels(file.getvalue()) == expected).all() for file in files)


def test_grey_with_alpha_whose_zero_is_white() -> None:
    samples = (TWELVE[..., :2] >> 4).astype(np.uint8)
    assert (pixels(tiff(samples, 0, t338=2)) == 255 - pixels(tiff(samples, 1, t338=2))).all()


def test_each_page_has_its_own_zero() -> None:
    """The first page is one that Pillow does not know, so that the file is read as a copy."""
    pages = [tiff(RAMP, photometric, order=">") for photometric in (0, 1)]
    shift = len(pages[0])
    second = bytearray(pages[1])
    for tag in (273,):  # the pixels' place
        entry = pages[1].index(struct.pack(">HHI", tag, 4, 1))
        second[entry + 8 : entry + 12] = struct.pack(">I", shift + struct.unpack_from(">I", second, entry + 8)[0])
    (count,) = struct.unpack_from(">H", pages[0], 8)
    both = bytearray(pages[0] + second)
    struct.pack_into(">I", both, 10 + 12 * count, shift + 8)
    first, other = (np.asarray(load_image(bytes(both), frame).image) for frame in (0, 1))
    assert (first == 255 - other).all()
    assert other[0, 0, 0] == 0


def test_what_is_not_finite_stays_black_in_a_negative() -> None:
    values = RAMP.astype(np.float32)
    values[3, 3] = np.nan
    assert pixels(tiff(values, 0))[3, 3, 0] == pixels(tiff(values, 1))[3, 3, 0] == 0


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "f4"])
def test_signed_grey_goes_from_the_least_to_the_greatest(dtype: str, order: Order, deflate: bool) -> None:
    values = (RAMP.astype(int) // (33 if dtype == "i1" else 1) - 60).astype(dtype)
    expected = (values.astype(float) - values.min()) / np.ptp(values.astype(float)) * 255
    np.testing.assert_allclose(
        pixels(tiff(values, 1, order=order, deflate=deflate)), np.broadcast_to(expected, (9, 7, 3)), atol=0.51
    )


def test_unsigned_grey_of_32_bits_is_not_taken_for_signed() -> None:
    values = RAMP.astype(np.uint32) * (2**32 // 4096)
    assert values.max() > 2**31
    np.testing.assert_allclose(pixels(tiff(values, 1)), scaled(values, 2**32 - 1), atol=0.51)


DAMAGED = {
    "PNG": png(TWELVE[..., :3]),
    "TIFF": tiff(TWELVE[..., :3], 2, deflate=True),
    "planar TIFF": tiff(TWELVE[..., :3], 2, planar=True),
    "negative": tiff(RAMP, 0, order=">"),
}


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damage_ends_in_a_picture_or_one_error(data: st.DataObject) -> None:
    damaged = bytearray(DAMAGED[data.draw(st.sampled_from(list(DAMAGED)))])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(200, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    try:
        assert load_image(bytes(damaged)).image.mode == "RGB"
    except InputError as error:
        assert error.hint


def test_forms_without_a_way_are_refused_by_name() -> None:
    for data, words in {
        tiff(TWELVE, 2, t338=1): "16-bit colour in a form that is not read",
        tiff(TWELVE[..., :3], 2, planar=True, deflate=True): "16-bit colour in a form that is not read .planes",
        tiff(TWELVE, 5, planar=True): "16-bit colour in a form that is not read",
        tiff(RAMP.astype(np.float64), 1): "a TIFF of a rare kind",
        tiff(TWELVE[..., :3].astype(np.float32), 2): "a TIFF of a rare kind",
    }.items():
        with pytest.raises(InputError, match=words) as caught:
            load_image(data)
        assert caught.value.hint


def test_a_later_frame_of_deep_colour_is_refused() -> None:
    """An animated PNG's later frames are drawn over what is beneath, and that can't be done byte by byte."""
    control = struct.pack(">5I2H2B", 0, 7, 9, 0, 0, 1, 1, 0, 1)
    first = png(TWELVE, (b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", control))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in TWELVE)
    later = chunk(b"fcTL", b"\0\0\0\1" + control[4:]) + chunk(b"fdAT", b"\0\0\0\2" + zlib.compress(rows))
    animated = first[:-12] + later + first[-12:]
    np.testing.assert_allclose(pixels(animated), scaled(TWELVE[..., :3], 4095), atol=0.51)
    with pytest.raises(InputError, match="animation of 16-bit colour"):
        load_image(animated, 1)
