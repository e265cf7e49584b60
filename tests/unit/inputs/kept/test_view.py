"""What a page gets of a picture: with the arithmetic of docs/ward.md it comes to the shades that the model sees."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgekit.errors import DecodeError, InputError
from edgekit.inputs.dicom.grayscale import Presentation
from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep
from edgekit.inputs.kept.view import View, grey_view, of_shades, png, view
from tests.dicoms import DEEP, RAMP, dataset, deep, encode, item, table, words
from tests.unit.inputs.kept.test_plain import RGB, saved
from tests.unit.inputs.written import png as written_png

RNG = np.random.default_rng(6)
NOISE = RNG.integers(0, 2**16, (60, 70), dtype=np.uint16)
SIGNED = NOISE.view(np.int16)
COLOURS = np.stack([RAMP.astype(np.uint8), (RAMP >> 4).astype(np.uint8), RAMP.astype(np.uint8)], -1)
IDENTITY = table([4096, 0, 12], words(range(4096)))
STORED = {
    "no window": dataset(NOISE),
    "12 bits": deep(NOISE >> 4),
    "8 bits": dataset(NOISE.astype(np.uint8)),
    "1 value": dataset(np.full((3, 4), 700, np.uint16)),
    "signed, no window": dataset(SIGNED),
    "black is white": deep(NOISE >> 4, PhotometricInterpretation="MONOCHROME1"),
    "window": deep(NOISE >> 4, WindowCenter="2000", WindowWidth="501"),
    "exact window": deep(NOISE >> 4, WindowCenter="2000.5", WindowWidth="510", VOILUTFunction="LINEAR_EXACT"),
    "sigmoid": deep(NOISE >> 4, WindowCenter="2000", WindowWidth="900", VOILUTFunction="SIGMOID"),
    "rescaled": dataset(SIGNED, RescaleSlope="0.1", RescaleIntercept="-0.3", WindowCenter="100.7", WindowWidth="2999"),
    "falling": dataset(SIGNED, RescaleSlope="-0.1", RescaleIntercept="7", WindowCenter="100", WindowWidth="2999"),
    "rescaled, no window": dataset(NOISE, RescaleSlope="0.7", RescaleIntercept="-1000"),
    "falling, no window": dataset(NOISE, RescaleSlope="-0.7", RescaleIntercept="-1000"),
    "table": deep(NOISE >> 4, VOILUTSequence=[table([4096, 0, 12], words(RNG.integers(0, 4096, 4096)))]),
    "table of 16 bits": dataset(NOISE, VOILUTSequence=[table([0, 0, 16], words(np.arange(65_536)[::-1]))]),
    "modality table": deep(
        NOISE >> 4, ModalityLUTSequence=[table([4096, 0, 16], words(np.arange(4096) ** 2 >> 9), ModalityLUTType="US")]
    ),
    "padding": dataset(
        SIGNED, PixelPaddingValue=-32768, PixelPaddingRangeLimit=-9000, WindowCenter="0", WindowWidth="900"
    ),
    "padding, black is white": dataset(
        SIGNED, PixelPaddingValue=9000, PixelPaddingRangeLimit=9900, PhotometricInterpretation="MONOCHROME1"
    ),
    "padding where there is no room": dataset(NOISE, PixelPaddingValue=500, PixelPaddingRangeLimit=600),
    "padding behind a table": deep(
        NOISE >> 4, PixelPaddingValue=0, PixelPaddingRangeLimit=9, VOILUTSequence=[IDENTITY]
    ),
    "32 bits that are near": dataset(NOISE.astype(np.uint32) + 4_000_000_000),
    "32 bits that are not": dataset(NOISE.astype(np.uint32) * 65_000),
    "colour": dataset(COLOURS),
    "frames": dataset(np.stack([NOISE, NOISE >> 3, NOISE.T.reshape(NOISE.shape)])),
}  # fmt: skip
STORED["padding where there is no room"].PixelData = (
    np.concatenate([[0, 65_535], NOISE.ravel()[2:]]).astype("<u2").tobytes()
)


def page(numbers: npt.NDArray[np.uint16], told: dict[str, Any]) -> npt.NDArray[np.uint8]:
    """What docs/ward.md has a page do, in plain numbers, one operation at a time."""
    shades = []
    for number in range(2**16):
        value = (number + told["offset"]) * told["slope"] + told["intercept"]
        center, width = told["center"], told["width_of_window"]
        if told["function"] == "LINEAR":
            share = (value - (center - 0.5)) / max(width - 1, 1e-6) + 0.5
        elif told["function"] == "LINEAR_EXACT":
            share = (value - center) / width + 0.5
        else:
            share = 1 / (1 + math.exp(min(max(-4 * (value - center) / width, -700), 700)))
        shade = round(255 * min(max(share, 0), 1))  # half to even, as Uint8ClampedArray rounds
        shades.append(0 if number == told["padding"] else 255 - shade if told["invert"] else shade)
    return np.array(shades, np.uint8)[numbers]


@pytest.mark.parametrize("kind", STORED)
def test_a_page_draws_what_the_model_sees(kind: str) -> None:
    file = keep(encode(STORED[kind])).file
    for frame in (None, *range(int(STORED[kind].get("NumberOfFrames", 1)))):
        expected = np.asarray(load_image(file, frame).image)
        shown = view(file, frame, 0)
        drawn = np.asarray(Image.open(io.BytesIO(png(file, frame, 0))).convert("RGB"))
        assert (drawn == expected).all()
        if isinstance(shown, View):
            told = json.loads(json.dumps(shown.document()))
            assert (told["height"], told["width"]) == shown.pixels.shape == expected.shape[:2]
            assert (page(shown.pixels, told) == expected[..., 0]).all()
            assert (shown.shades() == expected[..., 0]).all()
        else:
            assert kind == "colour"
            assert (np.asarray(Image.open(io.BytesIO(shown))) == expected).all()


@pytest.mark.parametrize(
    "values", [DEEP[..., None], NOISE[..., None], RGB[..., :1], RGB], ids=["12", "16", "8", "colour"]
)
def test_the_same_of_other_pictures(values: npt.NDArray[Any]) -> None:
    file = keep(written_png(values)).file
    expected = np.asarray(load_image(file).image)
    shown = view(file, None, 0)
    assert isinstance(shown, View) == (values.shape[-1] == 1)
    if isinstance(shown, View):
        assert (page(shown.pixels, shown.document()) == expected[..., 0]).all()
        assert shown.pixels.max() == values.max()
    assert (np.asarray(Image.open(io.BytesIO(png(file, None, 0))).convert("RGB")) == expected).all()


def test_values_keep_their_depth() -> None:
    shown = view(keep(encode(STORED["rescaled"])).file, None, 0)
    assert isinstance(shown, View)
    values = (shown.pixels.astype(int) + shown.offset) * shown.slope + shown.intercept
    assert (values == SIGNED * 0.1 - 0.3).all()
    assert (shown.function, shown.window) == ("LINEAR", (100.7, 2999))


def test_what_16_bits_can_not_hold_is_shown_as_it_is_drawn() -> None:
    for kind in ("32 bits that are not", "padding where there is no room"):
        shown = view(keep(encode(STORED[kind])).file, None, 0)
        assert isinstance(shown, View)
        assert shown.pixels.max() == 255
    floats = np.array([[0.5, np.nan, 7.25]], np.float32)
    presentation = Presentation(None, None, None, False)
    assert (grey_view(floats, presentation).shades() == presentation(floats)).all()
    assert (of_shades(RGB[..., 0]).shades() == RGB[..., 0]).all()


@pytest.mark.parametrize("kind", ["window", "padding", "colour"])
def test_larger_ones_are_scaled_down(kind: str) -> None:
    file = keep(encode(STORED[kind])).file
    whole, shown = view(file, None, 0), view(file, None, 10)
    drawn = Image.open(io.BytesIO(png(file, None, 10)))
    assert max(drawn.size) == 10
    if isinstance(shown, View) and isinstance(whole, View):
        assert shown.pixels.shape == (9, 10)
        assert {**shown.document(), "width": 70, "height": 60} == whole.document()
        assert (np.asarray(drawn) == shown.shades()).all()


def test_pixels_that_are_not_square_are_sent_square() -> None:
    for instance, size in (
        (deep(RAMP, PixelSpacing=["2", "1"]), (20, 40)),
        (dataset(COLOURS, PixelSpacing=["1", "2"]), (40, 20)),
    ):
        file = keep(encode(instance)).file
        expected = np.asarray(load_image(file).image)
        drawn = Image.open(io.BytesIO(png(file, None, 0))).convert("RGB")
        assert drawn.size == size == load_image(file).image.size
        assert np.abs(np.asarray(drawn).astype(int) - expected).max() <= (2 if instance.SamplesPerPixel == 1 else 0)


def test_a_frame_has_its_own_window() -> None:
    instance = dataset(np.stack([RAMP, RAMP]))
    instance.PerFrameFunctionalGroupsSequence = [
        item(FrameVOILUTSequence=[item(WindowCenter=str(centre), WindowWidth="300")]) for centre in (500, 900)
    ]
    file = keep(encode(instance)).file
    for frame, centre in enumerate((500, 900)):
        shown = view(file, frame, 0)
        assert isinstance(shown, View)
        assert shown.window == (centre, 300)


def test_only_the_frame_asked_for_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    file = keep(encode(STORED["frames"])).file
    unpacked = []
    inflate = __import__("edgekit.inputs.dicom.codecs", fromlist=["inflate"]).inflate

    def counted(encoded: bytes, size: int) -> bytes:
        unpacked.append(size)
        inflated: bytes = inflate(encoded, size)
        return inflated

    monkeypatch.setattr("edgekit.inputs.dicom.codecs.inflate", counted)
    view(file, 2, 0)
    png(file, None, 5)
    assert unpacked == [NOISE.nbytes] * 2


@pytest.mark.parametrize("show", [view, png])
def test_what_can_not_be_shown_is_refused_as_ever(show: Any) -> None:
    for content, frame in (
        (b"", None),
        (saved(Image.fromarray(RGB), "PNG")[:-60], None),
        (encode(STORED["frames"]), 3),
    ):
        with pytest.raises(InputError) as expected:
            load_image(content, frame)
        with pytest.raises(InputError) as caught:
            show(content, frame, 0)
        assert str(caught.value) == str(expected.value)
        assert isinstance(caught.value, DecodeError) == isinstance(expected.value, DecodeError)


def test_the_page_has_the_arithmetic() -> None:
    text = (Path(__file__).parents[4] / "docs" / "ward.md").read_text(encoding="utf-8")
    shown = view(keep(encode(STORED["window"])).file, None, 0)
    assert isinstance(shown, View)
    assert not {key for key in shown.document() if f"`{key}`" not in text}
