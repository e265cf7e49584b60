"""Written graphs, read back by onnx and run by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper
from safetensors.numpy import load_file

from edgekit.checkpoint.packed import Array
from edgekit.errors import CheckpointError
from edgekit.export.graph import IR_VERSION, MS, OPSET, Graph, Initializer, Put
from edgekit.export.write import layout, write_graph, write_safetensors

RNG = np.random.default_rng(0)
WEIGHT = RNG.standard_normal((300, 200)).astype(np.float32)
BIAS = RNG.standard_normal(200).astype(np.float32)


def linear() -> Graph:
    """y = x · WEIGHT + BIAS, the weight streamed in blocks of seven rows."""
    graph = Graph("linear")
    graph.input("x", TensorProto.FLOAT, ["rows", 300])
    graph.output("y", TensorProto.FLOAT, ["rows", 200])

    def fill(put: Put) -> None:
        put("bias", 0, BIAS)
        for row in range(0, 300, 7):
            put("weight", row * 800, WEIGHT[row : row + 7])

    weights = [Initializer("bias", TensorProto.FLOAT, (200,)), Initializer("weight", TensorProto.FLOAT, (300, 200))]
    graph.weight(weights, fill, 240_800)
    (product,) = graph.op("MatMul", ["x", "weight"], name="product")
    graph.op("Add", [product, "bias"], ["y"], name="sum")
    return graph


def test_a_written_graph_computes_what_was_built(tmp_path: Path) -> None:
    write_graph(linear(), tmp_path / "linear.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linear.onnx", "linear.onnx.data"]
    session = onnxruntime.InferenceSession(str(tmp_path / "linear.onnx"), providers=["CPUExecutionProvider"])
    x = RNG.standard_normal((3, 300)).astype(np.float32)
    (y,) = session.run(None, {"x": x})
    assert np.allclose(y, x @ WEIGHT + BIAS, atol=1e-4)


def test_versions_are_pinned_whatever_onnx_would_choose(tmp_path: Path) -> None:
    write_graph(linear(), tmp_path / "linear.onnx")
    model = onnx.load(str(tmp_path / "linear.onnx"), load_external_data=False)
    assert model.ir_version == IR_VERSION
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": OPSET, MS: 1}


def test_weights_lie_outside_the_graph_and_constants_inside(tmp_path: Path) -> None:
    graph = linear()
    graph.constant("one", np.ones(1, np.float32))
    write_graph(graph, tmp_path / "linear.onnx")
    assert (tmp_path / "linear.onnx").stat().st_size < 4096
    model = onnx.load(str(tmp_path / "linear.onnx"))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert np.array_equal(stored["weight"], WEIGHT)
    assert np.array_equal(stored["bias"], BIAS)
    assert stored["one"] == 1


def test_large_weights_start_at_pages_and_small_ones_at_cache_lines() -> None:
    sizes = (3, 64 * 1024, 64 * 1024 - 1, 100_000, 5)
    weights = [Initializer(str(size), TensorProto.UINT8, (size,)) for size in sizes]
    regions = layout(weights)
    end = 0
    for weight in weights:
        region = regions[weight.name]
        align = 4096 if weight.nbytes >= 64 * 1024 else 64
        assert region.offset % align == 0
        assert end <= region.offset < end + align
        end = region.offset + region.nbytes


def test_int4_counts_two_to_a_byte(tmp_path: Path) -> None:
    graph = Graph("int4")
    graph.input("x", TensorProto.FLOAT, [1])
    graph.output("y", TensorProto.FLOAT, [3, 5])
    codes = np.arange(-7, 8).reshape(3, 5)
    nibbles = np.append(codes.reshape(-1) & 15, 0).astype(np.uint8)
    data = nibbles[::2] | nibbles[1::2] << 4
    graph.weight([Initializer("codes", TensorProto.INT4, (3, 5))], lambda put: put("codes", 0, data), 8)
    graph.op("DequantizeLinear", ["codes", "x"], ["y"], name="values")
    write_graph(graph, tmp_path / "int4.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "int4.onnx"), providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": np.array([2], np.float32)})
    assert np.array_equal(y, codes * 2.0)


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_graph(linear(), tmp_path / name / "linear.onnx")
    for file in ("linear.onnx", "linear.onnx.data"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_graph_without_weights_is_one_file(tmp_path: Path) -> None:
    graph = Graph("identity")
    graph.input("x", TensorProto.FLOAT, [1])
    graph.output("y", TensorProto.FLOAT, [1])
    graph.op("Identity", ["x"], ["y"], name="copy")
    write_graph(graph, tmp_path / "identity.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["identity.onnx"]


def test_an_error_leaves_neither_file(tmp_path: Path) -> None:
    def failing(put: Put) -> None:
        raise CheckpointError("bad weight", "hint")

    broken = linear()
    broken.weight([Initializer("more", TensorProto.FLOAT, (2,))], failing, 8)
    with pytest.raises(CheckpointError, match="bad weight"):
        write_graph(broken, tmp_path / "linear.onnx")
    assert list(tmp_path.iterdir()) == []

    invalid = linear()
    invalid.op("Add", ["y", "nothing"], name="broken")
    with pytest.raises(onnx.checker.ValidationError):
        write_graph(invalid, tmp_path / "linear.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dtype", "array"),
    [
        (TensorProto.FLOAT, WEIGHT),
        (TensorProto.FLOAT16, WEIGHT.astype(np.float16)),
        (TensorProto.INT8, WEIGHT.astype(np.int8)),
        (TensorProto.UINT8, np.abs(WEIGHT).astype(np.uint8)),
    ],
)
def test_safetensors_hold_the_same_fills(tmp_path: Path, dtype: int, array: Array) -> None:
    weight = Initializer("weight", dtype, array.shape)
    halves = [
        (1, lambda put: put("weight", 0, array[:150])),
        (1, lambda put: put("weight", array[:150].nbytes, array[150:])),
    ]
    write_safetensors(tmp_path / "file.safetensors", [weight], halves, {"format": "test"})
    (stored,) = load_file(tmp_path / "file.safetensors").values()
    assert stored.dtype == array.dtype
    assert np.array_equal(stored, array)
