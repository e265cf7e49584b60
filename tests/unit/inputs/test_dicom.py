"""DICOM as a viewer shows it, on data sets made here; real files are read in the integration tests."""

from __future__ import annotations

import io
import sys
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgekit.errors import InputError, MissingExtra
from edgekit.inputs.dicom import source
from edgekit.inputs.images import load_image

pydicom = pytest.importorskip("pydicom")
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate  # noqa: E402
from pydicom.pixels import apply_windowing  # noqa: E402
from pydicom.uid import (  # noqa: E402
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
    SecondaryCaptureImageStorage,
)

RAMP = np.arange(0, 4000, 10, dtype=np.uint16).reshape(20, 20)


def dataset(values: npt.NDArray[Any], **elements: Any) -> Dataset:
    """A data set with the given stored values, ``[(frames,) rows, columns(, 3)]``."""
    colour = values.shape[-1] == 3
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = SecondaryCaptureImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = UID("1.2.3")
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    size = values.shape[:-1] if colour else values.shape
    made.Rows, made.Columns = size[-2:]
    if len(size) == 3:
        made.NumberOfFrames = size[0]
    made.BitsAllocated = made.BitsStored = 8 * values.dtype.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(values.dtype.kind == "i")
    made.add_new("PixelData", "OW" if made.BitsAllocated > 8 else "OB", values.tobytes())
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def words(entries: list[int]) -> bytes:
    return np.array(entries, "<u2").tobytes()


def encode(made: Dataset) -> bytes:
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def shades(made: Dataset | bytes, frame: int | None = None) -> npt.NDArray[np.int64]:
    """The picture's red channel, checked to be grey."""
    data = made if isinstance(made, bytes) else encode(made)
    picture = np.asarray(load_image(data, frame).image).astype(np.int64)
    assert (picture == picture[..., :1]).all()
    return picture[..., 0]


def least_to_greatest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(np.rint((values - values.min()) / np.ptp(values) * 255))


def test_without_a_window_the_least_value_is_black_and_the_greatest_white() -> None:
    np.testing.assert_allclose(shades(dataset(RAMP)), least_to_greatest(RAMP), atol=1)


def test_monochrome1_is_inverted() -> None:
    inverted = dataset(RAMP, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_allclose(shades(inverted), 255 - least_to_greatest(RAMP), atol=1)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_windows_apply_to_rescaled_values(function: str) -> None:
    signed = (RAMP.astype(np.int32) - 1000).astype(np.int16)
    made = dataset(signed, RescaleSlope="0.5", RescaleIntercept="-100", VOILUTFunction=function)
    made.WindowCenter, made.WindowWidth = ["300", "0"], ["400", "9"]  # the first of two counts
    made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 15, 1
    expected = apply_windowing(signed * 0.5 - 100, made, index=0)
    low, high = -32768 * 0.5 - 100, 32767 * 0.5 - 100
    np.testing.assert_allclose(shades(made), (expected - low) / (high - low) * 255, atol=1)


def test_a_narrow_window_is_exact() -> None:
    values = np.arange(95, 107, dtype=np.uint8).reshape(3, 4)
    made = dataset(values, WindowCenter="100", WindowWidth="8")
    np.testing.assert_allclose(shades(made), apply_windowing(values, made, index=0), atol=0.51)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [("100", "0"), ("100", "-5"), ("", "40"), ("100", "")])
def test_a_window_that_can_not_be_used_is_none(centre: str, width: str, function: str) -> None:
    made = dataset(RAMP, VOILUTFunction=function)
    made.add_new("WindowCenter", "DS", centre)
    made.add_new("WindowWidth", "DS", width)
    assert (shades(made) == shades(dataset(RAMP))).all()


def test_voi_lut_comes_before_a_window() -> None:
    values = np.arange(16, dtype=np.uint16).reshape(4, 4)
    entries = [4095 - 273 * i for i in range(16)]  # 12 bits, falling
    lut = item(LUTDescriptor=[16, 0, 16], LUTData=words(entries))
    made = dataset(values, VOILUTSequence=[lut], WindowCenter="3", WindowWidth="2")
    np.testing.assert_allclose(shades(made).ravel(), np.array(entries) / 4095 * 255, atol=1)


def test_a_voi_luts_depth_is_that_of_its_entries_not_of_the_picture() -> None:
    lut = item(LUTDescriptor=[4096, 0, 16], LUTData=words(list(range(4096))))
    made = dataset(np.array([[0, 400]], np.uint16), VOILUTSequence=[lut])
    np.testing.assert_allclose(shades(made)[0], [0, 400 / 4095 * 255], atol=1)


def test_modality_lut() -> None:
    values = np.arange(4, dtype=np.uint16).reshape(2, 2)
    lut = item(LUTDescriptor=[4, 0, 16], LUTData=words([0, 10, 40, 100]), ModalityLUTType="US")
    assert shades(dataset(values, ModalityLUTSequence=[lut])).ravel().tolist() == [0, 26, 102, 255]


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
    made = dataset(values, PixelPaddingValue=first, PhotometricInterpretation=kind)
    if last is not None:
        made.PixelPaddingRangeLimit = last
    seen = [255, 0, 128] if kind == "MONOCHROME1" else [0, 255, 128]
    np.testing.assert_allclose(shades(made)[0], [0] * len(padded) + seen, atol=1)


def test_padding_everywhere_is_a_picture_after_all() -> None:
    made = dataset(np.full((2, 2), 7, np.uint16), PixelPaddingValue=7, WindowCenter="7", WindowWidth="11")
    assert (shades(made) > 100).all()


def test_the_middle_frame_or_the_one_asked_for() -> None:
    frames = np.stack([np.roll(RAMP, shift, axis=1) for shift in range(4)])
    made = dataset(frames)
    for frame, expected in ((None, 1), (0, 0), (3, 3)):
        np.testing.assert_allclose(shades(made, frame), least_to_greatest(frames[expected]), atol=1)
    for wrong in (4, -1):
        with pytest.raises(InputError, match="no frame") as caught:
            load_image(encode(made), wrong)
        assert "It has 4" in caught.value.hint


def test_enhanced_files_keep_window_and_rescale_in_groups() -> None:
    made = dataset(np.stack([RAMP, RAMP]))
    made.SharedFunctionalGroupsSequence = [
        item(PixelValueTransformationSequence=[item(RescaleSlope="2", RescaleIntercept="0", RescaleType="US")])
    ]
    made.PerFrameFunctionalGroupsSequence = [
        item(FrameVOILUTSequence=[item(WindowCenter=str(centre), WindowWidth="1000")]) for centre in (2000, 6000)
    ]
    for frame, centre in enumerate((2000, 6000)):
        expected = np.clip((RAMP * 2.0 - (centre - 0.5)) / 999 + 0.5, 0, 1) * 255
        np.testing.assert_allclose(shades(made, frame), expected, atol=1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_colour_of_any_depth(dtype: type[np.unsignedinteger[Any]]) -> None:
    eight = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    made = dataset(eight.astype(dtype) << (8 * np.dtype(dtype).itemsize - 8))
    assert (np.asarray(load_image(encode(made)).image) == eight).all()


def test_ybr_and_planar_colour_become_rgb() -> None:
    ybr = np.asarray(Image.new("RGB", (4, 4), (200, 30, 90)).convert("YCbCr"))
    made = dataset(ybr, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_allclose(np.asarray(load_image(encode(made)).image)[0, 0], (200, 30, 90), atol=2)
    rgb = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    planar = dataset(rgb, PlanarConfiguration=1, PixelData=rgb.transpose(2, 0, 1).tobytes())
    assert (np.asarray(load_image(encode(planar)).image) == rgb).all()


def test_palettes() -> None:
    made = dataset(np.array([[0, 1], [2, 3]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    for colour, entries in (("Red", [0, 9, 0, 255]), ("Green", [0, 0, 99, 255]), ("Blue", [0, 50, 0, 255])):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 16])
        made.add_new(f"{colour}PaletteColorLookupTableData", "OW", words([entry << 8 for entry in entries]))
    picture = np.asarray(load_image(encode(made)).image)
    assert picture.tolist() == [[[0, 0, 0], [9, 0, 50]], [[0, 99, 0], [255, 255, 255]]]


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian])
def test_compressed_files_give_the_same_picture(syntax: UID) -> None:
    made = dataset(RAMP, WindowCenter="1000", WindowWidth="900")
    plain = shades(made)
    if syntax == RLELossless:
        made.compress(RLELossless, generate_instance_uid=False)
    else:
        made.file_meta.TransferSyntaxUID = syntax
    assert (shades(made) == plain).all()


def test_files_without_preamble_or_meta_are_read() -> None:
    made = dataset(RAMP)
    data = encode(made)
    assert (shades(data[128 + 4 :]) == shades(data)).all()  # begins with the meta group
    bare = io.BytesIO()
    del made.file_meta
    made.save_as(bare, implicit_vr=True, little_endian=True)
    assert (shades(bare.getvalue()) == shades(data)).all()


def test_without_pydicom_or_a_decoder_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(dataset(RAMP))
    lossless = dataset(RAMP, PixelData=encapsulate([b"\xff\xd8\xff\xd9"]))
    lossless.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    lossless["PixelData"].is_undefined_length = True
    with monkeypatch.context() as patch:
        patch.setattr("pydicom.pixels.decoders.base.Decoder.is_available", False)
        with pytest.raises(MissingExtra, match="JPEG Lossless"):
            load_image(encode(lossless))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match="dicom"):
        load_image(data)


def test_files_that_hold_no_usable_picture_give_one_error() -> None:
    report = dataset(RAMP)
    del report.PixelData, report.Rows, report.SOPClassUID
    huge = dataset(RAMP, Rows=65_535, Columns=65_535)
    short = dataset(RAMP, PixelData=RAMP.tobytes()[:100])
    odd = dataset(RAMP, SamplesPerPixel=2)
    film = dataset(RAMP, PixelData=encapsulate([b"\0\0\0\1"]))
    film.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.4.102")  # MPEG-4
    film["PixelData"].is_undefined_length = True
    cases = {"holds no picture": report, "too large": huge, "can't be read": short, "as DICOM": odd, "MPEG": film}
    for message, made in cases.items():
        with pytest.raises(InputError, match=message) as caught:
            load_image(encode(made))
        assert caught.value.hint
    for data in (encode(report)[:140], b"\0" * 128 + b"DICM", b"\x08\0\x05\0" + b"\xff" * 60):
        with pytest.raises(InputError):
            load_image(data)


def test_a_deflate_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dataset(np.zeros((2000, 2000), np.uint16))
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = encode(made)
    assert len(data) < 40_000
    assert zlib.decompressobj(-15).decompress(data[144 + int.from_bytes(data[140:144], "little") :])
    monkeypatch.setattr(source, "MAX_INFLATED", 2**20)
    with pytest.raises(InputError, match="inflates"):
        load_image(data)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damage_ends_in_a_picture_or_one_error(data: st.DataObject) -> None:
    damaged = bytearray(encode(dataset(RAMP[:4, :5], WindowCenter="1000", WindowWidth="900")))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(128, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(129, len(damaged)))]
    try:
        assert load_image(bytes(damaged)).image.mode == "RGB"
    except InputError as error:
        assert error.hint
        assert "Traceback" not in error.message
