"""Files of EdgeKit's own: DICOM that others read, too."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage, SegmentationStorage

from edgekit.inputs.kept.drawing import AS_DRAWN, Drawing
from edgekit.inputs.kept.packed import PackedFrames
from edgekit.inputs.kept.write import sop_class_of, write_dicom
from tests.dicoms import item

VALUES = np.arange(12, dtype=np.uint8).reshape(3, 4)


def read(*frames: np.ndarray, **terms: tuple[str, ...]) -> Dataset:
    copy = PackedFrames()
    for values in frames:
        copy.add(values)
    written = write_dicom(CTImageStorage, terms, copy, 8, [Drawing(AS_DRAWN, ())] * len(frames))
    assert written[:132] == bytes(128) + b"DICM"
    return dcmread(io.BytesIO(written))


def test_its_header_says_what_there_is() -> None:
    instance = read(VALUES, VALUES + 1, Modality=("CT",), ImageType=("ORIGINAL", "PRIMARY"))
    assert (instance.Rows, instance.Columns, instance.NumberOfFrames, instance.SamplesPerPixel) == (3, 4, 2, 1)
    assert (instance.BitsAllocated, instance.BitsStored, instance.HighBit, instance.PixelRepresentation) == (8, 8, 7, 0)
    assert (instance.Modality, instance.ImageType) == ("CT", ["ORIGINAL", "PRIMARY"])
    meta = instance.file_meta
    assert meta.MediaStorageSOPInstanceUID == instance.SOPInstanceUID
    assert meta.MediaStorageSOPClassUID == instance.SOPClassUID == CTImageStorage
    assert meta.FileMetaInformationGroupLength > 100
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate", "Manufacturer"):
        assert keyword not in instance


def test_frames_are_deflated_one_by_one() -> None:
    instance = read(VALUES, VALUES + 1)
    assert instance.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.8.1"
    frames = list(pydicom.encaps.generate_frames(instance.PixelData, number_of_frames=2))
    assert len(frames) == 2


def test_floats_are_as_they_are() -> None:
    instance = read(VALUES.astype(np.float32))
    assert instance.FloatPixelData == VALUES.astype("<f4").tobytes()
    assert read(VALUES.astype(np.float64)).DoubleFloatPixelData == VALUES.astype("<f8").tobytes()


def test_its_uid_follows_from_its_content() -> None:
    assert read(VALUES).SOPInstanceUID == read(VALUES).SOPInstanceUID
    others = [read(VALUES + 1), read(VALUES, VALUES), read(VALUES.T), read(VALUES, Modality=("CT",))]
    assert len({instance.SOPInstanceUID for instance in others} | {read(VALUES).SOPInstanceUID}) == 5


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (CTImageStorage, CTImageStorage),
        (SegmentationStorage, SegmentationStorage),
        ("1.2.840.10008.1.2.1", SecondaryCaptureImageStorage),
        ("1.2.3.4", SecondaryCaptureImageStorage),
        ("", SecondaryCaptureImageStorage),
    ],
)
def test_classes_are_the_standard_s(given: str, kept: str) -> None:
    assert sop_class_of(item(SOPClassUID=given)) == kept
    assert sop_class_of(item()) == SecondaryCaptureImageStorage
