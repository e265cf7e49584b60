"""Graphs of matrices that kernels want packed, as tests make, pack and run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.checkpoint.packed import Array
from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.probe import samples, write_probe
from edgekit.engines.onnxruntime.packing.write import PackedWriter
from edgekit.onnx_session import ZERO_POINT, open_graph, options, runtime_version

VERSION = runtime_version()
ONCE = VERSION < (1, 32)  # whether the runtime takes packed weights without comparing them with the originals
needs_packing = pytest.mark.skipif(VERSION < (1, 28), reason="this ONNX Runtime saves no packed MatMulNBits")
MS = "com.microsoft"
RNG = np.random.default_rng(0)


def nbits(
    name: str, n: int, k: int, bits: int = 4, block: int = 128, bias: bool = False
) -> tuple[NodeProto, dict[str, Array]]:
    blocks = -(-k // block)
    constants: dict[str, Array] = {
        f"{name}.b": RNG.integers(0, 256, (n, blocks, block * bits // 8), np.uint8),
        f"{name}.s": RNG.random((n, blocks), np.float32),
    }
    inputs = ["x", *constants]
    if bias:
        constants[f"{name}.c"] = RNG.random(n, np.float32)
        inputs += ["", "", f"{name}.c"]
    attributes: dict[str, Any] = {"bits": bits, "block_size": block, "N": n, "K": k, "accuracy_level": 4}
    return helper.make_node("MatMulNBits", inputs, [name], name, domain=MS, **attributes), constants


def dynamic(name: str, n: int, k: int) -> tuple[NodeProto, dict[str, Array]]:
    constants: dict[str, Array] = {
        f"{name}.b": RNG.integers(-127, 128, (k, n), np.int8),
        f"{name}.s": RNG.random(n, np.float32),
        f"{name}{ZERO_POINT}": np.array(0, np.int8),
        f"{name}.c": RNG.random(n, np.float32),
    }
    inputs = ["x", *constants]
    return helper.make_node("DynamicQuantizeMatMul", inputs, [name], name, domain=MS), constants


def plain(name: str, n: int, k: int) -> tuple[NodeProto, dict[str, Array]]:
    constants: dict[str, Array] = {f"{name}.b": RNG.normal(size=(n, k)).astype(np.float32)}
    return helper.make_node("FusedMatMul", ["x", f"{name}.b"], [name], name, domain=MS, transB=1), constants


def save(folder: Path, parts: Sequence[tuple[NodeProto, dict[str, Array]]], k: int) -> Path:
    """A graph ``source.onnx`` of nodes that all read ``x`` ``[rows, k]``, every constant in its data file."""
    folder.mkdir(parents=True, exist_ok=True)
    constants = {name: value for _, values in parts for name, value in values.items()}
    model = helper.make_model(
        helper.make_graph(
            [node for node, _ in parts],
            "source",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", k])],
            [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None) for node, _ in parts],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(MS, 1)],
    )
    path = folder / "source.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="source.data", size_threshold=0)
    return path


def pack_graph(source: Path, folder: Path) -> Path:
    """Optimize and write ``source``; where it was written."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    graph = optimize(source, scratch)
    chosen = samples([graph], scratch)
    PackedWriter(chosen, scratch, once=write_probe(chosen, folder, scratch)[1]).write(graph, folder / "packed.onnx")
    return folder / "packed.onnx"


def run(path: Path, k: int, rows: int, final: bool) -> list[Array]:
    session = open_graph(path, "cpu", options(threads=1, final=final))
    x = np.random.default_rng(rows).normal(size=(rows, k)).astype(np.float32)
    found: list[Array] = session.run(None, {"x": x})
    return found


def packed(model: ModelProto) -> set[str]:
    """The tensors that have a packed form, which is all that there is of them where the runtime allows it."""
    found = set()
    for tensor in model.graph.initializer:
        fields = {entry.key: entry.value for entry in tensor.external_data}
        if "prepacked_0" in fields:
            _, first, *_ = fields["prepacked_0"].split("|")
            offset, length, _ = map(int, first.split(";"))
            assert (offset == int(fields["offset"])) == ONCE
            assert length >= int(fields["length"])
            found.add(tensor.name)
    return found


def same(source: Path, other: Path, k: int) -> None:
    for rows in (1, 2, 5):
        for expected, found in zip(run(source, k, rows, False), run(other, k, rows, True), strict=True):
            np.testing.assert_array_equal(found, expected)
