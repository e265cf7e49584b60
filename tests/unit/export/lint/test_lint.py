"""Weights where a graph says that they are, and graphs as they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.helper import make_node as node

from edgekit.checkpoint.packed import Array
from edgekit.errors import EngineError
from edgekit.export.graph import Graph, Initializer, Put
from edgekit.export.lint import Complaint, lint, require_clean
from edgekit.export.write import write_graph
from tests.unit.export.lint.graphs import (
    F16,
    F32,
    I4,
    RNG,
    K,
    model,
    rules,
    tensor,
)


def external(
    offset: int, data: bytes, shape: tuple[int, ...], location: str = "tiny.data", code: int = F16
) -> TensorProto:
    entry = TensorProto(name="w", data_type=code, dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", len(data))):
        entry.external_data.add(key=key, value=str(value))
    return entry


def test_a_dead_scale_late_in_a_file(tmp_path: Path) -> None:
    """Beyond the first piece that is read; and the folder that a location names is not entered."""
    scales = np.full((1 << 21) + 64, 0.1, np.float32)
    scales[-1] = 0
    data = scales.tobytes()
    entry = external(0, data, scales.shape, "../elsewhere/tiny.data", F32)
    nodes = [node("DequantizeLinear", ["c", "w"], ["y"], "d", axis=0)]
    graph = model(nodes, [tensor("c", np.ones((len(scales), 1), np.int8)), entry], y=F32)
    (tmp_path / "tiny.data").write_bytes(data)
    assert rules(graph, folder=tmp_path) == ["scale-value"]
    (tmp_path / "tiny.data").write_bytes(scales[:-1].tobytes() + np.float32(1).tobytes())
    assert rules(graph, folder=tmp_path) == []


def decoder_like(path: Path, *, dead: bool = False) -> None:
    """Two int4 layers around a norm in float16, written as exports are: weights beside the graph."""
    graph, hidden, block = Graph("decoder"), 256, 128
    graph.input("x", F16, ["rows", "tokens", hidden])
    graph.output("y", F16, ["rows", "tokens", hidden])
    last = "x"
    for layer in range(2):
        name = f"layers.{layer}"
        codes, scales, norm = f"{name}.codes", f"{name}.scales", f"{name}.norm"
        values = np.full((hidden // block, hidden), 0.01, np.float16)
        values[1, 3] = 0 if dead else 0.01
        values.flags.writeable = False

        def fill(put: Put, codes: str = codes, scales: str = scales, norm: str = norm, values: Array = values) -> None:
            put(codes, 0, RNG.integers(0, 256, hidden * hidden // 2, np.uint8))
            put(scales, 0, values)
            put(norm, 0, np.ones(hidden, np.float16))

        declared = [
            Initializer(codes, I4, (hidden, hidden)),
            Initializer(scales, F16, (hidden // block, hidden)),
            Initializer(norm, F16, (hidden,)),
        ]
        graph.weight(declared, fill, 0)
        wide = graph.op("Cast", [last], name=f"{name}.wide", attributes={"to": F32})[0]
        square = graph.op("Mul", [wide, wide], name=f"{name}.square")[0]
        axis = graph.constant("axis", np.array([-1], np.int64))
        mean = graph.op("ReduceMean", [square, axis], name=f"{name}.mean")[0]
        floor = graph.op("Add", [mean, graph.constant("eps", np.array(1e-5, np.float32))], name=f"{name}.floor")[0]
        unit = graph.op("Div", [wide, graph.op("Sqrt", [floor], name=f"{name}.root")[0]], name=f"{name}.unit")[0]
        narrow = graph.op("Cast", [unit], name=f"{name}.narrow", attributes={"to": F16})[0]
        normed = graph.op("Mul", [narrow, norm], name=f"{name}.normed")[0]
        blocks = {"axis": 0, "block_size": block}
        weight = graph.op("DequantizeLinear", [codes, scales], name=f"{name}.weight", attributes=blocks)[0]
        product = graph.op("MatMul", [normed, weight], name=f"{name}.product")[0]
        last = graph.op("Add", [last, product], ["y"] if layer else 1, name=f"{name}.sum")[0]
    write_graph(graph, path)


def test_a_graph_as_it_is_written_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    decoder_like(path)
    assert lint(onnx.load(str(path), load_external_data=False), folder=tmp_path) == []
    require_clean(path, (10, 3))
    require_clean(path)


def test_a_complaint_becomes_an_error_that_says_where_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    decoder_like(path, dead=True)
    with pytest.raises(
        EngineError, match=r"decoder\.onnx is not for TensorRT 10\.3: at layers\.0\.weight: .*\(and 1 more\)"
    ) as caught:
        require_clean(path, (10, 3))
    assert caught.value.hint


def test_a_warning_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "wide.onnx"
    weight = tensor("w", np.ones((K, K), np.float16))
    nodes = [
        node("MatMul", ["x", "w"], ["a"], "half"),
        node("Cast", ["a"], ["b"], "cast", to=F32),
        node("MatMul", ["b", "b"], ["y"], "wide"),
    ]
    onnx.save(model(nodes, [weight], y=F32), str(path))
    require_clean(path)


def test_a_file_that_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="can't be read"):
        require_clean(tmp_path / "absent.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"\xff" * 64)
    with pytest.raises(EngineError, match="is no graph"):
        require_clean(tmp_path / "bad.onnx")


def test_a_complaint_names_its_place() -> None:
    unnamed = model([node("BitwiseNot", ["x"], ["y"])])
    (complaint,) = lint(unnamed)
    assert isinstance(complaint, Complaint)
    assert complaint.name == "y"
    assert complaint.sentence.endswith(".")
    assert complaint.remedy
