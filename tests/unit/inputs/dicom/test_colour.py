"""RGB and palettes. What dcmtk draws was measured with dcmj2pnm 3.6.7."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian

from edgekit.errors import InputError
from tests.dicoms import dataset, read, words

COLOURS = [[0, 9, 0, 255], [0, 0, 99, 255], [0, 50, 0, 255]]  # red, green, blue of four indices
DRAWN = [[[0, 0, 0], [9, 0, 50]], [[0, 99, 0], [255, 255, 255]]]  # dcmtk's, however the palette is stored
INDICES = np.array([[0, 1], [2, 3]], np.uint8)


def rgb(instance: Dataset) -> npt.NDArray[np.uint8]:
    return np.asarray(read(instance).image)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_colour_of_any_depth(dtype: type[np.unsignedinteger[Any]]) -> None:
    eight = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    instance = dataset(eight.astype(dtype) << (8 * np.dtype(dtype).itemsize - 8))
    assert (rgb(instance) == eight).all()


def test_colour_of_twelve_bits() -> None:
    eight = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert (rgb(dataset(eight.astype(np.uint16) << 4, BitsStored=12, HighBit=11)) == eight).all()
    assert (rgb(dataset(eight.astype(np.uint16) << 8, BitsStored=12, HighBit=15)) == eight).all()


def test_ybr_and_planar_colour_become_rgb() -> None:
    ybr = np.asarray(Image.new("RGB", (4, 4), (200, 30, 90)).convert("YCbCr"))
    np.testing.assert_allclose(rgb(dataset(ybr, PhotometricInterpretation="YBR_FULL"))[0, 0], (200, 30, 90), atol=2)
    colours = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    planar = dataset(colours, PlanarConfiguration=1, PixelData=colours.transpose(2, 0, 1).tobytes())
    assert (rgb(planar) == colours).all()


def test_colours_that_nobody_converts_are_refused() -> None:
    instance = dataset(np.zeros((4, 4, 3), np.uint8), PhotometricInterpretation="YBR_PARTIAL_420")
    with pytest.raises(InputError, match="YBR_PARTIAL_420"):
        read(instance)


def palette(
    bits: int,
    tables: list[bytes],
    *,
    count: int = 4,
    first: int = 0,
    vr: str = "OW",
    values: npt.NDArray[Any] = INDICES,
    **elements: Any,
) -> Dataset:
    instance = dataset(values, PhotometricInterpretation="PALETTE COLOR", **elements)
    for name, data in zip(("Red", "Green", "Blue"), tables, strict=True):
        instance.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [count, first, bits])
        instance.add_new(f"{name}PaletteColorLookupTableData", vr, data)
    return instance


@pytest.mark.parametrize(
    ("bits", "tables"),
    [
        (16, [words([entry << 8 for entry in table]) for table in COLOURS]),
        (16, [words([entry * 257 for entry in table]) for table in COLOURS]),
        (12, [words([entry << 4 for entry in table]) for table in COLOURS]),
        (8, [bytes(table) for table in COLOURS]),
        (8, [words(table) for table in COLOURS]),
        (8, [words([entry << 8 for entry in table]) for table in COLOURS]),  # the descriptor is wrong
    ],
)
def test_palettes(bits: int, tables: list[bytes]) -> None:
    assert rgb(palette(bits, tables)).tolist() == DRAWN
    assert rgb(palette(bits, tables, vr="OB")).tolist() == DRAWN
    assert not read(palette(bits, tables)).notes


def test_a_palette_that_begins_elsewhere() -> None:
    tables = [words([entry << 8 for entry in table]) for table in COLOURS]
    assert rgb(palette(16, tables, first=40000, values=INDICES.astype(np.uint16) + 40000)).tolist() == DRAWN
    below = palette(16, tables, first=65436, values=INDICES.astype(np.int16) - 100)
    assert rgb(below).tolist() == DRAWN


def test_a_palette_of_8_bits_with_more_than_256_entries() -> None:
    tables = [words(np.arange(4096) // 16), words(255 - np.arange(4096) // 16), words(np.zeros(4096))]
    values = np.array([[0, 255], [256, 4095]], np.uint16)
    instance = palette(8, tables, count=4096, values=values, BitsStored=12, HighBit=11)
    assert rgb(instance)[..., 0].tolist() == [[0, 15], [16, 255]]


def test_a_palette_of_another_length_is_used_as_it_is() -> None:
    instance = palette(16, [words([entry << 8 for entry in table]) for table in COLOURS], count=256)
    assert rgb(instance).tolist() == DRAWN  # as dcmtk does
    note = "Palette Color Lookup Table Data has 4 entries, not 256 as its descriptor says."
    assert read(instance).notes == tuple(f"{name} {note}" for name in ("Red", "Green", "Blue"))


def test_a_palette_without_entries_is_refused() -> None:
    with pytest.raises(InputError, match="Green Palette Color Lookup Table Data is empty"):
        read(palette(16, [words([1, 2, 3, 4]), b"", words([1, 2, 3, 4])]))


def test_a_palette_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="Red Palette Color Lookup Table Descriptor has 0 values and not 3"):
        read(dataset(INDICES, PhotometricInterpretation="PALETTE COLOR"))


def test_a_big_endian_palette() -> None:
    tables = [np.array([entry << 8 for entry in table], ">u2").tobytes() for table in COLOURS]
    instance = palette(16, tables, values=INDICES.astype(np.uint16))
    instance.PixelData = INDICES.astype(">u2").tobytes()
    instance.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    assert rgb(instance).tolist() == DRAWN


def segmented(segments: bytes, bits: int = 16, count: int = 256) -> Dataset:
    instance = dataset(np.arange(256, dtype=np.uint8).reshape(16, 16), PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        instance.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [count, 0, bits])
        instance.add_new(f"Segmented{name}PaletteColorLookupTableData", "OW", segments)
    return instance


def test_a_segmented_palette() -> None:
    instance = segmented(words([0, 1, 0, 1, 255, 255 << 8]))  # one entry of 0, then a line of 255 entries to 255 << 8
    np.testing.assert_allclose(rgb(instance)[..., 0].ravel(), np.arange(256), atol=1)
    instance = segmented(bytes([0, 1, 0, 1, 255, 255]), 8)
    np.testing.assert_allclose(rgb(instance)[..., 0].ravel(), np.arange(256), atol=1)


@pytest.mark.parametrize(
    ("bits", "copy"),
    [(16, words([2, 1, 3, 0])), (8, bytes([2, 1, 3, 0, 0, 0]))],
)
def test_segments_that_are_copied(bits: int, copy: bytes) -> None:
    """One entry of 0, a line of 127 entries to 127, and that line again: from its end on, it is level."""
    ramp = words([0, 1, 0, 1, 127, 127 << 8]) if bits == 16 else bytes([0, 1, 0, 1, 127, 127])
    shades = rgb(segmented(ramp + copy, bits, 255))[..., 0].ravel()
    np.testing.assert_allclose(shades, np.minimum(np.arange(256), 127), atol=1)


LINE = [1, 40000, 9]


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ([0, 1, 0, *LINE, *LINE], "more than 65536 entries"),
        ([0, 1, 0, *LINE, 2, 1, 3, 0], "more than 65536 entries"),
        ([0, 1, 0, 1, 2, 9, 2, 0, 3, 0], "so many copies"),  # itself among them
        ([0, 1, 0, 1, 2, 9, *[2, 1, 3, 0] * 257], "so many copies"),
        ([0, 1, 0] * 90_000, "of 270000 words"),
    ],
)
def test_segments_that_make_more_than_a_palette_has_are_refused(segments: list[int], reason: str) -> None:
    with pytest.raises(InputError, match=f"a segmented palette.*{reason}"):
        read(segmented(words(segments)))
