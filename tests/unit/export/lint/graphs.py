"""Tiny graphs that break a rule of the linter alone, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node as node

from edgekit.checkpoint.packed import Array
from edgekit.export.graph import MS
from edgekit.export.lint import lint

F32, F16, I8, I4 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.INT4
K, N, BLOCK = 64, 6, 32
RNG = np.random.default_rng(0)


def model(
    nodes: Sequence[NodeProto],
    tensors: Sequence[TensorProto] = (),
    *,
    x: int = F16,
    y: int = F16,
    opset: int = 21,
    inputs: Sequence[str] = ("x",),
) -> ModelProto:
    """A graph from ``inputs``, all of type ``x``, to "y"."""
    ends = [helper.make_tensor_value_info(name, x, ["rows", K]) for name in inputs]
    out = helper.make_tensor_value_info("y", y, None)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
    return helper.make_model(helper.make_graph(nodes, "tiny", ends, [out], tensors), opset_imports=imports)


def rules(graph: ModelProto, version: tuple[int, int] = (10, 3), folder: Path | None = None) -> list[str]:
    return [complaint.rule for complaint in lint(graph, version, folder)]


def tensor(name: str, value: Array) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def int4(name: str, shape: Sequence[int], kind: int = I4) -> TensorProto:
    return helper.make_tensor(name, kind, shape, [1] * int(np.prod(shape)))


def linear4(
    weight: TensorProto | None = None,
    scales: TensorProto | None = None,
    zero: TensorProto | None = None,
    between: str = "",
    **attributes: Any,
) -> ModelProto:
    """y = x · W, W int4 in blocks along its K rows."""
    weight = weight or int4("w", (K, N))
    scales = scales or tensor("s", np.full((K // BLOCK, N), 0.1, np.float16))
    inputs = ["w", "s", *(["z"] if zero else [])]
    nodes = [node("DequantizeLinear", inputs, ["d"], "d", **({"axis": 0, "block_size": BLOCK} | attributes))]
    nodes += [node(between, ["d"], ["m"], "between")] if between else []
    nodes.append(node("MatMul", ["x", "m" if between else "d"], ["y"], "product"))
    return model(nodes, [weight, scales, *([zero] if zero else [])])


def linear8(scales: Array, zero: Array | None = None, **attributes: Any) -> ModelProto:
    tensors = [tensor("w", np.ones((K, N), np.int8)), tensor("s", scales)]
    tensors += [] if zero is None else [tensor("z", zero)]
    return model(
        [
            node("DequantizeLinear", [entry.name for entry in tensors], ["d"], "d", **attributes),
            node("MatMul", ["x", "d"], ["y"], "product"),
        ],
        tensors,
    )


def relu(**changes: Any) -> ModelProto:
    return model([node("Relu", ["x"], ["y"], "relu")], **changes)
