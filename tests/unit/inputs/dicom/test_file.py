"""Opening files: what is none, what is cut off, what says one thing and holds another."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import BasicTextSRStorage, DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from edgekit.errors import InputError
from edgekit.inputs.dicom import file
from edgekit.inputs.images import load_image
from tests.dicoms import DEEP, RAMP, dataset, deep, encapsulated, encode, item, least_to_greatest, read, shades, under

JPEG = "1.2.840.10008.1.2.4."


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        load_image(data)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_files_without_preamble_or_meta_are_read() -> None:
    instance = dataset(RAMP)
    data = encode(instance)
    assert (shades(data[128 + 4 :]) == shades(data)).all()  # begins with the meta group
    for implicit in (True, False):
        bare = io.BytesIO()
        del instance.file_meta
        instance.save_as(bare, implicit_vr=implicit, little_endian=True)
        assert (shades(bare.getvalue()) == shades(data)).all()
        instance.file_meta = dataset(RAMP).file_meta


def test_what_holds_no_picture_says_what_it_is() -> None:
    report = item(SOPClassUID=BasicTextSRStorage, ValueType="CONTAINER")
    report.file_meta = dataset(RAMP).file_meta
    report.file_meta.MediaStorageSOPClassUID, report.SOPInstanceUID = BasicTextSRStorage, "1.2.3"
    error = refused(encode(report))
    assert "holds no picture: it is a Basic Text SR Storage" in error.message
    report.SOPClassUID = MediaStorageDirectoryStorage
    assert "Media Storage Directory" in refused(encode(report)).message
    del report.SOPClassUID
    assert "holds no picture" in refused(encode(report)).message


@pytest.mark.parametrize("missing", ["PixelData", "Rows", "Columns"])
def test_an_image_that_lacks_its_picture(missing: str) -> None:
    instance = dataset(RAMP)
    delattr(instance, missing)
    assert "its picture" in refused(encode(instance)).message or "no pixels" in refused(encode(instance)).message


def test_no_element_behind_the_pixels_is_drawn() -> None:
    """Pixels that are too short, and an element behind them that would fill the rest."""
    instance = dataset(RAMP, PixelData=RAMP.tobytes()[:400])
    instance.add_new(0xFFFCFFFC, "OB", bytes(1000))
    assert "its pixels take 800 B, of which 400 B are missing" in refused(encode(instance)).message


@pytest.mark.parametrize("left", [1, 100, 799])
def test_a_file_that_is_cut_off_is_refused(left: int) -> None:
    data = encode(dataset(RAMP))
    assert f"is cut off: {left} B of its pixels are missing" in refused(data[:-left]).message
    bare = encapsulated(dataset(RAMP), [RAMP.tobytes()], "1.2.840.10008.1.2.1.98")
    bare = bare[: -left - 8]  # 8: the mark that ends the items
    assert f"is cut off: {left} B of its pixels are missing" in refused(bare).message
    instance = dataset(RAMP)
    instance.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    assert "is cut off" in refused(encode(instance)[:-40]).message


def test_pixels_that_are_stored_otherwise_than_it_says() -> None:
    bare = encapsulated(dataset(RAMP), [RAMP.tobytes()], "1.2.840.10008.1.2.1")
    assert "it says Explicit VR Little Endian, and its pixels are compressed" in refused(bare).message
    plain = under(encode(dataset(RAMP)), JPEG + "50")
    assert "it says JPEG Baseline (Process 1), and its pixels are not compressed" in refused(plain).message


def test_damaged_beginnings(tmp_path: Path) -> None:
    (tmp_path / "letter.dcm").write_text("Dear colleague, the scan is enclosed.")
    with pytest.raises(InputError, match=r"letter\.dcm is not DICOM, or holds no picture"):
        load_image(tmp_path / "letter.dcm")
    for data in (encode(dataset(RAMP))[:140], b"\0" * 128 + b"DICM", b"\x08\0\x05\0" + b"\xff" * 60):
        refused(data)


@pytest.mark.parametrize(
    ("written", "note"),
    [("ab", "Number of Frames is 'ab', no number"), ("  ", "Number of Frames is empty"), ("1.", None), ("0 ", None)],
)
def test_a_number_of_frames_that_is_none(written: str, note: str | None) -> None:
    data = encode(deep(NumberOfFrames=1)).replace(b"IS\x02\x001 ", b"IS\x02\x00" + written.encode())
    np.testing.assert_allclose(shades(data), least_to_greatest(DEEP), atol=1)
    assert read(data).notes == ((f"The number of frames is left out: {note}.",) if note else ())


def test_samples_per_pixel_that_are_missing() -> None:
    instance = deep()
    del instance.SamplesPerPixel
    np.testing.assert_allclose(shades(instance), least_to_greatest(DEEP), atol=1)
    assert read(instance).notes == ("Samples per Pixel is missing: one is assumed.",)


def test_a_deflate_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = dataset(np.zeros((2000, 2000), np.uint16))
    instance.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data = encode(instance)
    assert len(data) < 40_000
    assert zlib.decompressobj(-15).decompress(data[144 + int.from_bytes(data[140:144], "little") :])
    monkeypatch.setattr(file, "MAX_INFLATED", 2**20)
    with pytest.raises(InputError, match="inflates"):
        load_image(data)


def test_a_path_is_named(tmp_path: Path) -> None:
    path = tmp_path / "chest.dcm"
    path.write_bytes(encode(dataset(RAMP))[:-10])
    with pytest.raises(InputError, match=r"chest\.dcm is cut off"):
        load_image(path)
