"""Pictures as dcmtk's dcmj2pnm draws them, of many headers and encodings; it cuts shades where EdgeKit rounds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pydicom import Dataset

from tests.dicoms import deep, encode, read, table, words

pytestmark = pytest.mark.system

ROWS, COLUMNS = np.mgrid[:48, :64]
WAVES = 2048 + 1500 * np.sin(COLUMNS / 9) * np.cos(ROWS / 7)
GREY = np.rint(WAVES + np.random.default_rng(0).normal(0, 20, WAVES.shape)).astype(np.uint16)
ENTRIES = np.rint(4095 * (np.arange(4096) / 4095) ** 0.5).astype(int)


def dcmtk(program: str, *arguments: str | Path) -> None:
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True)


def drawn(data: bytes, folder: Path, *options: str) -> npt.NDArray[np.int64]:
    """What dcmtk draws."""
    (folder / "file.dcm").write_bytes(data)
    dcmtk("dcmj2pnm", "--write-raw-pnm", *options, folder / "file.dcm", folder / "file.pnm")
    return np.asarray(Image.open(folder / "file.pnm").convert("RGB")).astype(np.int64)


def same(data: bytes, folder: Path, *options: str) -> None:
    ours = np.asarray(read(data).image).astype(np.int64)
    np.testing.assert_allclose(ours, drawn(data, folder, *options), atol=1)


def random_header(seed: int) -> tuple[Dataset, tuple[str, ...]]:
    """A grey picture with any of what a header may say, and how dcmtk is told to draw it."""
    random = np.random.default_rng(seed)
    signed, shift = bool(random.integers(2)), int(random.integers(5))
    values = (GREY.astype(np.int16) - 2048) if signed else GREY
    instance = deep(values << shift, HighBit=11 + shift)
    instance.PhotometricInterpretation = f"MONOCHROME{random.integers(1, 3)}"
    low = -2048 if signed else 0
    kind = random.integers(4)
    if random.integers(2) and kind != 3:
        slope, intercept = int(random.choice([1, 2])), int(random.choice([-1000, 0, 50]))  # dcmtk cuts fractions
        instance.RescaleSlope, instance.RescaleIntercept = str(slope), str(intercept)
        low, high = (slope * end + intercept for end in (low, low + 4095))
    else:
        high = low + 4095
    if kind == 0:
        return instance, ("+Wm",)
    if kind == 1:
        bits = int(random.integers(8, 16))
        vr = "SS" if low < 0 else "US"
        lut = table([4096, low, bits], words(ENTRIES >> max(0, 12 - bits)), descriptor_vr=vr)
        instance.VOILUTSequence = [lut]
        return instance, ("+Wl", "1")
    if kind == 2:
        instance.WindowCenter, instance.WindowWidth = str((low + high) // 2), str(int(random.integers(2, high - low)))
        instance.VOILUTFunction = str(random.choice(["LINEAR", "SIGMOID"]))
        return instance, ("+Wi", "1")
    instance.ModalityLUTSequence = [table([4096, low, 16], words(ENTRIES * 16), descriptor_vr="SS" if signed else "US")]
    return instance, ("+Wm",)


@pytest.mark.parametrize("seed", range(60))
def test_headers(seed: int, tmp_path: Path) -> None:
    instance, options = random_header(seed)
    same(encode(instance), tmp_path, *options)


@pytest.mark.parametrize("option", ["+ee", "+es", "+ep", "+el", "+e1", "+eb"])
@pytest.mark.parametrize("high", [11, 15])
@pytest.mark.parametrize("signed", [False, True])
def test_encodings(option: str, high: int, signed: bool, tmp_path: Path) -> None:
    values = (GREY.astype(np.int16) - 2048) if signed else GREY
    (tmp_path / "plain.dcm").write_bytes(encode(deep(values << (high - 11), HighBit=high)))
    dcmtk("dcmcjpeg", option, tmp_path / "plain.dcm", tmp_path / "jpeg.dcm")
    same((tmp_path / "jpeg.dcm").read_bytes(), tmp_path, "+Wm")


@pytest.mark.parametrize(
    "elements",
    [
        {"PixelAspectRatio": ["2", "1"]},
        {"PixelSpacing": ["0.3", "0.1"]},
        {"ImagerPixelSpacing": ["2", "1"], "PixelAspectRatio": ["1", "1"]},
    ],
)
def test_sizes_with_square_pixels(elements: dict[str, Any], tmp_path: Path) -> None:
    data = encode(deep(GREY, **elements))
    height, width, _ = drawn(data, tmp_path, "+Sxv", str(GREY.shape[1])).shape
    assert read(data).image.width == width
    assert abs(read(data).image.height - height) <= 1
