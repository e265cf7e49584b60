#!/bin/bash
# ONNX Runtime 1.32.0: Cast from float to INT4 and UINT4 rounds, and what rounds past the range changes its sign.
#
# Expected: as Cast from float to INT8 does in the same runtime, and to INT4 in ONNX's own reference evaluator (onnx
#   1.23.2): fractions are cut off, so 0.5 is 0 and 7.5 is 7. ONNX leaves only values out of the target's range
#   undefined, and 7.5, which is cut to 7, lies within.
# Real: int4 rounds half away from zero, then drops the high bits: 0.5 is 1, and 7.5 is -8. uint4: 15.5 is 0.
#
# Seen:
#   int8  of [ 0.5  1.5 -0.5  7.4  7.5  7.9]: ONNX Runtime [0 1 0 7 7 7], reference [0 1 0 7 7 7]
#   int4  of [ 0.5  1.5 -0.5  7.4  7.5  7.9]: ONNX Runtime [ 1  2 -1  7 -8 -8], reference [0 1 0 7 7 7]
#   uint4 of [ 0.5  1.5  7.5 15.4 15.5 15.9]: ONNX Runtime [ 1  2  8 15  0  0], reference [ 0  1  7 15 15 15]
#
# Why it matters: codes of 4 bits that a graph makes by Div, Clip to [-8, 7.5] and Cast would turn the largest weights of
#   every group into the most negative. EdgeKit writes codes with numpy, clipped as whole numbers, and keeps them constant.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def cast(name: str, values: list[float]) -> tuple[list[int], list[int]]:
    """By ONNX Runtime and by the reference."""
    kind = getattr(TensorProto, name.upper())
    nodes = [helper.make_node("Cast", ["x"], ["q"], to=kind), helper.make_node("Cast", ["q"], ["y"], to=TensorProto.FLOAT)]
    ends = [helper.make_tensor_value_info(end, TensorProto.FLOAT, [len(values)]) for end in "xy"]
    graph = helper.make_graph(nodes, "cast", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    feeds = {"x": np.array(values, np.float32)}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, feeds)[0], ReferenceEvaluator(model).run(None, feeds)[0]
    print(f"{name:5} of {np.array(values)}: ONNX Runtime {found[0].astype(int)}, reference {found[1].astype(int)}")
    return found[0].astype(int).tolist(), found[1].astype(int).tolist()


signed, unsigned = [0.5, 1.5, -0.5, 7.4, 7.5, 7.9], [0.5, 1.5, 7.5, 15.4, 15.5, 15.9]
cut = ([0, 1, 0, 7, 7, 7], [0, 1, 7, 15, 15, 15])
same = (
    cast("int8", signed) == (cut[0], cut[0])
    and cast("int4", signed) == ([1, 2, -1, 7, -8, -8], cut[0])
    and cast("uint4", unsigned) == ([1, 2, 8, 15, 0, 0], cut[1])
)
sys.exit(0 if same else "This has changed.")
PYTHON
