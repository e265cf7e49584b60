"""DICOM files, written here: a picture's values and any elements, in any transfer syntax."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGLosslessSV1, SecondaryCaptureImageStorage

from edgekit.inputs.images import Picture, load_image

RAMP = np.arange(0, 4000, 10, dtype=np.uint16).reshape(20, 20)
DEEP = np.array([[0, 100, 1000, 2000], [3000, 3500, 4000, 4095]], np.uint16)
"""Values of 12 bits."""


def dataset(values: npt.NDArray[Any], **elements: Any) -> Dataset:
    """A data set with the given stored values, ``[(frames,) rows, columns(, 3)]``."""
    colour = values.shape[-1] == 3
    instance = Dataset()
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance.file_meta.MediaStorageSOPClassUID = instance.SOPClassUID = SecondaryCaptureImageStorage
    instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID = UID("1.2.3")
    instance.SamplesPerPixel = 3 if colour else 1
    instance.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        instance.PlanarConfiguration = 0
    size = values.shape[:-1] if colour else values.shape
    instance.Rows, instance.Columns = size[-2:]
    if len(size) == 3:
        instance.NumberOfFrames = size[0]
    instance.BitsAllocated = instance.BitsStored = 8 * values.dtype.itemsize
    instance.HighBit = instance.BitsStored - 1
    instance.PixelRepresentation = int(values.dtype.kind == "i")
    instance.add_new("PixelData", "OW" if instance.BitsAllocated > 8 else "OB", values.tobytes())
    for keyword, value in elements.items():
        setattr(instance, keyword, value)
    return instance


def deep(values: npt.NDArray[Any] = DEEP, **elements: Any) -> Dataset:
    """A data set of 12 bits in 16."""
    return dataset(values, **{"BitsStored": 12, "HighBit": 11, **elements})


def item(**elements: Any) -> Dataset:
    """An item of a sequence."""
    instance = Dataset()
    for keyword, value in elements.items():
        setattr(instance, keyword, value)
    return instance


def table(descriptor: list[int], data: Any, vr: str = "OW", descriptor_vr: str = "US", **elements: Any) -> Dataset:
    """A look-up table as an item."""
    instance = item(**elements)
    instance.add_new("LUTDescriptor", descriptor_vr, descriptor)
    instance.add_new("LUTData", vr, data)
    return instance


def words(entries: Any) -> bytes:
    """16-bit words, little-endian."""
    return np.asarray(entries).astype("<u2").tobytes()


def encode(instance: Dataset) -> bytes:
    """A data set as a file."""
    stream = io.BytesIO()
    instance.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def encapsulated(instance: Dataset, frames: list[bytes], syntax: str) -> bytes:
    """A data set as a file, with ``frames`` as its encoded pixels, under any transfer syntax."""
    instance.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    instance.PixelData = encapsulate(frames)
    instance["PixelData"].is_undefined_length = True
    return under(encode(instance), syntax)


def under(data: bytes, syntax: str) -> bytes:
    """A file with another transfer syntax in its meta group, and nothing else changed."""
    at = data.index(b"\x02\x00\x10\x00UI")
    end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    element = data[at : at + 6] + struct.pack("<H", len(value)) + value
    length = int.from_bytes(data[140:144], "little") + len(element) - (end - at)
    return data[:140] + struct.pack("<I", length) + data[144:at] + element + data[end:]


def slide(whole: npt.NDArray[Any], side: int, order: list[int] | None = None, **elements: Any) -> Dataset:
    """A picture in tiles of ``side`` pixels, the last of which stand out; with ``order`` only those, each with its
    place."""
    rows, columns = whole.shape[:2]
    down, across = -(-rows // side), -(-columns // side)
    padded = np.full((down * side, across * side, *whole.shape[2:]), 7, whole.dtype)
    padded[:rows, :columns] = whole
    corners = [(top, left) for top in range(0, rows, side) for left in range(0, columns, side)]
    chosen = corners if order is None else [corners[index] for index in order]
    instance = dataset(np.stack([padded[top : top + side, left : left + side] for top, left in chosen]))
    instance.TotalPixelMatrixRows, instance.TotalPixelMatrixColumns = rows, columns
    instance.DimensionOrganizationType = "TILED_FULL" if order is None else "TILED_SPARSE"
    if order is not None:
        instance.PerFrameFunctionalGroupsSequence = [_place(top, left) for top, left in chosen]
    for keyword, value in elements.items():
        setattr(instance, keyword, value)
    return instance


def _place(top: int, left: int) -> Dataset:
    place = item(RowPositionInTotalImagePixelMatrix=top + 1, ColumnPositionInTotalImagePixelMatrix=left + 1)
    return item(PlanePositionSlideSequence=[place])


def read(instance: Dataset | bytes, frame: int | None = None) -> Picture:
    """A data set, written and read back."""
    return load_image(instance if isinstance(instance, bytes) else encode(instance), frame)


def shades(instance: Dataset | bytes, frame: int | None = None) -> npt.NDArray[np.int64]:
    """The picture's red channel, checked to be grey."""
    picture = np.asarray(read(instance, frame).image).astype(np.int64)
    assert (picture == picture[..., :1]).all()
    return picture[..., 0]


def least_to_greatest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a picture without a window shows."""
    return np.asarray(np.rint((values - values.min()) / np.ptp(values) * 255))
