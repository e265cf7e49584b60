#!/usr/bin/env bash
# ONNX Runtime 1.32.0: the option that makes int8 products exact breaks graphs that have none, and zero points that
# two products share.
#
# On x86-64 without VNNI, the kernels that multiply uint8 activations with int8 weights add pairs of products in 16 bits,
# which overflow. `session.x64quantprecision = 1` is documented to use slower, exact kernels instead.
# Expected: other answers of int8 products, the same of everything else; and a constant may be read by several nodes.
# What happens:
# - DynamicQuantizeMatMul is a fifth off without the option (codes to ±127, normal inputs), exact with it.
# - DequantizeLinear of int8 weights by channel or by block, whose product is one of floats, gets uint8 weights and a
#   zero point of the wrong shape; the graph loads, and fails as it is run: "x_zero_point must be null or 1D tensor with
#   size 64", "must be null or have the same rank as x for blocked quantization".
# - Two DynamicQuantizeMatMul that share a zero point: "AddInitializedOrtValue Attempt to replace the existing tensor".
# Why it matters: a session may have the option only if its graph has int8 products, and each matrix wants a zero point
# of its own (edgekit/onnx_session.py, edgekit/export/ort.py).
#
# Needs x86-64 with AVX2 and without VNNI; seen on AMD Zen 3. By ONNX Runtime's source, other processors with AVX2 rewrite
# the same graphs, though their sums are exact without; other architectures ignore the option. There this script says so,
# shows nothing and ends with 0.
set -euo pipefail

if [ "$(uname -m)" != x86_64 ] || ! grep -qw avx2 /proc/cpuinfo || grep -qwE 'avx512_vnni|avx_vnni|amx_int8' /proc/cpuinfo; then
    echo "This needs an x86-64 processor with AVX2 and without VNNI; nothing was tried."
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(0)
K = 64
X = RNG.normal(size=(5, K)).astype(np.float32)
CODES, SCALES = RNG.integers(-127, 128, (K, K), np.int8), RNG.random(K, np.float32) / 100
MS = "com.microsoft"


def run(nodes, constants, exact):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", K])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", K])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    sets = [helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)]
    model = helper.make_model(graph, ir_version=10, opset_imports=sets)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": X})[0]
    except Exception as error:
        return " ".join(str(error).split())[-110:]


def product(given, made, *more):
    return helper.make_node("DynamicQuantizeMatMul", [given, "codes", "scales", *more], [made], domain=MS)


def dequantized(**how):
    return [
        helper.make_node("DequantizeLinear", ["codes", "scales"], ["weights"], **how),
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
    ]


plain = {"codes": CODES, "scales": SCALES}
step = (X.max() - X.min()) / 255
zero = np.round(-X.min() / step)
want = ((np.clip(np.round(X / step) + zero, 0, 255) - zero) * step) @ (CODES * SCALES)
off = [np.linalg.norm(run([product("x", "y")], plain, exact) - want) / np.linalg.norm(want) for exact in (0, 1)]
print(f"DynamicQuantizeMatMul: {off[0]:.3f} off, with the option {off[1]:.1e}")

cases = {
    "DequantizeLinear by channel": (dequantized(axis=1), plain),
    "DequantizeLinear by block": (dequantized(axis=0, block_size=32), plain | {"scales": SCALES[None].repeat(2, 0)}),
    "two products, one zero point": (
        [product("x", "h", "zero"), product("h", "y", "zero")],
        plain | {"zero": np.array(0, np.int8)},
    ),
}
same = off[0] > 0.05 and off[1] < 1e-5
for name, (nodes, constants) in cases.items():
    without, asked = (run(nodes, constants, exact) for exact in (0, 1))
    print(f"{name}: {'runs' if isinstance(without, np.ndarray) else without}, with the option: "
          f"{'runs' if isinstance(asked, np.ndarray) else '… ' + asked}")
    same &= isinstance(without, np.ndarray) and isinstance(asked, str)
sys.exit(0 if same else "This has changed: see edgekit/onnx_session.py and edgekit/export/ort.py.")
PY
