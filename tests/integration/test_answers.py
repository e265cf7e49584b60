"""Real pictures, from the file to an answer: all of VQA-RAD, and every DICOM file of pydicom and pydicom-data.

The model is a tiny one: it answers nonsense, but each picture goes all the way. Reads what lies on the disk and
nothing else; what is not there is skipped.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.runtime import Finished, SamplingParams
from edgekit.runtime.model import Model
from edgekit.target import target
from tests.checkpoints import write_checkpoint

VQA_RAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "vqa-rad" / "images"
UNDECODABLE = {"JPEG2000-embedded-sequence-delimiter.dcm", "MR_truncated.dcm"}  # damaged on purpose


def folder(module: str, *parts: str) -> Path | None:
    """A folder within an installed package; None where it is not installed."""
    found = importlib.util.find_spec(module)
    return Path(found.origin).parent.joinpath(*parts) if found and found.origin else None


def dicom_files() -> list[Path]:
    """Every file that begins as DICOM, or is named so; most of those in the DICOMDIR sets have no suffix."""
    roots = [root for root in (folder("pydicom", "data"), folder("data_store", "data")) if root]
    files = [path for root in roots for path in sorted(root.rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix == ".dcm" or magic(path) == b"DICM"]


def magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(132)[128:]


DICOM_FILES = dicom_files()
DICOM = {path.name: path for path in DICOM_FILES if path.suffix == ".dcm"}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    folder = tmp_path_factory.mktemp("answers")
    write_checkpoint(folder / "checkpoint")
    built = build(folder / "checkpoint", replace(target("cpu"), context=160), recipe("q4"), folder / "bundle")
    with Model.open(built.bundle.path, slots=1) as opened:
        yield opened


def check(path: Path, model: Model) -> str:
    """Ask about the picture in a file; the digest of what was seen."""
    picture = load_image(path)
    turn = Turn("is there an effusion?", images=(picture,))
    *_, last = model.stream([turn], SamplingParams(max_tokens=2))
    assert isinstance(last, Finished), path
    answer = last.completion
    assert answer.error is None, path
    assert answer.reason == "stop" or answer.tokens == 2, path
    assert answer.prompt_tokens > model.bundle.manifest.spec.tokens_per_image, path
    assert all(0 <= token < model.bundle.manifest.spec.decoder.vocab for token in answer.ids), path
    return picture.digest


def refusal(path: Path, model: Model) -> InputError | None:
    """The error that a file is refused with, if it is; any other is a failure."""
    try:
        check(path, model)
    except InputError as error:
        return error
    return None


def holds_pixels(path: Path) -> bool:
    import pydicom

    header = pydicom.dcmread(path, force=True, specific_tags=["Rows", "PixelData"])
    return "Rows" in header and "PixelData" in header


@pytest.mark.skipif(not VQA_RAD.is_dir(), reason="the VQA-RAD images are not here")
def test_every_image_of_vqa_rad_gets_an_answer(model: Model) -> None:
    paths = sorted(VQA_RAD.iterdir())
    assert len(paths) >= 300
    assert len({check(path, model) for path in paths}) > 300


@pytest.mark.skipif(not DICOM, reason="pydicom and pydicom-data are not installed")
@pytest.mark.filterwarnings("ignore")  # pydicom's, of this module's own look into the files
def test_every_dicom_file_gets_an_answer_or_one_clear_error(model: Model) -> None:
    refusals = {path: error for path in DICOM_FILES if (error := refusal(path, model))}
    for path, error in refusals.items():
        assert error.hint, path
        assert "\n" not in error.message, path
        assert path.name in UNDECODABLE or not holds_pixels(path), (path, error.message)
    assert len(DICOM_FILES) - len(refusals) > 70


@pytest.mark.skipif(not DICOM, reason="pydicom and pydicom-data are not installed")
@pytest.mark.parametrize("name", sorted(UNDECODABLE))
def test_undecodable_files_say_so(name: str) -> None:
    with pytest.raises(InputError, match=r"can't be read as DICOM|is cut off"):
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
