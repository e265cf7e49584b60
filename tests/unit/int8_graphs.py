"""Small graphs of int8 weights, and what exact arithmetic makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgekit.checkpoint.packed import Array

MS = "com.microsoft"
ROWS, K, N = 5, 256, 48
RNG = np.random.default_rng(0)
X = RNG.standard_normal((ROWS, K), dtype=np.float32)
CODES = RNG.integers(-127, 128, (K, N), np.int8)
SCALES = RNG.random(N, dtype=np.float32) / 100
BIAS = RNG.random(N, dtype=np.float32)


@dataclass(frozen=True)
class Case:
    """A graph of ``x`` ``[rows, k]``, and its answer to ``X``."""

    graph: bytes
    answer: Array


def dynamic(*, bias: bool = False, zero_point: bool = True) -> Case:
    """Activations get the range of the whole input, in 255 steps, as DynamicQuantizeMatMul's documentation says."""
    step = np.float32((X.max() - X.min()) / 255)
    zero = np.round(-X.min() / step)
    rounded = (np.clip(np.round(X / step) + zero, 0, 255) - zero) * step
    inputs = ["x", "codes", "scales", *_rest(bias, zero_point)]
    return _case([helper.make_node("DynamicQuantizeMatMul", inputs, ["y"], domain=MS)], rounded, bias)


def static(*, bias: bool = False, zero_point: bool = True) -> Case:
    """Activations have a range that was fixed beforehand."""
    step = np.float32(np.abs(X).max() / 127)
    rounded = np.clip(np.round(X / step), -128, 127) * step
    inputs = ["rounded", "codes", "step", "scales", "middle", *_rest(bias, zero_point)]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "middle"], ["rounded"]),
        helper.make_node("MatMulIntegerToFloat", inputs, ["y"], domain=MS),
    ]
    return _case(nodes, rounded, bias, step=np.array(step), middle=np.array(128, np.uint8))


def dequantized() -> Case:
    """Floats multiplied with what the codes stand for."""
    nodes = [
        helper.make_node("DequantizeLinear", ["codes", "scales"], ["weights"], axis=1),
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
    ]
    return _case(nodes, X, bias=False)


def _rest(bias: bool, zero_point: bool) -> list[str]:
    inputs = ["y.weight.zero_point" if zero_point else "", *(["bias"] if bias else [])]
    return inputs if any(inputs) else []


def _case(nodes: Sequence[NodeProto], rounded: Array, bias: bool, **more: Array) -> Case:
    constants = {"codes": CODES, "scales": SCALES, "bias": BIAS, "y.weight.zero_point": np.array(0, np.int8), **more}
    used = {name for node in nodes for name in node.input}
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "products",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", K])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", N])],
            [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
        ),
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)],
    )
    answer = rounded @ (CODES.astype(np.float32) * SCALES) + (BIAS if bias else 0)
    return Case(model.SerializeToString(), answer.astype(np.float32))
