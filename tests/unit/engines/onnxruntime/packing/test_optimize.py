"""The final form of a graph: its large matrices stay where they lie."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import TensorProto

from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.spans import span_of
from tests.unit.engines.onnxruntime.packing.case import (
    nbits,
    needs_packing,
    plain,
    save,
)

pytestmark = needs_packing


def test_optimizing_reads_no_large_matrix(tmp_path: Path) -> None:
    """A graph of any size is optimized in little memory: its matrices need not even be there."""
    source = save(tmp_path, [nbits("a", 96, 256), plain("b", 72, 256)], 256)
    model = onnx.load(str(source))
    for tensor in model.graph.initializer:
        if tensor.name in ("a.b", "b.b"):
            tensor.data_location = TensorProto.EXTERNAL
            tensor.ClearField("raw_data")
            for key, value in (("location", "gone.data"), ("offset", "0"), ("length", str(1 << 14))):
                tensor.external_data.add(key=key, value=value)
    source.write_bytes(model.SerializeToString())
    graph = optimize(source, tmp_path)
    assert {node.name for node in graph.packing()} == {"a", "b"}
    span = span_of(graph.tensors["a.b"])
    assert span is not None
    assert span.file == tmp_path / "gone.data"
