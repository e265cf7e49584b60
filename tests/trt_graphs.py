"""Small graphs as TensorRT is to get them: standard operators of opset 21, strongly typed fp16, weights beside.

A matrix in each way that weights are stored in, and a decoder of TinyLlama's shape with its attention in two forms:
one that TensorRT makes one kernel of, and one that it doesn't.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

Kind = Literal["fp16", "int8", "int4"]
Form = Literal["stacked", "grouped"]
Array = npt.NDArray[Any]
HALF = TensorProto.FLOAT16
BLOCK = 128
HIDDEN, HEADS, KV_HEADS, HEAD_DIM = 2048, 32, 4, 64
LAYER_WEIGHTS = HIDDEN * (2 * HEADS + 2 * KV_HEADS) * HEAD_DIM


class Graph:
    """Nodes and constants under construction; every value has the name of the node that makes it."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {}
        self._random = np.random.default_rng(0)

    def op(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, value: Array) -> str:
        self.constants[name] = value
        return name

    def shape(self, x: str, name: str, *dimensions: int) -> str:
        return self.op("Reshape", [x, self.constant(f"{name}.shape", np.array(dimensions))], name)

    def linear(self, x: str, name: str, k: int, n: int, kind: Kind) -> str:
        """x W, with W ``[k, n]`` as fp16, int8 with a scale per column, or int4 with one per 128 rows of a column."""
        scale = np.full(n, 0.01, np.float16)
        codes = self._random.integers(-7, 8, (k, n), np.int8)
        if kind == "fp16":
            return self.op("MatMul", [x, self.constant(f"{name}.weight", codes * scale)], name)
        inputs = [self.constant(f"{name}.weight", codes), self.constant(f"{name}.scale", scale)]
        attributes = {"axis": 1}
        if kind == "int4":
            self.constants |= {
                f"{name}.weight": codes.astype(ml_dtypes.int4),
                f"{name}.scale": np.tile(scale, (k // BLOCK, 1)),
            }
            attributes = {"axis": 0, "block_size": BLOCK}
        weight = self.op("DequantizeLinear", inputs, f"{name}.dequantize", **attributes)
        return self.op("MatMul", [x, weight], name)

    def save(self, path: Path, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> Path:
        """Write ``path`` and its constants beside it."""
        taken, given = (
            [helper.make_tensor_value_info(name, HALF, shape) for name, shape in ends.items()]
            for ends in (inputs, outputs)
        )
        tensors = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        model = helper.make_model(
            helper.make_graph(self.nodes, "graph", taken, given, tensors),
            ir_version=10,
            opset_imports=[helper.make_opsetid("", 21)],
        )
        onnx.save(model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=1024)
        return path


def matrix(path: Path, kind: Kind, k: int, n: int) -> Path:
    """``y = x W``, x ``[rows, k]``."""
    graph = Graph()
    graph.linear("x", "y", k, n, kind)
    return graph.save(path, {"x": ["rows", k]}, {"y": ["rows", n]})


def broken(path: Path) -> Path:
    """Two nodes that no runtime knows, the second of them without a name."""
    graph = Graph()
    graph.op("NoSuchOperator", ["x"], "first")
    graph.op("NorThisOne", ["first"], "y")
    graph.nodes[-1].name = ""
    return graph.save(path, {"x": ["rows", 8]}, {"y": ["rows", 8]})


def decoder(path: Path, form: Form, layers: int = 2, kind: Kind = "int4", *, packed: bool = True) -> Path:
    """Attention layers over a cache that is returned whole, with residuals and RMSNorms, without rotary embedding.

    ``x`` and ``y`` ``[rows, length, 2048]``; ``mask`` ``[rows, 1, length, total]``, added to the scores;
    ``past.I.key|value`` ``[rows, 4, past, 64]``; ``present.I.key|value`` ``[rows, 4, total, 64]``. ``packed``: query,
    key and value are one matrix.
    """
    graph = Graph()
    graph.constant("eps", np.array(1e-5, np.float32))
    graph.constant("two", np.array(2, np.float32))
    graph.constant("scale", np.array(HEAD_DIM**-0.5, np.float16))
    inputs: dict[str, list[Any]] = {"x": ["rows", "length", HIDDEN], "mask": ["rows", 1, "length", "total"]}
    outputs: dict[str, list[Any]] = {"y": ["rows", "length", HIDDEN]}
    x, mask = "x", "mask"
    if form == "stacked":
        mask = graph.op("Concat", [mask] * (HEADS // KV_HEADS), "mask.tiled", axis=2)
    else:
        mask = graph.op("Unsqueeze", [mask, graph.constant("mask.axis", np.array([2]))], "mask.unsqueezed")
    for layer in range(layers):
        for part in ("key", "value"):
            inputs[f"past.{layer}.{part}"] = ["rows", KV_HEADS, "past", HEAD_DIM]
            outputs[f"present.{layer}.{part}"] = ["rows", KV_HEADS, "total", HEAD_DIM]
        normed = _norm(graph, x, f"{layer}.norm")
        attended = _attention(graph, normed, mask, layer, form, kind, packed)
        last = layer == layers - 1
        x = graph.op("Add", [x, attended], "y" if last else f"{layer}.sum")
    return graph.save(path, inputs, outputs)


def _norm(graph: Graph, x: str, name: str) -> str:
    """RMSNorm in float32, as strong typing has it."""
    wide = graph.op("Cast", [x], f"{name}.wide", to=TensorProto.FLOAT)
    square = graph.op("Pow", [wide, "two"], f"{name}.square")
    axes = graph.constant(f"{name}.axes", np.array([-1]))
    mean = graph.op("ReduceMean", [square, axes], f"{name}.mean")
    root = graph.op("Sqrt", [graph.op("Add", [mean, "eps"], f"{name}.add")], f"{name}.root")
    half = graph.op("Cast", [graph.op("Div", [wide, root], f"{name}.div")], f"{name}.half", to=HALF)
    return graph.op("Mul", [half, graph.constant(f"{name}.weight", np.ones(HIDDEN, np.float16))], name)


def _projections(graph: Graph, x: str, name: str, kind: Kind, packed: bool) -> list[str]:
    """Query, key and value, by one matrix side by side or by one each."""
    widths = {"query": HEADS * HEAD_DIM, "key": KV_HEADS * HEAD_DIM, "value": KV_HEADS * HEAD_DIM}
    if not packed:
        return [graph.linear(x, f"{name}.{part}", HIDDEN, width, kind) for part, width in widths.items()]
    qkv = graph.linear(x, f"{name}.qkv", HIDDEN, sum(widths.values()), kind)
    sizes = graph.constant(f"{name}.sizes", np.array(list(widths.values())))
    parts = [f"{name}.{part}" for part in widths]
    graph.nodes.append(helper.make_node("Split", [qkv, sizes], parts, f"{name}.split", axis=-1))
    return parts


def _attention(graph: Graph, x: str, mask: str, layer: int, form: Form, kind: Kind, packed: bool) -> str:
    group, name = HEADS // KV_HEADS, f"{layer}.attention"
    new = dict(zip(("query", "key", "value"), _projections(graph, x, name, kind, packed), strict=True))
    cached = {}
    for part in ("key", "value"):
        heads = graph.shape(new[part], f"{name}.{part}.heads", 0, 0, KV_HEADS, HEAD_DIM)
        turned = graph.op("Transpose", [heads], f"{name}.{part}.turned", perm=[0, 2, 1, 3])
        cached[part] = graph.op("Concat", [f"past.{layer}.{part}", turned], f"present.{layer}.{part}", axis=2)
    q = new["query"]
    q = graph.op("Mul", [q, "scale"], f"{name}.scaled")
    q = graph.shape(q, f"{name}.query.heads", 0, 0, KV_HEADS, group, HEAD_DIM)
    q = graph.op("Transpose", [q], f"{name}.query.turned", perm=[0, 2, 3, 1, 4])  # [rows, kv_heads, group, length, D]
    k, v = cached["key"], cached["value"]
    if form == "stacked":
        # The query heads that share a key head are further query rows: plain attention over kv_heads.
        q = graph.shape(q, f"{name}.query.stacked", 0, KV_HEADS, -1, HEAD_DIM)
    else:
        axis = graph.constant(f"{name}.axis", np.array([2]))
        k, v = (graph.op("Unsqueeze", [side, axis], f"{name}.{side}.unsqueezed") for side in (k, v))
    turn = [0, 1, 3, 2] if form == "stacked" else [0, 1, 2, 4, 3]
    scores = graph.op("MatMul", [q, graph.op("Transpose", [k], f"{name}.k.turned", perm=turn)], f"{name}.scores")
    weights = graph.op("Softmax", [graph.op("Add", [scores, mask], f"{name}.masked")], f"{name}.softmax", axis=-1)
    mixed = graph.op("MatMul", [weights, v], f"{name}.mixed")
    if form == "stacked":
        # The length is not known, but all else is: [rows, kv_heads, group, length, D]
        mixed = graph.shape(mixed, f"{name}.apart", 0, KV_HEADS, group, -1, HEAD_DIM)
    back = graph.op("Transpose", [mixed], f"{name}.back", perm=[0, 3, 1, 2, 4])
    return graph.linear(graph.shape(back, f"{name}.flat", 0, 0, HIDDEN), f"{name}.out", HIDDEN, HIDDEN, kind)
