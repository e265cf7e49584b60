"""Pixels that are not square. dcmj2pnm 3.6.7 +Sxv, which keeps the aspect, gives the same heights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgekit.inputs import images
from tests.dicoms import RAMP, dataset, encode, item, read

VALUES = (np.arange(12).reshape(3, 4) * 20).astype(np.uint8)


@pytest.mark.parametrize(
    ("elements", "size"),
    [
        ({"PixelAspectRatio": ["2", "1"]}, (4, 6)),
        ({"PixelAspectRatio": ["1", "2"]}, (8, 3)),
        ({"PixelSpacing": ["2", "1"]}, (4, 6)),
        ({"PixelSpacing": ["0.5", "1"]}, (8, 3)),
        ({"ImagerPixelSpacing": ["0.3", "0.1"]}, (4, 9)),
        ({"NominalScannedPixelSpacing": ["2", "1"]}, (4, 6)),
        ({"PixelSpacing": ["1", "1"], "PixelAspectRatio": ["2", "1"]}, (4, 3)),
        ({"PixelSpacing": ["1", "1"], "ImagerPixelSpacing": ["2", "1"]}, (4, 3)),
        ({"ImagerPixelSpacing": ["2", "1"], "PixelAspectRatio": ["1", "1"]}, (4, 6)),
        ({"ImagerPixelSpacing": ["0.1986", "0.1988"]}, (4, 3)),
    ],
)
def test_pixels_are_made_square(elements: dict[str, list[str]], size: tuple[int, int]) -> None:
    picture = read(dataset(VALUES, **elements))
    assert picture.image.size == size
    plain = read(dataset(VALUES)).image
    assert (np.asarray(picture.image) == np.asarray(plain.resize(size, Image.Resampling.BICUBIC))).all()
    if size == (4, 3):
        assert not picture.notes
    else:
        assert picture.notes[0].endswith(f"stretched to {size[0]}x{size[1]}.")


@pytest.mark.parametrize(
    ("keyword", "value", "reason"),
    [
        ("PixelSpacing", ["0", "0"], "it is 0 by 0"),
        ("PixelSpacing", ["0.1", "200"], "it is 0.1 by 200"),
        ("PixelSpacing", ["-1", "1"], "it is -1 by 1"),
        ("ImagerPixelSpacing", "2", "it is 2"),
        ("PixelAspectRatio", ["0", "1"], "it is 0 by 1"),
        ("PixelSpacing", None, "Pixel Spacing is empty"),
    ],
)
def test_a_spacing_that_can_not_be_used_is_none(keyword: str, value: Any, reason: str) -> None:
    picture = read(dataset(VALUES, **{keyword: value}))
    assert picture.image.size == (4, 3)
    assert len(picture.notes) == 1
    assert picture.notes[0].endswith(f" is left out: {reason}.")


def test_a_spacing_behind_one_that_can_not_be_used_counts() -> None:
    picture = read(dataset(VALUES, PixelSpacing=["0", "0"], PixelAspectRatio=["2", "1"]))
    assert picture.image.size == (4, 6)
    assert len(picture.notes) == 2


def test_where_stretching_would_be_too_large_the_other_side_shrinks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(dataset(RAMP, PixelSpacing=["2", "1"]))
    wide = encode(dataset(RAMP, PixelSpacing=["1", "2"]))
    monkeypatch.setattr(images, "MAX_SIDE", 30)
    assert (read(data).image.size, read(wide).image.size) == ((10, 20), (20, 10))


def test_colour_is_stretched_too_and_frames_have_spacings_of_their_own() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert read(dataset(colours, PixelAspectRatio=["2", "1"])).image.size == (7, 10)
    instance = dataset(np.stack([VALUES, VALUES]))
    instance.SharedFunctionalGroupsSequence = [item(PixelMeasuresSequence=[item(PixelSpacing=["2", "1"])])]
    assert read(instance).image.size == (4, 6)
