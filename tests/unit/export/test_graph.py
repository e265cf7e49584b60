"""A graph under construction: sizes as onnx counts them, names, and what may be declared twice."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.export.graph import Graph, Initializer


@pytest.mark.parametrize("code", ["FLOAT", "FLOAT16", "BFLOAT16", "INT8", "UINT8", "INT4", "UINT4", "INT64"])
@pytest.mark.parametrize("shape", [(3, 5), (4, 2), (7,), ()])
def test_a_weight_takes_as_many_bytes_as_onnx_writes_for_it(code: str, shape: tuple[int, ...]) -> None:
    dtype = TensorProto.DataType.Value(code)
    written = numpy_helper.from_array(np.ones(shape, helper.tensor_dtype_to_np_dtype(dtype)))
    assert Initializer("w", dtype, shape).nbytes == len(written.raw_data)


def test_a_huge_weight_is_counted_without_overflow() -> None:
    assert Initializer("w", TensorProto.FLOAT, (2**20, 2**20)).nbytes == 2**42


def test_a_node_s_outputs_are_called_after_it_unless_they_have_names() -> None:
    graph = Graph("names")
    assert graph.op("Split", ["x"], 3, name="parts") == ("parts", "parts.1", "parts.2")
    assert graph.op("Relu", ["x"], ["y"], name="relu") == ("y",)
    assert [list(node.output) for node in graph.nodes] == [["parts", "parts.1", "parts.2"], ["y"]]


def test_a_constant_may_be_asked_for_again_and_a_weight_may_not() -> None:
    graph = Graph("twice")
    assert graph.constant("one", np.ones(1)) == graph.constant("one", np.ones(1)) == "one"
    assert len(graph.constants) == 1
    weight = Initializer("w", TensorProto.FLOAT, (2,))
    graph.weight([weight], lambda put: None, 8)
    with pytest.raises(AssertionError, match="w"):
        graph.weight([weight], lambda put: None, 8)
