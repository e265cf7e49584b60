#!/bin/bash
# TensorRT-RTX 1.7.1.116: OnnxParser.supports_operator says yes to MatMulNBits and GroupQueryAttention, which it refuses.
#
# Expected: a node of an operator that is called supported parses, in one of the forms that ONNX Runtime runs.
# Real: supports_operator is True for both, and a node that ONNX Runtime runs ends in "failed to load
#   MatMulNBits plugin" (GroupQueryAttention likewise): the package brings no such plugins.
#   SkipSimplifiedLayerNormalization, whose answer is the same, does parse.
#
# Seen:
#   SkipSimplifiedLayerNormalization: supports_operator True, parses
#   MatMulNBits: supports_operator True, refused: ... failed to load MatMulNBits plugin.
#   GroupQueryAttention: supports_operator True, refused: ... failed to load GroupQueryAttention plugin.
#
# Why it matters: a tool that asks the parser which of its two spellings to send would send ONNX Runtime's, and fail on
#   the device. EdgeKit sends TensorRT standard operators alone, and its lint goes by a list of its own, by domain.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorrt-rtx-cu13==1.7.1.116 onnx==1.23.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tensorrt_rtx as trt
from onnx import TensorProto, helper, numpy_helper

HALF, INT = TensorProto.FLOAT16, TensorProto.INT32
SIZE = 64


class Quiet(trt.ILogger):
    def __init__(self) -> None:
        trt.ILogger.__init__(self)

    def log(self, severity: object, message: str) -> None: ...


BUILDER = trt.Builder(Quiet())


def said(operator: str, given: dict, wanted: dict, constants: dict, **attributes: object) -> str:
    """What the parser makes of one node, whose tensors are ``given`` (name: dtype, shape) and ``constants``."""
    node = helper.make_node(operator, [*given, *constants], [*wanted], domain="com.microsoft", **attributes)
    ends = [[helper.make_tensor_value_info(name, *what) for name, what in side.items()] for side in (given, wanted)]
    arrays = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(helper.make_graph([node], "one", *ends, arrays), opset_imports=domains, ir_version=10)
    network = BUILDER.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, Quiet())
    answer = parser.supports_operator(operator)
    parsed = parser.parse(model.SerializeToString())
    what = "parses" if parsed else f"refused: {parser.get_error(0).desc()}"
    print(f"{operator}: supports_operator {answer}, {what}")
    return f"{answer} {what}"


rows = (HALF, [1, 8, SIZE])
narrow, cache = (HALF, [1, 8, SIZE // 2]), (HALF, [1, 1, 16, SIZE // 2])
asked = {"q": rows, "k": narrow, "v": narrow, "past_k": cache, "past_v": cache, "lengths": (INT, [1]), "longest": (INT, [])}
answered = {"y": rows, "present_k": cache, "present_v": cache}
weights = {"codes": np.full((SIZE, SIZE // 32, 16), 0x88, np.uint8), "scales": np.ones((SIZE, SIZE // 32), np.float16)}
norm = "SkipSimplifiedLayerNormalization"
attention = "GroupQueryAttention"
found = (
    said(norm, {"x": rows, "skip": rows}, {"y": rows}, {"gamma": np.ones(SIZE, np.float16)}),
    said("MatMulNBits", {"x": rows}, {"y": rows}, weights, K=SIZE, N=SIZE, bits=4, block_size=32),
    said(attention, asked, answered, {}, num_heads=2, kv_num_heads=1, scale=(SIZE // 2) ** -0.5),
)
same = (
    found[0] == "True parses"
    and found[1].startswith("True refused") and "failed to load MatMulNBits plugin" in found[1]
    and found[2].startswith("True refused") and "failed to load GroupQueryAttention plugin" in found[2]
)
sys.exit(0 if same else "This has changed.")
PYTHON
