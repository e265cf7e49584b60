#!/bin/bash
# ONNX Runtime 1.32.0, Pillow 13.0.0: Resize with antialias=1 is Pillow's resize in the middle of a picture alone.
#
# Expected: Resize-19's antialias is Pillow's way of resizing ("cubic" with cubic_coeff_a=-0.5 its BICUBIC, "linear" its
#   BILINEAR), so a model's preprocessing can move into the graph: at most rounding lies between the two.
# Real: so it is inside. Where the filter reaches over an edge, ONNX repeats the edge's pixels and Pillow leaves them out
#   and weighs the rest anew: at 28 x 28 a seventh of all outputs differ, by up to 8 of 255 levels of a noisy picture.
#   exclude_outside=1, whose default is 0, makes them the same; ONNX's text on antialias does not name it.
#
# Seen (97 x 131 pixels of noise in float32; the largest difference, and the share of outputs that differ by over 0.5):
#   cubic  to  28 x  28: 5.7 (14.8 %), inside 0.0001; with exclude_outside=1 0.0001 (0.0 %)
#   cubic  to 224 x 224: 8.5 (3.2 %), inside 0.0023; with exclude_outside=1 0.0024 (0.0 %)
#   linear to  28 x  28: 8.1 (12.2 %), inside 0.0001; with exclude_outside=1 0.0001 (0.0 %)
#   linear to 224 x 224: 0.0 (0.0 %), inside 0.0021; with exclude_outside=1 0.0021 (0.0 %)
#
# Why it matters: CLIP's and SigLIP's towers were trained on Pillow's pixels, and a radiograph's edges hold marks and the
#   costal angles. EdgeKit resizes on the host by Pillow itself; a graph that is to do it has to say exclude_outside=1.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 pillow==13.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image

PICTURE = np.random.default_rng(0).integers(0, 256, (97, 131)).astype(np.float32)


def by_onnx(mode: str, size: tuple[int, int], outside: int) -> np.ndarray:
    node = helper.make_node(
        "Resize", ["x", "", "", "sizes"], ["y"], mode=mode, antialias=1, exclude_outside=outside, cubic_coeff_a=-0.5
    )
    given = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, *PICTURE.shape]),
        helper.make_tensor_value_info("sizes", TensorProto.INT64, [4]),
    ]
    graph = helper.make_graph([node], "resize", given, [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": PICTURE[None, None], "sizes": np.array([1, 1, *size])})[0][0, 0]


same = True
for mode, filter in (("cubic", Image.Resampling.BICUBIC), ("linear", Image.Resampling.BILINEAR)):
    for size in ((28, 28), (224, 224)):
        wanted = np.asarray(Image.fromarray(PICTURE).resize(size[::-1], filter))
        default, excluded = (np.abs(by_onnx(mode, size, outside) - wanted) for outside in (0, 1))
        edge = size[0] // 10 + 1
        inside = default[edge:-edge, edge:-edge].max()
        print(
            f"{mode:6} to {size[0]:3} x {size[1]:3}: {default.max():.1f} ({100 * np.mean(default > 0.5):.1f} %), "
            f"inside {inside:.4f}; with exclude_outside=1 {excluded.max():.4f} ({100 * np.mean(excluded > 0.5):.1f} %)"
        )
        odd = (mode, size) != ("linear", (224, 224))  # enlarged linearly, the filter reaches no further than an edge
        same = same and inside < 0.01 and excluded.max() < 0.01 and (default.max() > 5) == odd
sys.exit(0 if same else "This has changed.")
PYTHON
