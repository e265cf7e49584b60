"""Packed graphs against the graphs that they were made of, both run by ONNX Runtime: the same to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper

from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.probe import samples
from tests.unit.engines.onnxruntime.packing.case import (
    MS,
    dynamic,
    nbits,
    needs_packing,
    pack_graph,
    packed,
    plain,
    same,
    save,
)

pytestmark = needs_packing


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
