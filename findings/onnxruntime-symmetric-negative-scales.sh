#!/bin/bash
# ONNX Runtime 1.32.0: its symmetric 4-bit quantizer writes about half of its scales negative.
#
# Expected: MatMulNBitsQuantizer with is_symmetric=True gives each block a scale above zero, its largest absolute value by
#   7 or 8, as "symmetric" means elsewhere (GPTQ, AWQ, compressed-tensors), and as it does itself without is_symmetric.
# Real: where a block's largest value is a positive one, the scale is that by -8, so that it gets the code -8: 27 of 64
#   scales of normal weights are negative, in MatMulNBits and, by quant_format=QDQ, in standard DequantizeLinear.
#
# Seen:
#   QOperator, symmetric: 27 of 64 scales are negative; asymmetric: 0
#   QDQ, symmetric: 27 of 64 scales are negative; asymmetric: 0
#
# Why it matters: the answers are right in ONNX Runtime, so nobody notices; but a reader that takes scales for sizes is
#   wrong in silence (a largest error of half a scale, a fold of |scale| into what comes before, a unit-scale check).
#   TensorRT's developer guide asks for positive scales. EdgeKit's quantizer keeps its own positive; its check looks for
#   scales that are zero or no number, and its lint refuses negative ones before a graph is compiled.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 onnx-ir==1.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import logging
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

logging.disable(logging.INFO)


def negative(layout: QuantFormat, symmetric: bool) -> tuple[int, int]:
    """How many scales of a quantized MatMul are below zero, and of how many."""
    weight = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", 64), ("y", 32))]
    node = helper.make_node("MatMul", ["x", "w"], ["y"], name="linear")
    graph = helper.make_graph([node], "linear", ends[:1], ends[1:], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    config = DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=symmetric, quant_format=layout)
    quantizer = MatMulNBitsQuantizer(model, algo_config=config)
    quantizer.process()
    (scales,) = (tensor for tensor in quantizer.model.model.graph.initializer if tensor.data_type == TensorProto.FLOAT)
    values = numpy_helper.to_array(scales)
    return int((values < 0).sum()), values.size


same = True
for layout in (QuantFormat.QOperator, QuantFormat.QDQ):
    (below, count), (asymmetric, _) = (negative(layout, symmetric) for symmetric in (True, False))
    print(f"{layout.name}, symmetric: {below} of {count} scales are negative; asymmetric: {asymmetric}")
    same = same and below > count // 4 and asymmetric == 0
sys.exit(0 if same else "This has changed.")
PYTHON
