#!/usr/bin/env bash
# pydicom 3.0.2: three look-up functions keep their index in as few bits as an entry or a pixel has.
#
# Valid input: look-up tables as PS3.3 C.11.2.1.1, C.11.1.1 and C.7.6.3.1.5 allow them.
#   apply_voi: 4,096 entries of 8 bits (entry v is v // 16).
#     expected  [0, 6, 15, 16, 18, 62, 128, 255]
#     seen      [0, 6, 15, 0, 2, 14, 0, 15]: the index is cast to uint8, so 256 stands for 0
#   apply_color_lut: a palette of 4,096 entries of 8 bits, the same way.
#   apply_modality_lut: the identity over signed 16-bit pixels, 65,536 entries, the first for -32768.
#     expected  [0, 32668, 32767, 32768, 32769, 32868, 52768, 65535]
#     seen      [0, 32668, 32767, 0, 0, 0, 0, 0]: the differences are kept as int16 and overflow
# Nothing is raised. dcmtk 3.6.7 (dcmj2pnm) draws what is expected.
#
# Why it matters here: such a picture came out as another one, in silence. EdgeKit looks up by itself
# (edgekit/inputs/dicom/lut.py).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2 numpy==2.2.6

"$folder/venv/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.uid import ExplicitVRLittleEndian

warnings.simplefilter("ignore")


def dataset() -> Dataset:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made


def table(descriptor: list[int], entries: np.ndarray, vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", vr, descriptor)
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


values = np.array([0, 100, 255, 256, 300, 1000, 2048, 4095], np.uint16)
entries = np.arange(4096) // 16
voi = dataset()
voi.VOILUTSequence = [table([4096, 0, 8], entries)]

palette = dataset()
for name in ("Red", "Green", "Blue"):
    palette.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [4096, 0, 8])
    palette.add_new(f"{name}PaletteColorLookupTableData", "OW", entries.astype(np.uint8).tobytes())

signed = np.array([-32768, -100, -1, 0, 1, 100, 20000, 32767], np.int16)
modality = dataset()
modality.PixelRepresentation = 1
modality.ModalityLUTSequence = [table([0, -32768, 16], np.arange(65536), "SS")]

wrong = 0
for what, seen, expected in (
    ("apply_voi", apply_voi(values, voi), entries[values]),
    ("apply_color_lut", apply_color_lut(values.reshape(1, -1), palette)[0, :, 0], entries[values]),
    ("apply_modality_lut", apply_modality_lut(signed, modality), signed.astype(int) + 32768),
):
    print(f"{what}: seen {seen.tolist()}, expected {expected.tolist()}")
    wrong += seen.tolist() != expected.tolist()
sys.exit(wrong != 3)
PY
