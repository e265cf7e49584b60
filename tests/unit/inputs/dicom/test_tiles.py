"""Whole slides: tiles that are put together, or refused in words."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs import images
from edgekit.inputs.dicom import tiles
from tests.dicoms import dataset, encapsulated, encode, item, least_to_greatest, read, shades, slide

WHOLE = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
PLACES = [5, 0, 3, 1, 4]  # of six, in any order; the third of the first row is in no tile


def test_a_full_slide_is_put_together() -> None:
    picture = read(slide(WHOLE, 32))
    assert (np.asarray(picture.image) == WHOLE).all()
    assert picture.notes == ("It is a slide of 6 tiles, put together to 70x50.",)


def test_a_sparse_slide_is_put_together_and_white_elsewhere() -> None:
    picture = read(slide(WHOLE, 32, PLACES))
    expected = WHOLE.copy()
    expected[:32, 64:] = 255
    assert (np.asarray(picture.image) == expected).all()
    assert picture.notes[1:] == ("5 % of the slide is in no tile and left blank.",)
    assert (np.asarray(read(slide(WHOLE, 32, [*PLACES, 2])).image) == WHOLE).all()


def test_a_grey_slide_and_encoded_tiles() -> None:
    grey = (np.arange(35 * 40).reshape(35, 40) * 3).astype(np.uint16)
    np.testing.assert_allclose(shades(slide(grey, 16)), least_to_greatest(grey), atol=1)
    instance = slide(grey, 16)
    frames = [instance.PixelData[at : at + 512] for at in range(0, len(instance.PixelData), 512)]
    data = encapsulated(instance, frames, "1.2.840.10008.1.2.1.98")
    np.testing.assert_allclose(shades(data), least_to_greatest(grey), atol=1)


def test_one_tile_may_be_asked_for() -> None:
    assert (np.asarray(read(slide(WHOLE, 32), frame=1).image) == WHOLE[:32, 32:64]).all()


def test_other_planes_and_paths_are_left_out() -> None:
    instance = slide(WHOLE, 32, [0, 1, 2, 3, 4, 5, 0, 1])
    for index, group in enumerate(instance.PerFrameFunctionalGroupsSequence):
        group.PlanePositionSlideSequence[0].ZOffsetInSlideCoordinateSystem = index // 6
        group.OpticalPathIdentificationSequence = [item(OpticalPathIdentifier="1")]
    pixels = bytearray(instance.PixelData)
    pixels[6 * 32 * 32 * 3 :] = bytes(len(pixels) - 6 * 32 * 32 * 3)  # black, were they drawn
    instance.PixelData = bytes(pixels)
    assert (np.asarray(read(instance).image) == WHOLE).all()
    full = slide(WHOLE, 32)
    full.PixelData += bytes(len(full.PixelData))
    full.NumberOfFrames = 12
    assert (np.asarray(read(full).image) == WHOLE).all()


def test_a_slide_in_one_frame_is_a_picture() -> None:
    instance = dataset(WHOLE, TotalPixelMatrixRows=50, TotalPixelMatrixColumns=70)
    assert not read(instance).notes


def test_a_slide_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = slide(WHOLE, 32, TotalPixelMatrixColumns=90_000)
    with pytest.raises(InputError, match=r"with 90000x50 pixels is too large.*one level of a slide") as caught:
        read(instance)
    assert "lower resolution" in caught.value.hint
    data = encode(slide(WHOLE, 32))
    monkeypatch.setattr(images, "MAX_SIDE", 64)  # what each of its tiles fits
    with pytest.raises(InputError, match="one level of a slide"):
        read(data)
    monkeypatch.undo()
    monkeypatch.setattr(tiles, "MAX_TILES", 4)
    for order in (None, PLACES):
        with pytest.raises(InputError, match=r"is a slide of . tiles; at most 4"):
            read(slide(WHOLE, 32, order))


@pytest.mark.parametrize("order", [None, [0, 0, 0, 0, 0, 0]])
def test_tiles_that_hold_far_more_than_the_slide_are_refused(
    monkeypatch: pytest.MonkeyPatch, order: list[int] | None
) -> None:
    monkeypatch.setattr(tiles, "MAX_DECODED", 6 * 32 * 32 - 1)
    with pytest.raises(InputError, match="whose 6 tiles hold many times its pixels"):
        read(slide(WHOLE, 32, order))


@pytest.mark.parametrize("side", ["Rows", "Columns"])
def test_a_size_of_the_whole_that_can_not_be_read_is_left_out(side: str) -> None:
    instance = dataset(WHOLE, TotalPixelMatrixRows=50, TotalPixelMatrixColumns=70)
    instance.add_new(f"TotalPixelMatrix{side}", "LO", "wide")
    picture = read(instance)
    assert (np.asarray(picture.image) == WHOLE).all()
    assert picture.notes == (f"The whole slide is left out: Total Pixel Matrix {side} is 'wide', no number.",)


def test_a_slide_that_lacks_tiles_or_places_them_outside_is_refused() -> None:
    with pytest.raises(InputError, match="a slide of 6 tiles and holds 4"):
        read(slide(WHOLE, 32, NumberOfFrames=4))
    instance = slide(WHOLE, 32, PLACES)
    place = instance.PerFrameFunctionalGroupsSequence[1].PlanePositionSlideSequence[0]
    place.RowPositionInTotalImagePixelMatrix = 0
    with pytest.raises(InputError, match="tile 1 of the slide lies outside"):
        read(instance)
