"""Rules about where weights lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto
from onnx.helper import make_node as node

from tests.unit.export.lint.graphs import (
    F16,
    K,
    model,
    rules,
)


def external(
    offset: int, data: bytes, shape: tuple[int, ...], location: str = "tiny.data", code: int = F16
) -> TensorProto:
    entry = TensorProto(name="w", data_type=code, dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", len(data))):
        entry.external_data.add(key=key, value=str(value))
    return entry


@pytest.mark.parametrize(
    ("rows", "offset", "wrong"), [(K, 64, False), (K, 32, True), (1024, 4096, False), (1024, 64, True)]
)
def test_weights_that_start_at_no_page_or_line(rows: int, offset: int, wrong: bool) -> None:
    entry = external(offset, bytes(rows * K * 2), (K, rows))
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [entry])
    assert rules(graph) == ["alignment"] * wrong


def test_weights_that_are_not_where_the_graph_says(tmp_path: Path) -> None:
    data = bytes(K * K * 2)
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [external(64, data, (K, K))])
    assert rules(graph) == []  # nothing is known of files
    assert rules(graph, folder=tmp_path) == ["external-data"]
    (tmp_path / "tiny.data").write_bytes(bytes(64) + data[:-1])
    assert rules(graph, folder=tmp_path) == ["external-data"]
    (tmp_path / "tiny.data").write_bytes(bytes(64) + data)
    assert rules(graph, folder=tmp_path) == []
    del graph.graph.initializer[0].external_data[0]
    assert rules(graph, folder=tmp_path) == ["external-data"]
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [external(64, data[:-2], (K, K))])
    assert rules(graph, folder=tmp_path) == ["external-data"]
