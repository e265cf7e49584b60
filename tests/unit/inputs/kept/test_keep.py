"""What is kept shows the same picture bit by bit, whatever it was, and says nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from edgekit.errors import EdgeKitError, InputError
from edgekit.inputs.images import load_image
from edgekit.inputs.kept import packed
from edgekit.inputs.kept.keep import keep, masked
from edgekit.inputs.kept.mask import Rectangle
from edgekit.phantom import draw, scene
from edgekit.phantom.dicom import dicom_file
from tests.dicoms import RAMP, dataset, encode, slide
from tests.kept import kept_alike, keywords
from tests.reads import rows
from tests.unit.reads.test_dicom import MAKERS
from tests.unit.reads.test_pictures import PICTURES, saved

VQA_RAD = Path(__file__).resolve().parents[5] / "shared" / "data" / "vqa-rad" / "images"
SMALL_BYTES = 200_000
KEPT_KEYWORDS = {
    *("SOPClassUID", "SOPInstanceUID", "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality"),
    *("PatientOrientation", "BurnedInAnnotation", "ConversionType", "ImageType", "LossyImageCompression"),
    *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"),
    *("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("ModalityLUTSequence", "ModalityLUTType", "VOILUTSequence", "LUTDescriptor", "LUTData"),
    *("PerFrameFunctionalGroupsSequence", "PixelMeasuresSequence", "PixelValueTransformationSequence"),
    *("FrameVOILUTSequence", "PixelData", "FloatPixelData", "DoubleFloatPixelData"),
}


def test_the_page_lists_what_is_kept() -> None:
    page = (Path(__file__).parents[4] / "docs" / "ward.md").read_text(encoding="utf-8")
    said = page.partition("### What is kept of DICOM")[2].partition("\n### ")[0]
    names = {pydicom.datadict.dictionary_description(keyword) for keyword in KEPT_KEYWORDS - {"LUTDescriptor"}}
    assert not {name for name in names if name not in said}


ROWS = rows("DICOM")


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about files that are wrong on purpose
@pytest.mark.parametrize("form", [form for form in MAKERS if ROWS[form].startswith("read")])
def test_every_kind_of_dicom(form: str, tmp_path: Path) -> None:
    for content in MAKERS[form](tmp_path):
        is_slide = "slide" in form
        kept = kept_alike(content, 0 if is_slide else None)
        assert kept.media_type == "application/dicom"
        assert kept.facts.frames == 1 or not is_slide
        assert {*keywords(pydicom.dcmread(pydicom.filebase.DicomBytesIO(kept.file)))} <= KEPT_KEYWORDS


@pytest.mark.parametrize("form", [form for form in PICTURES if rows("Pictures")[form].startswith("read")])
def test_every_kind_of_picture(form: str) -> None:
    for case in PICTURES[form]():
        if case.frame is None:
            assert kept_alike(case.data).media_type == "image/png"


def dicom_files() -> list[Path]:
    """pydicom's own files, and those that it has others bring."""
    files = []
    for module, *parts in (("pydicom", "data", "test_files"), ("data_store", "data")):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            files += sorted(Path(spec.origin).parent.joinpath(*parts).glob("*.dcm"))
    return files


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.skipif(not dicom_files(), reason="pydicom and pydicom-data are not installed")
def test_dicom_files_of_others() -> None:
    assert sum(is_kept_alike(path, 1) for path in dicom_files() if path.stat().st_size < SMALL_BYTES) > 60


@pytest.mark.system
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.skipif(not dicom_files(), reason="pydicom and pydicom-data are not installed")
def test_all_frames_of_all_dicom_files_of_others() -> None:
    assert sum(is_kept_alike(path, None) for path in dicom_files()) > 60


def is_kept_alike(path: Path, frames: int | None) -> bool:
    """Whether a file is read at all; what is kept of one shows the same, and one that is refused is refused here."""
    content = path.read_bytes()
    try:
        load_image(content)
    except EdgeKitError as error:
        with pytest.raises(EdgeKitError) as caught:
            keep(content)
        assert str(caught.value) == str(error)
        return False
    kept_alike(content, frames)
    return True


@pytest.mark.skipif(not VQA_RAD.is_dir(), reason="the VQA-RAD images are not here")
def test_radiographs_of_people() -> None:
    for path in sorted(VQA_RAD.iterdir())[::30]:
        kept_alike(path.read_bytes())


def test_phantoms() -> None:
    kept = kept_alike(dicom_file(5, draw(scene(5))))
    assert (kept.facts.modality, kept.facts.body_part, kept.facts.view) == ("DX", "CHEST", "PA")
    assert (kept.facts.laterality, kept.facts.orientation) == ("U", ("L", "F"))
    assert not kept.warnings


def test_of_several_pages_the_first_is_kept() -> None:
    pages = [Image.fromarray(np.full((3, 4), shade, np.uint8)) for shade in (10, 20)]
    kept = keep(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert kept.notes == ("It has 2 pages: only the first is looked at.",)
    assert kept.facts.frames == 1


def test_a_slide_is_kept_put_together() -> None:
    whole = np.random.default_rng(0).integers(0, 255, (50, 70, 3), dtype=np.uint8)
    kept = kept_alike(encode(slide(whole, 32)), 0)
    assert (kept.facts.width, kept.facts.height, kept.facts.frames) == (70, 50, 1)
    assert (np.asarray(load_image(kept.file).image) == whole).all()


@pytest.mark.parametrize("content", [b"", b"Dear colleague, " * 20, b"GIF89a" + b"\0" * 60])
def test_what_is_no_picture_is_refused_as_ever(content: bytes) -> None:
    with pytest.raises(InputError) as expected:
        load_image(content)
    for refuse in (keep, lambda content: masked(content, [Rectangle(0, 0, 1, 1)])):
        with pytest.raises(InputError) as caught:
            refuse(content)
        assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize("kind", ["DICOM", "PNG"])
def test_what_would_be_too_large_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    content = encode(dataset(noise)) if kind == "DICOM" else saved(Image.fromarray(noise), "PNG")
    monkeypatch.setattr(packed, "MOST_BYTES", 3000)
    with pytest.raises(InputError, match="once it is stored without a loss") as caught:
        keep(content)
    assert caught.value.hint
    keep(encode(dataset(RAMP)))
