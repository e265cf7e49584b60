"""Which nodes' matrices may be packed, and one of them alone in a graph, against the graph that it comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from edgekit.checkpoint.packed import Array
from edgekit.engines.onnxruntime.packing.graph import PackableGraph, add_alone, empty_like
from edgekit.engines.onnxruntime.packing.spans import inline
from edgekit.onnx_session import open_graph, options
from tests.unit.engines.onnxruntime.packing.case import MS, dynamic, nbits, plain, save

Part = tuple[onnx.NodeProto, dict[str, Array]]


def packable(path: Path) -> PackableGraph:
    """Of a graph as it is saved, its tensors by absolute paths."""
    model = onnx.load(str(path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = str(path.parent / entry.value)
    return PackableGraph(model)


def reusing(part: Part, name: str) -> Part:
    node = helper.make_node("MatMulNBits", list(part[0].input), [name], name, domain=MS)
    node.attribute.extend(part[0].attribute)
    return node, {}


def test_a_matrix_is_packed_where_it_lies_outside_is_large_and_one_node_s_alone(tmp_path: Path) -> None:
    shared = nbits("shared", 64, 128)
    parts = [nbits("alone", 64, 128), nbits("small", 4, 128), shared, reusing(shared, "again"), plain("plain", 8, 128)]
    parts.append((helper.make_node("Add", ["x", "plain.b"], ["sum"], "sum"), {}))  # of which another reads
    parts.append((helper.make_node("MatMul", ["x", "x"], ["square"], "square"), {}))
    parts.append(dynamic("dynamic", 16, 128))
    names = [node.name for node in packable(save(tmp_path, parts, 128)).packing()]
    assert names == ["alone", "dynamic"]
    inside = onnx.load(str(tmp_path / "source.onnx"))
    assert list(PackableGraph(inside).packing()) == []


def test_a_kind_is_all_but_the_size_and_the_values(tmp_path: Path) -> None:
    parts = [
        *(nbits("first", 64, 256), nbits("second", 32, 128)),
        *(nbits("bias", 64, 256, bias=True), nbits("eight", 64, 256, bits=8), nbits("block", 64, 256, block=32)),
        *(plain("plain", 64, 256), dynamic("dynamic", 64, 256)),
    ]
    graph = packable(save(tmp_path, parts, 256))
    kinds = {node.name: graph.kind(node) for node in graph.model.graph.node}
    assert kinds["first"] == kinds["second"]
    assert len(set(kinds.values())) == len(parts) - 1
    onward = helper.make_node("Gemm", ["x", "w", ""], ["y"], transB=1)
    backward = helper.make_node("Gemm", ["x", "w", ""], ["y"], transB=0)
    assert graph.kind(onward) != graph.kind(backward)


@pytest.mark.parametrize("part", [nbits("a", 24, 96, bias=True), dynamic("a", 24, 96), plain("a", 24, 96)])
def test_a_node_alone_computes_what_it_does_in_company(part: Part, tmp_path: Path) -> None:
    """Twice in one graph, each by an input of its own."""
    path = save(tmp_path, [part, nbits("other", 16, 96)], 96)
    graph = packable(path)
    (node,) = [node for node in graph.model.graph.node if node.name == "a"]
    alone = empty_like(graph.model)
    for prefix in ("0.", "1."):
        matrix, others = inline(graph.matrix(node)), [inline(tensor) for tensor in graph.others(node)]
        add_alone(alone, node, matrix, others, prefix)
    session = open_graph(alone.SerializeToString(), "cpu", options(threads=1))
    assert [value.shape for value in session.get_inputs()] == [[3, 96], [3, 96]]
    x = np.random.default_rng(0).standard_normal((2, 3, 96), dtype=np.float32)
    outputs = session.run(None, {"0.x": x[0], "1.x": x[1]})
    whole = open_graph(path, "cpu", options(threads=1))
    for rows, output in zip(x, outputs, strict=True):
        np.testing.assert_array_equal(output, whole.run(["a"], {"x": rows})[0])
