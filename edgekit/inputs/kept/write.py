"""A DICOM file of nothing but what is kept: pixels, what they are drawn by, a few coded words.

Its UIDs follow from its content, so that one picture gives one file; of a patient, a study or a series it has none.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.inputs.dicom.syntax import DEFLATED_FRAMES, EXPLICIT_LITTLE
from edgekit.inputs.kept.drawing import Drawing, write_drawings
from edgekit.inputs.kept.packed import PackedFrames
from edgekit.inputs.kept.terms import Attributes

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_IMPLEMENTATION = "2.25.227454582290756913919554885570617895797"


def sop_class_of(header: Dataset) -> str:
    """Return the UID of a picture's class, where the standard has it; that of secondary captures for all others."""
    from pydicom.uid import UID_dictionary

    try:
        uid = str(header.get("SOPClassUID") or "")
    except Exception:  # as in read_terms
        uid = ""
    name, kind, *_ = UID_dictionary.get(uid, ("", ""))
    return uid if kind == "SOP Class" and "Storage" in name else _SECONDARY_CAPTURE


def write_dicom(
    sop_class: str, terms: Attributes, frames: PackedFrames, bits: int, drawings: Sequence[Drawing]
) -> bytes:
    """Return the file of ``frames``, whose samples have so many ``bits``, each drawn by its of ``drawings``."""
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    header = Dataset()
    header.SOPClassUID = UID(sop_class)
    for keyword, words in terms.items():
        setattr(header, keyword, list(words) if len(words) > 1 else words[0])
    _put_image(header, frames, bits)
    write_drawings(header, drawings)
    header.SOPInstanceUID = _uid(header, frames)
    _put_pixels(header, frames)
    header.file_meta = meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength, meta.FileMetaInformationVersion = (
        0,
        b"\0\1",
    )  # the length is counted on writing
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE if frames.is_float else DEFLATED_FRAMES)
    meta.ImplementationClassUID, meta.ImplementationVersionName = UID(_IMPLEMENTATION), "EDGEKIT"
    header.preamble = bytes(128)
    stream = io.BytesIO()
    # Forced, since pydicom 3.0 does not know the syntax, and so not how it is encoded either.
    dcmwrite(stream, header, implicit_vr=False, little_endian=True, force_encoding=True)
    return stream.getvalue()


def _put_image(header: Dataset, frames: PackedFrames, bits: int) -> None:
    """The image pixel module (PS3.3 C.7.6.3)."""
    in_colour = len(frames.shape) == 3
    header.SamplesPerPixel = 3 if in_colour else 1
    header.PhotometricInterpretation = "RGB" if in_colour else "MONOCHROME2"
    if in_colour:
        header.PlanarConfiguration = 0
    header.NumberOfFrames = len(frames.parts)
    header.Rows, header.Columns = frames.shape[:2]
    header.BitsAllocated = 8 * frames.dtype.itemsize
    if not frames.is_float:
        header.BitsStored, header.HighBit = bits, bits - 1
        header.PixelRepresentation = int(frames.dtype.kind == "i")


def _put_pixels(header: Dataset, frames: PackedFrames) -> None:
    from pydicom.encaps import encapsulate

    if frames.is_float:
        keyword = "FloatPixelData" if frames.dtype.itemsize == 4 else "DoubleFloatPixelData"
        header.add_new(keyword, "OF" if frames.dtype.itemsize == 4 else "OD", b"".join(frames.parts))
    else:
        header.add_new("PixelData", "OB", encapsulate(frames.parts, has_bot=False))
        header["PixelData"].is_undefined_length = True


def _uid(header: Dataset, frames: PackedFrames) -> UID:
    """A UID that follows from the content (PS3.5 B.2 makes one of any UUID)."""
    from pydicom.uid import UID

    digest = hashlib.sha256(header.to_json().encode())
    for part in frames.parts:
        digest.update(part)
    return UID(f"2.25.{uuid.UUID(bytes=digest.digest()[:16], version=4).int}")
