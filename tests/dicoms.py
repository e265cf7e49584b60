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


def deep(values: npt.NDArray[Any] = DEEP, **elements: Any) -> Dataset:
    """A data set of 12 bits in 16."""
    return dataset(values, **{"BitsStored": 12, "HighBit": 11, **elements})


def item(**elements: Any) -> Dataset:
    """An item of a sequence."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def table(descriptor: list[int], data: Any, vr: str = "OW", descriptor_vr: str = "US", **elements: Any) -> Dataset:
    """A look-up table as an item."""
    made = item(**elements)
    made.add_new("LUTDescriptor", descriptor_vr, descriptor)
    made.add_new("LUTData", vr, data)
    return made


def words(entries: Any) -> bytes:
    """16-bit words, little-endian."""
    return np.asarray(entries).astype("<u2").tobytes()


def encode(made: Dataset) -> bytes:
    """A data set as a file."""
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def encapsulated(made: Dataset, frames: list[bytes], syntax: str) -> bytes:
    """A data set as a file, with ``frames`` as its encoded pixels, under any transfer syntax."""
    made.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    made.PixelData = encapsulate(frames)
    made["PixelData"].is_undefined_length = True
    return under(encode(made), syntax)


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
    made = dataset(np.stack([padded[top : top + side, left : left + side] for top, left in chosen]))
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = rows, columns
    made.DimensionOrganizationType = "TILED_FULL" if order is None else "TILED_SPARSE"
    if order is not None:
        made.PerFrameFunctionalGroupsSequence = [_place(top, left) for top, left in chosen]
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _place(top: int, left: int) -> Dataset:
    place = item(RowPositionInTotalImagePixelMatrix=top + 1, ColumnPositionInTotalImagePixelMatrix=left + 1)
    return item(PlanePositionSlideSequence=[place])


def read(made: Dataset | bytes, frame: int | None = None) -> Picture:
    """A data set, written and read back."""
    return load_image(made if isinstance(made, bytes) else encode(made), frame)


def shades(made: Dataset | bytes, frame: int | None = None) -> npt.NDArray[np.int64]:
    """The picture's red channel, checked to be grey."""
    picture = np.asarray(read(made, frame).image).astype(np.int64)
    assert (picture == picture[..., :1]).all()
    return picture[..., 0]


def least_to_greatest(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What a picture without a window shows."""
    return np.asarray(np.rint((values - values.min()) / np.ptp(values) * 255))
