"""Packed graphs against the graphs that they were made of, both run by ONNX Runtime: the same to the last bit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.checkpoint.packed import Array
from edgekit.engines.onnxruntime.packing.__main__ import compile_graphs
from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.pack import pack
from edgekit.engines.onnxruntime.packing.probe import samples, write_probe
from edgekit.engines.onnxruntime.packing.spans import span_of
from edgekit.engines.onnxruntime.packing.write import PackedWriter
from edgekit.engines.onnxruntime.probe import PROBE, answers
from edgekit.errors import EdgeKitError, EngineError
from edgekit.onnx_session import ZERO_POINT, open_graph, options, runtime_version

VERSION = runtime_version()
ONCE = VERSION < (1, 32)  # whether the runtime takes packed weights without comparing them with the originals
pytestmark = pytest.mark.skipif(VERSION < (1, 28), reason="this ONNX Runtime saves no packed MatMulNBits")
MS = "com.microsoft"
RNG = np.random.default_rng(0)


@pytest.fixture(params=[True, False], ids=["saturating", "exact"])
def saturates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What is believed of this processor's sums. Forms equal each other to the last bit, whether it is so or not."""
    believed: bool = request.param
    monkeypatch.setattr("edgekit.onnx_session.sums_saturate", lambda: believed)
    monkeypatch.setattr("edgekit.engines.onnxruntime.packing.optimize.sums_saturate", lambda: believed)
    return believed


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


@pytest.mark.usefixtures("saturates")
def test_every_kind_of_matrix_is_stored_once_and_computes_the_same(tmp_path: Path) -> None:
    k = 256
    parts = [
        *(nbits("int4", 96, k), nbits("int4.bias", 33, k, bias=True), nbits("int8", 64, k, bits=8)),
        *(nbits("int4.32", 48, k, block=32), dynamic("dynamic", 80, k), plain("plain", 72, k)),
    ]
    source = save(tmp_path, parts, k)
    graph = optimize(source, tmp_path)
    assert len(samples([graph], tmp_path)) == len(parts)
    path = pack_graph(source, tmp_path / "out")
    # Where the runtime makes weights uint8, it names them anew.
    matrices = {node.name: graph.matrix(node).name for node in graph.packing()}
    assert matrices.keys() == {node.name for node, _ in parts}
    assert packed(onnx.load(str(path), load_external_data=False)) == set(matrices.values())
    same(source, path, k)


@pytest.mark.usefixtures("saturates")
@given(
    n=st.integers(1, 150),
    k=st.integers(1, 20).map(lambda k: 16 * k),
    block=st.sampled_from([16, 32, 64, 128]),
    bits=st.sampled_from([4, 8]),
    bias=st.booleans(),
)
@settings(max_examples=13, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_shape_computes_the_same(
    tmp_path_factory: pytest.TempPathFactory, n: int, k: int, block: int, bits: int, bias: bool
) -> None:
    folder = tmp_path_factory.mktemp("shape")
    parts = [nbits("a", n, k, bits, block, bias), dynamic("b", n, k), plain("c", n, k), nbits("d", 128, k, bits, block)]
    source = save(folder, parts, k)
    path = pack_graph(source, folder / "out")
    same(source, path, k)


def test_weights_that_others_use_too_and_equal_ones_stay_readable(tmp_path: Path) -> None:
    k = 128
    (first, shared), (twin, constants) = nbits("first", 64, k), nbits("twin", 64, k)
    second = helper.make_node("MatMulNBits", list(first.input), ["second"], "second", domain=MS)
    second.attribute.extend(first.attribute)
    equal = nbits("equal", 64, k)[0], {f"equal.{part}": constants[f"twin.{part}"] for part in "bs"}
    source = save(tmp_path, [(first, shared), (second, {}), (twin, constants), equal], k)
    path = pack_graph(source, tmp_path / "out")
    assert len(packed(onnx.load(str(path), load_external_data=False))) == 1
    same(source, path, k)


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


@pytest.mark.usefixtures("saturates")
def test_a_probe_answers_the_same_until_the_packed_weights_change(tmp_path: Path) -> None:
    source = save(tmp_path, [nbits("a", 96, 256), nbits("large", 128, 256), dynamic("b", 80, 256)], 256)
    graph = optimize(source, tmp_path)
    chosen = samples([graph], tmp_path)
    assert {node.name for _, node in chosen.values()} == {"a", "b"}
    folder = tmp_path / "out"
    folder.mkdir()
    expected, _ = write_probe(chosen, folder, tmp_path)
    assert answers(folder / PROBE) == expected
    tensors = onnx.load(str(folder / PROBE), load_external_data=False).graph.initializer
    for name in ("a.b", "b.b"):
        (tensor,) = (tensor for tensor in tensors if re.search(rf"\.{name}(_s8_2_u8)?$", tensor.name))
        _flip(folder, tensor)
        assert answers_differ(folder / PROBE, expected)
        _flip(folder, tensor)
    assert answers(folder / PROBE) == expected


def answers_differ(probe: Path, expected: str) -> bool:
    """Newer runtimes refuse packed weights that they wouldn't make; older ones take them."""
    try:
        return answers(probe) != expected
    except EngineError:
        return True


def _flip(folder: Path, tensor: TensorProto) -> None:
    span = span_of(tensor, folder)
    assert span
    with span.file.open("r+b") as file:
        file.seek(span.offset)
        flipped = bytes(byte ^ 0xFF for byte in file.read(span.length))
        file.seek(span.offset)
        file.write(flipped)


def test_a_runtime_that_saves_no_packed_weights_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ONNX Runtime 1.23 for MatMulNBits, where mapping the rest gains little."""
    source = save(tmp_path, [nbits("a", 96, 512), dynamic("b", 8, 512)], 512)
    graph = optimize(source, tmp_path)

    def only_others(graph: PackableGraph, node: NodeProto, *rest: Any) -> Any:
        return None if node.op_type == "MatMulNBits" else pack(graph, node, *rest)

    monkeypatch.setattr("edgekit.engines.onnxruntime.packing.probe.pack", only_others)
    with pytest.raises(EngineError, match="can't save packed weights"):
        samples([graph], tmp_path)


_MEASURE = """
import sys
from pathlib import Path
from edgekit.onnx_session import open_graph, options
def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
made = options(threads=1, final=sys.argv[2] == "final")
warm = open_graph(Path(sys.argv[3]), "cpu", options(threads=1))
before = anonymous()
session = open_graph(Path(sys.argv[1]), "cpu", made)
print(anonymous() - before)
"""


def test_packed_weights_take_no_memory_of_the_process(tmp_path: Path) -> None:
    k, count, size = 1024, 16, 1 << 20
    parts = [nbits(f"l{index}", 2 * size // k, k) for index in range(count)]
    source, small = save(tmp_path, parts, k), save(tmp_path / "small", [nbits("a", 16, 16, block=16)], 16)
    path = pack_graph(source, tmp_path / "out")
    kib = {}
    for graph, form in ((source, "plain"), (path, "final")):
        command = [sys.executable, "-c", _MEASURE, str(graph), form, str(small)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        kib[form] = int(done.stdout)
    assert kib["plain"] > count * size / 1024
    assert kib["final"] < count * size / 1024 / 4


def test_a_full_disk_is_told_before_the_runtime_fills_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    graphs, folder = tmp_path / "bundle" / "graphs", tmp_path / "form"
    graphs.mkdir(parents=True)
    folder.mkdir()
    (graphs / "decoder.onnx.data").write_bytes(bytes(900))
    (graphs / "decoder.onnx").write_bytes(bytes(100))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=999))
    with pytest.raises(EdgeKitError, match="needs 1000 B, but its disk has 999 B free") as full:
        compile_graphs(graphs.parent, folder, lambda done, total: None)
    assert "Make room" in full.value.hint
