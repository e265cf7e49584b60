"""What a probe's nodes make of the pattern, against numpy."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.engines.onnxruntime.probe import PROBE, answers
from edgekit.errors import EngineError


def write(folder: Path, factors: tuple[float, float]) -> Path:
    """A probe of two nodes, each with an input of its own, that computes exactly."""
    names = ("a", "b")
    graph = helper.make_graph(
        [helper.make_node("Mul", [f"{name}.x", f"{name}.f"], [f"{name}.y"]) for name in names],
        "probe",
        [helper.make_tensor_value_info(f"{name}.x", TensorProto.FLOAT, [3, 50]) for name in names],
        [helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, [3, 50]) for name in names],
        [helper.make_tensor(f"{n}.f", TensorProto.FLOAT, [1], [f]) for n, f in zip(names, factors, strict=True)],
    )
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21)]), folder / PROBE)
    return folder / PROBE


def test_an_answer_is_the_hash_of_all_that_the_nodes_make_of_the_pattern(tmp_path: Path) -> None:
    pattern = np.array([(37 * place % 113 - 56) / 32 for place in range(150)], np.float32)
    expected = hashlib.sha256((2 * pattern).tobytes() + (-0.5 * pattern).tobytes())
    assert answers(write(tmp_path, (2, -0.5))) == expected.hexdigest()
    assert len(set(pattern)) == 113  # a wrong order of rows or columns shows
    assert answers(write(tmp_path, (2, -0.25))) != expected.hexdigest()


def test_a_probe_that_is_no_graph_or_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"probe\.onnx"):
        answers(tmp_path / PROBE)
    (tmp_path / PROBE).write_bytes(b"no graph")
    with pytest.raises(EngineError, match=r"probe\.onnx"):
        answers(tmp_path / PROBE)
