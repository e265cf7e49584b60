"""Real pictures: all of VQA-RAD, and every DICOM file that pydicom and pydicom-data bring.

Reads what lies on the disk and nothing else; what is not there is skipped.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from edgekit.checkpoint.spec import ImageSpec
from edgekit.errors import InputError
from edgekit.inputs.images import load_image
from edgekit.inputs.preprocess import preprocess

CLIP = ImageSpec(336, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "pad")
VQA_RAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "vqa-rad" / "images"
# Damaged on purpose, or compressed with 12-bit JPEG, for which no decoder has a permissive licence.
UNDECODABLE = {
    "JPEG-lossy.dcm",
    "JPEG2000-embedded-sequence-delimiter.dcm",
    "JPGExtended.dcm",
    "MR_truncated.dcm",
    "SC_rgb_jpeg.dcm",
    "badVR.dcm",
}


def folder(module: str, *parts: str) -> Path | None:
    """A folder within an installed package; None where it is not installed."""
    found = importlib.util.find_spec(module)
    return Path(found.origin).parent.joinpath(*parts) if found and found.origin else None


def dicom_files() -> dict[str, Path]:
    folders = [folder("pydicom", "data"), folder("data_store", "data")]
    return {path.name: path for root in folders if root for path in sorted(root.rglob("*.dcm"))}


DICOM = dicom_files()


def check(path: Path) -> None:
    picture = load_image(path)
    pixels = preprocess(picture.image, CLIP)
    assert pixels.shape == (3, 336, 336), path
    assert pixels.dtype == np.float32, path
    assert np.isfinite(pixels).all(), path


def refusal(path: Path) -> InputError | None:
    """The error that a file is refused with, if it is."""
    try:
        check(path)
    except InputError as error:
        return error
    return None


def holds_pixels(path: Path) -> bool:
    import pydicom

    header = pydicom.dcmread(path, force=True, specific_tags=["Rows", "PixelData"])
    return "Rows" in header and "PixelData" in header


@pytest.mark.skipif(not VQA_RAD.is_dir(), reason="the VQA-RAD images are not here")
def test_every_image_of_vqa_rad() -> None:
    paths = sorted(VQA_RAD.iterdir())
    assert len(paths) >= 300
    for path in paths:
        check(path)


@pytest.mark.skipif(not DICOM, reason="pydicom and pydicom-data are not installed")
@pytest.mark.filterwarnings("ignore")  # pydicom's, of this module's own look into the files
def test_every_dicom_file_is_a_picture_or_one_clear_error() -> None:
    refusals = {name: error for name, path in DICOM.items() if (error := refusal(path))}
    for name, error in refusals.items():
        assert error.hint, name
        assert "\n" not in error.message, name
        assert name in UNDECODABLE or not holds_pixels(DICOM[name]), (name, error.message)
    assert len(DICOM) - len(refusals) > 70


@pytest.mark.skipif(not DICOM, reason="pydicom and pydicom-data are not installed")
@pytest.mark.parametrize("name", sorted(UNDECODABLE - {"JPGExtended.dcm"}))  # GPL decoders read that one
def test_undecodable_files_say_so(name: str) -> None:
    with pytest.raises(InputError, match="can't be read as DICOM"):
        load_image(DICOM[name])


@pytest.mark.skipif("RG1_UNCR.dcm" not in DICOM, reason="pydicom-data is not installed")
def test_a_chest_radiograph_has_white_bones_on_dark_lungs() -> None:
    picture = np.asarray(load_image(DICOM["RG1_UNCR.dcm"]).image)[..., 0].astype(float)
    height, width = picture.shape
    spine = picture[int(0.3 * height) : int(0.6 * height), int(0.47 * width) : int(0.53 * width)].mean()
    lung = picture[int(0.13 * height) : int(0.25 * height), int(0.58 * width) : int(0.68 * width)].mean()
    assert spine > lung + 60


@pytest.mark.parametrize(
    "alike",
    [
        ["OBXXXX1A.dcm", "OBXXXX1A_expb.dcm", "OBXXXX1A_rle.dcm"],
        ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_jp2klossless.dcm"],
        ["emri_small.dcm", "emri_small_RLE.dcm", "emri_small_jpeg_ls_lossless.dcm", "emri_small_big_endian.dcm"],
        ["gdcm-US-ALOKA-16.dcm", "gdcm-US-ALOKA-16_big.dcm"],
        ["RG3_UNCR.dcm", "RG3_J2KR.dcm"],
        ["SC_rgb.dcm", "SC_rgb_16bit.dcm", "SC_rgb_32bit.dcm", "SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm"],
    ],
    ids=lambda alike: alike[0],
)
def test_lossless_encodings_give_the_same_picture(alike: list[str]) -> None:
    present = [DICOM[name] for name in alike if name in DICOM]
    if len(present) < 2:
        pytest.skip("pydicom-data is not installed")
    assert len({load_image(path).digest for path in present}) == 1
