"""Look-up tables. What dcmtk draws was measured with dcmj2pnm 3.6.7: +Wl 1 for VOI LUTs, +Wm for others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian

from tests.dicoms import dataset, deep, encode, item, read, shades, table, words

VALUES = np.array([[0, 100, 255, 256], [300, 1000, 2048, 4095]], np.uint16)
RISING = np.arange(4096) // 16  # 8 bits
SHADES = [0, 6, 15, 16, 18, 62, 128, 255]  # dcmtk's, and the entries themselves
SIGNED = np.array([[-32768, -100, -1, 0], [1, 100, 20000, 32767]], np.int16)
IDENTITY = np.arange(2**16)


def voi(*tables: Dataset, values: Any = VALUES, **elements: Any) -> Dataset:
    return dataset(values, VOILUTSequence=list(tables), **elements)


def modality(lut: Dataset, values: Any = VALUES, **elements: Any) -> Dataset:
    return dataset(values, ModalityLUTSequence=[lut], **elements)


@pytest.mark.parametrize(
    ("descriptor", "data", "vr"),
    [
        ([4096, 0, 8], words(RISING), "OW"),
        ([4096, 0, 8], RISING.tolist(), "US"),
        ([4096, 0, 8], RISING.astype(np.uint8).tobytes(), "OW"),
        ([4096, 0, 8], RISING.astype("<u1").view("<u2").tolist(), "US"),
        ([4096, 0, 9], words(RISING * 2), "OW"),
        ([4096, 0, 10], words(RISING * 4), "UN"),
        ([4096, 0, 12], words(RISING * 16), "OW"),
        ([4096, 0, 14], words(RISING * 64), "OB"),
        ([4096, 0, 16], words(RISING * 257), "OW"),
        ([4096, 0, 17], words(RISING * 16), "OW"),
        ([4096, 0, 0], words(RISING * 16), "OW"),
        ([4096, 0, 12], words(RISING * 257), "OW"),  # the descriptor is wrong
    ],
)
def test_a_voi_lut_however_it_is_stored(descriptor: list[int], data: Any, vr: str) -> None:
    instance = voi(table(descriptor, data, vr))
    np.testing.assert_allclose(shades(instance).ravel(), SHADES, atol=1)
    assert not read(instance).notes


def test_eight_bits_an_entry_are_exact() -> None:
    assert shades(voi(table([4096, 0, 8], words(RISING)))).ravel().tolist() == SHADES


@pytest.mark.parametrize("vr", ["UN", "OW", "OB"])
def test_a_voi_lut_larger_than_64_kib(vr: str) -> None:
    values = np.array([[0, 1000, 40000, 65535]], np.uint16)
    instance = voi(table([0, 0, 16], words(IDENTITY[::-1]), vr), values=values)
    np.testing.assert_allclose(shades(instance)[0], 255 - values[0] / 257, atol=1)


def test_a_voi_lut_in_a_big_endian_file() -> None:
    instance = voi(table([4096, 0, 12], (RISING * 16).astype(">u2").tobytes()), values=VALUES)
    instance.PixelData = VALUES.astype(">u2").tobytes()
    instance.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    np.testing.assert_allclose(shades(instance).ravel(), SHADES, atol=1)


@pytest.mark.parametrize(("kept", "expected"), [(2000, [0, 6, 15, 16, 18, 62, 124, 124]), (4096, SHADES)])
def test_a_table_of_another_length_is_used_as_it_is(kept: int, expected: list[int]) -> None:
    said = 4096 if kept < 4096 else 2048
    instance = voi(table([said, 0, 12], words((RISING * 16)[:kept])))
    np.testing.assert_allclose(shades(instance).ravel(), expected, atol=1)  # as dcmtk does
    assert read(instance).notes == (f"LUT Data has {kept} entries, not {said} as its descriptor says.",)


def test_voi_lut_comes_before_a_window() -> None:
    values = np.arange(16, dtype=np.uint16).reshape(4, 4)
    entries = [4095 - 273 * i for i in range(16)]  # 12 bits, falling
    instance = voi(table([16, 0, 16], words(entries)), values=values, WindowCenter="3", WindowWidth="2")
    np.testing.assert_allclose(shades(instance).ravel(), np.array(entries) / 4095 * 255, atol=1)


@pytest.mark.parametrize("bits", [12, 16])
def test_twelve_bits_that_are_called_sixteen(bits: int) -> None:
    instance = voi(table([4096, 0, bits], words(range(4096))), values=np.array([[0, 400]], np.uint16))
    np.testing.assert_allclose(shades(instance)[0], [0, 400 / 4095 * 255], atol=1)


def test_a_dim_table_stays_dim() -> None:
    instance = voi(table([4096, 0, 12], words(RISING * 4)))
    np.testing.assert_allclose(shades(instance).ravel(), np.array(SHADES) / 4, atol=1)


@pytest.mark.parametrize(
    ("lut", "reason"),
    [
        (table([4096, 0, 12], b""), "LUT Data is empty"),
        (table([4096, 0], words(RISING)), "LUT Descriptor has 2 values and not 3"),
        (item(LUTExplanation="no table"), "LUT Descriptor has 0 values and not 3"),
    ],
)
def test_a_table_that_can_not_be_used_is_none(lut: Dataset, reason: str) -> None:
    window = {"WindowCenter": "2000", "WindowWidth": "1000"}
    instance = voi(lut, **window)
    assert (shades(instance) == shades(dataset(VALUES, **window))).all()
    assert read(instance).notes == (f"VOI LUT 1 is left out: {reason}.",)
    instance = modality(lut, **window)
    assert (shades(instance) == shades(dataset(VALUES, **window))).all()
    assert read(instance).notes == (f"The modality LUT is left out: {reason}.",)


def test_the_first_table_that_can_be_used_is_taken() -> None:
    instance = voi(table([4096, 0, 12], b""), table([4096, 0, 12], words(RISING * 16)))
    np.testing.assert_allclose(shades(instance).ravel(), SHADES, atol=1)


def test_sequences_without_an_item() -> None:
    instance = deep(VOILUTSequence=[], ModalityLUTSequence=[])
    assert (shades(instance) == shades(deep())).all()
    assert read(instance).notes == (
        "The modality LUT is left out: Modality LUT Sequence is empty.",
        "The VOI LUT is left out: VOI LUT Sequence is empty.",
    )


@pytest.mark.parametrize(
    ("keyword", "tag", "stage"),
    [
        ("VOILUTSequence", b"\x28\0\x10\x30", "The VOI LUT is left out: VOI LUT Sequence"),
        ("ModalityLUTSequence", b"\x28\0\0\x30", "The modality LUT is left out: Modality LUT Sequence"),
        (
            "SharedFunctionalGroupsSequence",
            b"\0\x52\x29\x92",
            "What is said of frames is left out: Shared Functional Groups Sequence",
        ),
    ],
)
def test_sequences_that_are_none(keyword: str, tag: bytes, stage: str) -> None:
    instance = deep()
    setattr(instance, keyword, [])
    data = encode(instance)
    assert data.count(tag + b"SQ\0\0\0\0\0\0") == 1
    data = data.replace(tag + b"SQ\0\0\0\0\0\0", tag + b"LO\4\0abcd")
    assert (shades(data) == shades(deep())).all()
    assert read(data).notes == (f"{stage} is no sequence.",)


def test_a_voi_lut_is_inverted_for_monochrome1() -> None:
    instance = voi(table([4096, 0, 8], words(RISING)), PhotometricInterpretation="MONOCHROME1")
    assert shades(instance).ravel().tolist() == [255 - shade for shade in SHADES]


def test_modality_lut() -> None:
    values = np.arange(4, dtype=np.uint16).reshape(2, 2)
    lut = table([4, 0, 16], words([0, 20, 40, 100]), ModalityLUTType="US")
    assert shades(modality(lut, values)).ravel().tolist() == [0, 51, 102, 255]


@pytest.mark.parametrize(("first", "vr"), [(-32768, "SS"), (32768, "US")])
def test_a_modality_lut_over_signed_pixels(first: int, vr: str) -> None:
    instance = modality(table([0, first, 16], words(IDENTITY), descriptor_vr=vr, ModalityLUTType="US"), SIGNED)
    expected = [0, 127, 127, 128, 128, 128, 205, 255]
    assert shades(instance).ravel().tolist() == expected  # dcmtk's, which cuts: [0, 127, 127, 127, 127, 127, 205, 255]


@pytest.mark.parametrize(("first", "vr"), [(40000, "US"), (-25536, "SS")])
def test_a_modality_lut_that_begins_high(first: int, vr: str) -> None:
    values = np.array([[0, 39999, 40000, 40001], [40100, 50000, 60000, 65535]], np.uint16)
    instance = modality(table([1000, first, 16], words(range(1000)), descriptor_vr=vr, ModalityLUTType="US"), values)
    np.testing.assert_allclose(shades(instance).ravel(), [0, 0, 0, 0, 25, 255, 255, 255], atol=1)


@pytest.mark.parametrize(("first", "vr"), [(-100, "SS"), (65436, "US")])
def test_a_voi_lut_that_begins_below_zero(first: int, vr: str) -> None:
    lut = table([4096, first, 16], words(RISING * 256), descriptor_vr=vr)
    instance = voi(lut, RescaleSlope="1", RescaleIntercept="-100")
    np.testing.assert_allclose(shades(instance).ravel(), SHADES, atol=1)


def test_a_modality_lut_comes_before_a_rescale() -> None:
    lut = table([4096, 0, 12], words(4095 - np.arange(4096)), ModalityLUTType="US")
    instance = modality(lut, RescaleSlope="1", RescaleIntercept="0")
    np.testing.assert_allclose(shades(instance).ravel(), 255 - VALUES.ravel() / 4095 * 255, atol=1)


def test_values_that_are_no_numbers_have_the_first_entry() -> None:
    values = np.array([[np.nan, -np.inf, np.inf, 3]], np.float32)
    instance = dataset(values, VOILUTSequence=[table([4, 0, 8], words([7, 0, 0, 255]))])
    instance.FloatPixelData = instance.PixelData
    del instance.PixelData
    assert shades(instance)[0].tolist() == [7, 7, 255, 255]
