"""A phantom as a DICOM file: what a detector would send, with headers that nobody can take for a patient's.

The object is a Digital X-Ray Image for presentation (PS3.3 A.26), uncompressed, 12 bits in 16. It is
named and marked as a phantom wherever the standard has a place for that; it has no sex and no birth date, and was
"taken" when Unix time began. Needs the extra ``dicom``.
"""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from edgekit.errors import MissingExtra

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

WHITE = 4095  # of 12 bits
# UIDs under 2.25 are UUIDs written as one number (PS3.5 B.2); ours are made from a name in this space.
_SPACE = uuid.UUID("6d0c5a52-2f6e-5a63-9d4b-6f4f9a2f7d11")
_FILM_MM = 430.0  # the side of a usual chest detector


def require_pydicom() -> None:
    """Raise :class:`~edgekit.errors.MissingExtra` where nothing can write DICOM."""
    try:
        import pydicom  # noqa: F401
    except ImportError:
        raise MissingExtra("Writing DICOM", "dicom") from None


def dicom_file(seed: int, picture: Image.Image) -> bytes:
    """Return the file of the phantom ``seed`` drawn as ``picture`` (mode "L"); the same picture gives the same bytes.

    The window restores the picture's 256 shades exactly. :class:`~edgekit.errors.MissingExtra` without pydicom.
    """
    require_pydicom()
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    dataset, meta = Dataset(), FileMetaDataset()
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = _uid("image", seed)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation", 0)
    meta.ImplementationVersionName = "EDGEKIT"
    dataset.file_meta = meta
    _identify(dataset, seed)
    _describe_view(dataset)
    _describe_detector(dataset, picture)
    _put_pixels(dataset, picture)
    stream = io.BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


def _uid(purpose: str, seed: int) -> UID:
    """The UID of a phantom's study, series or image."""
    from pydicom.uid import UID

    return UID(f"2.25.{uuid.uuid5(_SPACE, f'{purpose} {seed}').int}")


def _identify(dataset: Dataset, seed: int) -> None:
    """Patient, study, series and equipment: a phantom's number, and nothing that looks like a person."""
    dataset.PatientName = f"PHANTOM^{seed:08}"
    dataset.PatientID = f"PHANTOM-{seed:08}"
    dataset.IssuerOfPatientID = "EDGEKIT"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Synthetic image of no person"
    dataset.QualityControlImage = "YES"  # the standard's mark for a phantom's image
    dataset.BurnedInAnnotation = "NO"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid("study", seed), _uid("series", seed)
    dataset.StudyDescription = dataset.SeriesDescription = "Synthetic phantom, not a patient"
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = str(seed), 1, 1
    dataset.Manufacturer, dataset.ManufacturerModelName = "EdgeKit", "Phantom"
    dataset.StudyDate, dataset.StudyTime = "19700101", "000000"
    # What must be there and may be empty.
    for keyword in ("PatientBirthDate", "PatientSex", "AccessionNumber", "ReferringPhysicianName"):
        setattr(dataset, keyword, "")
    dataset.AcquisitionContextSequence = []


def _describe_view(dataset: Dataset) -> None:
    """A chest from the front: columns run to the patient's left, rows to the feet."""
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.BodyPartExamined = "CHEST"
    dataset.AnatomicRegionSequence = [_code("816094009", "Chest")]
    dataset.ImageLaterality = "U"  # unpaired: both lungs
    dataset.ViewPosition = "PA"
    dataset.ViewCodeSequence = [_code("272479007", "postero-anterior")]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.PatientOrientation = ["L", "F"]
    dataset.PositionerType = ""


def _code(value: str, meaning: str) -> Dataset:
    """A term of SNOMED CT, as DICOM writes one."""
    from pydicom import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def _describe_detector(dataset: Dataset, picture: Image.Image) -> None:
    """How grey values came about, as far as the standard insists."""
    dataset.DetectorType = ""
    dataset.ImagerPixelSpacing = [round(_FILM_MM / max(picture.size), 4)] * 2
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1  # little passes: bright
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.LossyImageCompression = "00"


def _put_pixels(dataset: Dataset, picture: Image.Image) -> None:
    """Grey values stretched to 12 bits, and the window that shows all of them."""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = picture.height, picture.width
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = (WHITE + 1) // 2, WHITE + 1
    dataset.VOILUTFunction = "LINEAR"
    stored = np.rint(np.asarray(picture, np.float64) * (WHITE / 255)).astype("<u2")
    dataset.PixelData = stored.tobytes()
