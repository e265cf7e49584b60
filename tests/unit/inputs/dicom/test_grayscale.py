"""Grey values as a viewer shows them; each expected value is the standard's formula, or what dcmtk draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.pixels import apply_windowing

from tests.dicoms import DEEP, RAMP, dataset, deep, encode, item, least_to_greatest, read, shades

# dcmj2pnm 3.6.7 --write-raw-pnm +Wm (least to greatest), and +Wi 1 (the first window), of DEEP; it cuts where we round.
PLAIN = [0, 6, 62, 124, 186, 217, 249, 255]
WINDOWED = [0, 0, 0, 127, 255, 255, 255, 255]
INVERSE = [255, 248, 192, 130, 68, 37, 5, 0]


def drawn(instance: Dataset | bytes, expected: list[int]) -> tuple[str, ...]:
    """The notes on a picture that is drawn as expected."""
    np.testing.assert_allclose(shades(instance).ravel(), expected, atol=1)
    return read(instance).notes


def test_without_a_window_the_least_value_is_black_and_the_greatest_white() -> None:
    assert not drawn(deep(), PLAIN)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_apply_to_rescaled_values(function: str) -> None:
    signed = (RAMP.astype(np.int32) - 1000).astype(np.int16)
    instance = dataset(signed, RescaleSlope="0.5", RescaleIntercept="-100", VOILUTFunction=function)
    instance.WindowCenter, instance.WindowWidth = ["300", "0"], ["400", "9"]  # the first of two counts
    instance.BitsStored, instance.HighBit, instance.PixelRepresentation = 16, 15, 1
    expected = apply_windowing(signed * 0.5 - 100, instance, index=0)
    low, high = -32768 * 0.5 - 100, 32767 * 0.5 - 100
    np.testing.assert_allclose(shades(instance), (expected - low) / (high - low) * 255, atol=1)
    assert not read(instance).notes


def test_a_narrow_window_is_exact() -> None:
    values = np.arange(95, 107, dtype=np.uint8).reshape(3, 4)
    instance = dataset(values, WindowCenter="100", WindowWidth="8")
    np.testing.assert_allclose(shades(instance), apply_windowing(values, instance, index=0), atol=0.51)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(
    ("centre", "width", "reason"),
    [
        ("100", "0", "Window Width is 0"),
        ("100", "-5", "Window Width is -5"),
        ("", "40", "Window Center is empty"),
        ("100", "", "Window Width is empty"),
        (None, "40", "Window Center is missing"),
        ("100", None, "Window Width is missing"),
        ("40,5", "350", "Window Center is '40,5', no number"),
        ("40", "wide", "Window Width is 'wide', no number"),
        ("40", "nan", "Window Width is 'nan', no number"),
    ],
)
def test_a_window_that_can_not_be_used_is_none(
    centre: str | None, width: str | None, reason: str, function: str
) -> None:
    instance = dataset(RAMP, VOILUTFunction=function)
    data = written(instance, WindowCenter=centre, WindowWidth=width)
    assert (shades(data) == shades(dataset(RAMP))).all()
    assert read(data).notes == (f"The window is left out: {reason}.",)


@pytest.mark.parametrize(
    ("slope", "intercept", "reason"),
    [
        ("", "", "Rescale Slope is empty"),
        ("2", "", "Rescale Intercept is empty"),
        ("2", None, "Rescale Intercept is missing"),
        (None, "-1000", "Rescale Slope is missing"),
        ("0", "5", "Rescale Slope is 0"),
        ("1,5", "0", "Rescale Slope is '1,5', no number"),
        ("1", "inf", "Rescale Intercept is 'inf', no number"),
    ],
)
def test_a_rescale_that_can_not_be_used_is_none(slope: str | None, intercept: str | None, reason: str) -> None:
    data = written(deep(WindowCenter="2000", WindowWidth="1000"), RescaleSlope=slope, RescaleIntercept=intercept)
    assert drawn(data, WINDOWED) == (f"The rescale is left out: {reason}.",)


def test_a_rescale_may_turn_the_values_round() -> None:
    assert not drawn(deep(RescaleSlope="-1", RescaleIntercept="4095"), INVERSE)


def test_the_first_window_that_can_be_used_is_taken() -> None:
    instance = deep(WindowCenter=["2000", "2000"], WindowWidth=["0", "1000"])
    assert drawn(instance, WINDOWED) == ("Window 2 is taken: the width of the first is 0.",)
    assert not drawn(deep(WindowCenter=["2000", "300"], WindowWidth="1000"), WINDOWED)  # as dcmtk: the first pair


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")  # written on purpose
def test_an_unknown_function_is_linear() -> None:
    instance = deep(WindowCenter="2000", WindowWidth="1000", VOILUTFunction="FOO")
    assert drawn(instance, WINDOWED) == ("VOI LUT Function is left out: 'FOO' is none; LINEAR is assumed.",)
    assert not drawn(deep(WindowCenter="2000", WindowWidth="1000", VOILUTFunction="linear "), WINDOWED)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")  # written on purpose
@pytest.mark.parametrize(
    ("photometric", "shape", "expected", "noted"),
    [
        ("MONOCHROME1", None, INVERSE, False),
        ("monochrome2 ", None, PLAIN, False),
        ("MONOCHROME1", "INVERSE", INVERSE, False),
        ("MONOCHROME2", "IDENTITY", PLAIN, False),
        ("MONOCHROME2", "INVERSE", INVERSE, True),
        ("MONOCHROME1", "IDENTITY", PLAIN, True),
        ("MONOCHROME1", "ODD", INVERSE, False),
    ],
)
def test_which_end_is_black(photometric: str, shape: str | None, expected: list[int], noted: bool) -> None:
    instance = deep(PhotometricInterpretation=photometric)
    if shape:
        instance.PresentationLUTShape = shape
    notes = drawn(instance, expected)
    assert notes == ((f"Presentation LUT Shape {shape} is followed, not {photometric}.",) if noted else ())


@pytest.mark.parametrize(
    ("first", "last", "padded"),
    [
        (-2000, None, [-2000]),
        (-2000, -1998, [-2000, -1999, -1998]),
        (-1998, -2000, [-1999]),
        (-2000, 0, [-2000, -5, 0]),
    ],
)
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_does_not_count(first: int, last: int | None, padded: list[int], kind: str) -> None:
    values = np.array([[*padded, 100, 300, 200]], np.int16)
    instance = dataset(values, PixelPaddingValue=first, PhotometricInterpretation=kind)
    if last is not None:
        instance.PixelPaddingRangeLimit = last
    seen = [255, 0, 128] if kind == "MONOCHROME1" else [0, 255, 128]
    np.testing.assert_allclose(shades(instance)[0], [0] * len(padded) + seen, atol=1)


def test_padding_everywhere_is_a_picture_after_all() -> None:
    instance = dataset(np.full((2, 2), 7, np.uint16), PixelPaddingValue=7, WindowCenter="7", WindowWidth="11")
    assert (shades(instance) > 100).all()


@pytest.mark.parametrize(
    ("value", "vr", "dtype", "said"),
    [
        ("1e300", "DS", np.uint16, "1e+300, and pixels are 0 to 65535"),
        (0xFFFF, "US", np.uint8, "65535, and pixels are 0 to 255"),
        (-200_000, "SL", np.int16, "-200000, and pixels are -32768 to 32767"),
    ],
)
def test_padding_that_no_pixel_can_be_is_none(value: Any, vr: str, dtype: type, said: str) -> None:
    instance = dataset(np.array([[1, 2], [100, 127]], dtype) + np.iinfo(dtype).max // 2)
    plain = shades(instance)
    instance.add_new("PixelPaddingValue", vr, value)
    picture = read(instance)
    np.testing.assert_array_equal(np.asarray(picture.image)[..., 0], plain)
    assert picture.notes == (f"The padding is left out: Pixel Padding Value is {said}.",)


def test_padding_that_can_not_be_read_is_none() -> None:
    data = encode(deep(PixelPaddingValue=0)).replace(b"\x28\0\x20\1US\2\0\0\0", b"\x28\0\x20\1LO\2\0ab")
    assert drawn(data, PLAIN) == ("The padding is left out: Pixel Padding Value is 'ab', no number.",)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_of_floating_point(dtype: type[np.floating[Any]]) -> None:
    instance = dataset(DEEP.astype(dtype))
    keyword = "FloatPixelData" if dtype == np.float32 else "DoubleFloatPixelData"
    setattr(instance, keyword, instance.PixelData)
    del instance.PixelData, instance.BitsStored, instance.HighBit, instance.PixelRepresentation
    assert not drawn(instance, PLAIN)


def test_enhanced_files_keep_window_and_rescale_in_groups() -> None:
    instance = dataset(np.stack([RAMP, RAMP]))
    instance.SharedFunctionalGroupsSequence = [
        item(PixelValueTransformationSequence=[item(RescaleSlope="2", RescaleIntercept="0", RescaleType="US")])
    ]
    instance.PerFrameFunctionalGroupsSequence = [
        item(FrameVOILUTSequence=[item(WindowCenter=str(centre), WindowWidth="1000")]) for centre in (2000, 6000)
    ]
    for frame, centre in enumerate((2000, 6000)):
        expected = np.clip((RAMP * 2.0 - (centre - 0.5)) / 999 + 0.5, 0, 1) * 255
        np.testing.assert_allclose(shades(instance, frame), expected, atol=1)


def test_least_to_greatest_is_what_dcmtk_draws() -> None:
    np.testing.assert_allclose(least_to_greatest(DEEP).ravel(), PLAIN, atol=1)


def written(instance: Dataset, **decimals: str | None) -> bytes:
    """A file with decimal strings as they are given, which pydicom itself would refuse to write; None: without."""
    marks = {}
    for index, (keyword, value) in enumerate(decimals.items()):
        if value:
            marks[f"{index + 1}{'9' * (len(value) - 1)}"[: len(value)]] = value
            instance.add_new(keyword, "DS", list(marks)[-1])
        elif value == "":
            setattr(instance, keyword, None)
    data = encode(instance)
    for mark, value in marks.items():
        head = len(value) + len(value) % 2
        old = b"DS" + head.to_bytes(2, "little") + mark.encode()
        assert data.count(old) == 1, (mark, data.count(old))
        data = data.replace(old, old[:4] + value.encode())
    return data
