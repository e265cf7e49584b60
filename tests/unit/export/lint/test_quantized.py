"""Rules about int8 and int4: each on a tiny graph that breaks it alone, and on one that doesn't."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx.helper import make_node as node

from tests.unit.export.lint.graphs import (
    BLOCK,
    F16,
    F32,
    I4,
    K,
    N,
    int4,
    linear4,
    linear8,
    model,
    rules,
    tensor,
)


def test_int4_as_it_should_be() -> None:
    assert rules(linear4()) == []
    assert rules(linear4(zero=helper.make_tensor("z", I4, (K // BLOCK, N), [0] * (K // BLOCK * N)))) == []


def test_uint4() -> None:
    assert rules(linear4(int4("w", (K, N), TensorProto.UINT4))) == ["quantized-type"]


def test_uint8_where_no_zero_point_says_otherwise() -> None:
    scale, zero = tensor("s", np.array(0.1, np.float16)), tensor("z", np.array(0, np.int8))

    def rounded(inputs: list[str], tensors: list[TensorProto]) -> ModelProto:
        nodes = [node("QuantizeLinear", inputs, ["q"], "q"), node("DequantizeLinear", ["q", *inputs[1:]], ["y"], "d")]
        return model(nodes, tensors)

    assert rules(rounded(["x", "s"], [scale])) == ["quantized-type", "quantized-type"]
    assert rules(rounded(["x", "s", "z"], [scale, zero])) == []


def test_a_zero_point_that_is_not_zero() -> None:
    assert rules(linear4(zero=int4("z", (K // BLOCK, N)))) == ["zero-point"]
    scales = np.full(N, 0.1, np.float16)
    assert rules(linear8(scales, np.ones(N, np.int8))) == ["zero-point"]
    assert rules(linear8(scales, np.zeros(N, np.int8))) == []


@pytest.mark.parametrize("bad", [0.0, -0.1, np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, ml_dtypes.bfloat16])
def test_a_scale_that_can_t_be(bad: float, dtype: type[Any]) -> None:
    values = np.full((K // BLOCK, N), 0.1, dtype)
    values[1, 2] = bad
    assert "scale-value" in rules(linear4(scales=tensor("s", values)))


def test_a_scale_of_another_type_than_the_result() -> None:
    graph = linear4(output_dtype=F32)
    graph.opset_import[0].version = 23
    assert "scale-type" in rules(graph, (10, 15))
    graph.graph.node[0].attribute[-1].i = F16
    assert rules(graph, (10, 15)) == []


def test_int4_that_is_computed() -> None:
    nodes = [
        node("Identity", ["w"], ["v"], "same"),
        node("DequantizeLinear", ["v", "s"], ["d"], "d", axis=0, block_size=BLOCK),
        node("MatMul", ["x", "d"], ["y"], "product"),
    ]
    graph = model(nodes, [int4("w", (K, N)), tensor("s", np.full((K // BLOCK, N), 0.1, np.float16))])
    assert rules(graph) == ["int4-use", "int4-constant"]


def test_an_int4_scale_that_is_computed() -> None:
    scales = tensor("t", np.full((K // BLOCK, N), 0.1, np.float16))
    graph = linear4()
    graph.graph.initializer[1].CopyFrom(scales)
    graph.graph.node.insert(0, node("Abs", ["t"], ["s"], "abs"))
    assert rules(graph) == ["int4-constant"]


@pytest.mark.parametrize("shape", [(K, 5), (1, K, N)])
def test_an_int4_weight_of_another_shape(shape: tuple[int, ...]) -> None:
    scales = np.full((*shape[:-2], K // BLOCK, shape[-1]), 0.1, np.float16)
    assert rules(linear4(int4("w", shape), tensor("s", scales), axis=len(shape) - 2)) == ["int4-shape"]


def test_int4_in_no_whole_blocks() -> None:
    scales = np.full((3, N), 0.1, np.float16)
    assert rules(linear4(int4("w", (K + 2, N)), tensor("s", scales))) == ["int4-block"]
    assert rules(linear4(int4("w", (96, N)), tensor("s", scales))) == []


@pytest.mark.parametrize("shape", [(), (N,), (2, 2)])
def test_int4_in_none_or_two_blocked_dimensions(shape: tuple[int, ...]) -> None:
    block = BLOCK if len(shape) == 2 else 0
    axis = 0 if len(shape) == 2 else 1
    graph = linear4(scales=tensor("s", np.full(shape, 0.1, np.float16)), axis=axis, block_size=block)
    assert rules(graph) == ["int4-block"]


@pytest.mark.parametrize("between", ["Transpose", "Relu"])
def test_int4_that_goes_elsewhere_first(between: str) -> None:
    assert rules(linear4(between=between)) == ["int4-use"]


def test_int4_that_gemm_reads() -> None:
    graph = linear4()
    graph.graph.node[-1].op_type = "Gemm"
    assert rules(graph) == []


def test_int8_per_block() -> None:
    blocks = np.full((2, N), 0.1, np.float16)
    assert rules(linear8(blocks, axis=0, block_size=BLOCK)) == ["int8-block"]
    assert rules(linear8(np.full(N, 0.1, np.float16), axis=1)) == []
    assert rules(linear8(np.array(0.1, np.float16))) == []
