"""What a probe says of packed weights, until they change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import NodeProto, TensorProto

from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.optimize import optimize
from edgekit.engines.onnxruntime.packing.pack import pack
from edgekit.engines.onnxruntime.packing.probe import samples, write_probe
from edgekit.engines.onnxruntime.packing.spans import span_of
from edgekit.engines.onnxruntime.probe import PROBE, answers
from edgekit.errors import EngineError
from tests.unit.engines.onnxruntime.packing.case import (
    dynamic,
    nbits,
    needs_packing,
    save,
)

pytestmark = needs_packing


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
