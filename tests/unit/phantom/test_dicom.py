from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.pixels import apply_voi_lut
from pydicom.sr.codedict import codes
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from edgekit.inputs.images import load_image
from edgekit.phantom.dicom import dicom_file
from edgekit.phantom.draw import draw
from edgekit.phantom.scene import scene

SEED = 11_000_005


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return draw(scene(SEED))


@pytest.fixture(scope="module")
def dataset(picture: Image.Image) -> Dataset:
    return dcmread(io.BytesIO(dicom_file(SEED, picture)))


def test_pydicom_finds_the_same_grey_values(dataset: Dataset, picture: Image.Image) -> None:
    stored = dataset.pixel_array
    shades = np.asarray(picture)
    assert stored.dtype == np.uint16
    assert stored.max() <= 4095
    assert np.array_equal(np.rint(stored * (255 / 4095)), shades)
    assert np.allclose(apply_voi_lut(stored, dataset), stored, atol=0.51), "the window changes nothing"


def test_we_read_every_shade_back() -> None:
    shades = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(8, 32))
    back = load_image(dicom_file(1, shades)).image
    assert back.size == (32, 8)
    assert back.convert("L").tobytes() == shades.tobytes()


def test_the_headers_say_what_it_is(dataset: Dataset) -> None:
    assert dataset.SOPClassUID == DigitalXRayImageStorageForPresentation == dataset.file_meta.MediaStorageSOPClassUID
    assert dataset.SOPInstanceUID == dataset.file_meta.MediaStorageSOPInstanceUID
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (dataset.Modality, dataset.BodyPartExamined) == ("DX", "CHEST")
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    # The picture's columns run to the patient's left, its rows to the feet.
    assert list(dataset.PatientOrientation) == ["L", "F"]
    assert dataset.ImageLaterality == "U"
    (region,), (view,) = dataset.AnatomicRegionSequence, dataset.ViewCodeSequence
    assert (region.CodeValue, region.CodeMeaning) == (codes.cid4009.Chest.value, codes.cid4009.Chest.meaning)
    assert (view.CodeValue, view.CodeMeaning) == (
        codes.cid4010.PosteroAnterior.value,
        codes.cid4010.PosteroAnterior.meaning,
    )


def test_nobody_can_take_it_for_a_person(dataset: Dataset) -> None:
    assert str(dataset.PatientName) == f"PHANTOM^{SEED}"
    assert dataset.PatientID == f"PHANTOM-{SEED}"
    assert (dataset.PatientIdentityRemoved, dataset.BurnedInAnnotation) == ("YES", "NO")
    assert dataset.QualityControlImage == "YES", "the standard's mark for a phantom"
    names = [element for element in dataset.iterall() if element.VR == "PN" and element.value]
    assert [element.keyword for element in names] == ["PatientName"]
    dates = [element for element in dataset.iterall() if element.VR in ("DA", "DT") and element.value]
    assert {element.value for element in dates} == {"19700101"}
    assert not dataset.PatientSex
    assert "PatientAge" not in dataset


def test_every_value_is_valid() -> None:
    """pydicom checks each value against its representation as it is set and written, and warns."""
    for seed in (0, 9_999_999, 11_999_999):
        read = dcmread(io.BytesIO(dicom_file(seed, Image.new("L", (3, 5)))))
        assert (read.Rows, read.Columns) == (5, 3)
        assert not [element for element in read.iterall() if element.tag.is_private]


def test_uids_are_valid_and_never_the_same() -> None:
    picture = Image.new("L", (2, 2))
    seen: list[UID] = []
    for seed in range(60):
        read = dcmread(io.BytesIO(dicom_file(seed, picture)), stop_before_pixels=True)
        seen += [read.StudyInstanceUID, read.SeriesInstanceUID, read.SOPInstanceUID]
    assert len(set(seen)) == len(seen) == 180
    for uid in seen:
        assert uid.is_valid
        assert re.fullmatch(r"2\.25\.[1-9]\d*", uid)
        assert int(uid.rpartition(".")[2]) < 2**128


def test_the_same_phantom_is_the_same_file(picture: Image.Image) -> None:
    assert dicom_file(SEED, picture) == dicom_file(SEED, picture)
    assert dicom_file(SEED, picture) != dicom_file(SEED + 1, picture)
