#!/usr/bin/env bash
# pydicom 3.0.2 with python-gdcm 3.2.6: 12-bit JPEG is refused, and GDCM reads it.
#
# Valid input: pydicom's own JPEG-lossy.dcm, transfer syntax 1.2.840.10008.1.2.4.51 (JPEG Extended, Process 2 and 4),
# one frame of 12 bits in 16.
#   expected  the plugin for GDCM hands the frame to GDCM, which is installed
#   seen      NotImplementedError "GDCM does not support 'JPEG Extended' for samples with 12-bit precision" out of
#             pydicom/pixels/decoders/gdcm.py, before GDCM is asked; GDCM's ImageReader gives 1,024 x 256 samples of
#             up to 12 bits of the same file, equal to dcmtk 3.6.7's dcmdjpeg in every sample
#
# Why it matters here: this is DICOM's own default for compressing 12 bits with loss, and the one other decoder that
# pydicom names for it is under the GPL. EdgeKit hands such frames to GDCM by itself (edgekit/inputs/dicom/codecs.py).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pydicom==3.0.2 python-gdcm==3.2.6 numpy==2.2.6

"$folder/venv/bin/python" - <<'PY'
import logging
import sys
import warnings

import gdcm
import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

warnings.simplefilter("ignore")
logging.disable()
path = get_testdata_file("JPEG-lossy.dcm", download=False)
header = dcmread(path, stop_before_pixels=True)
print(header.file_meta.TransferSyntaxUID.name, header.BitsStored, "of", header.BitsAllocated, "bits")

refused = False
try:
    pixel_array(path)
except RuntimeError as error:
    refused = "GDCM does not support" in str(error)
    print("pydicom:", " ".join(str(error).split())[:190])

reader = gdcm.ImageReader()
reader.SetFileName(str(path))
assert reader.Read()
samples = np.frombuffer(reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape"), "<u2")
read = samples.size == header.Rows * header.Columns and 255 < samples.max() < 4096
print(f"GDCM: {samples.size} samples from {samples.min()} to {samples.max()}")
sys.exit(not (refused and read))
PY
