"""Rules about operators, their inputs and types: each on a tiny graph that breaks it alone, and on one that doesn't."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper
from onnx.helper import make_node as node

from edgekit.export.graph import MS
from edgekit.export.lint import lint
from tests.unit.export.lint.graphs import (
    BLOCK,
    F16,
    F32,
    K,
    N,
    linear4,
    model,
    relu,
    rules,
    tensor,
)


def test_an_opset_beyond_what_the_release_reads() -> None:
    assert rules(relu(opset=22)) == ["opset"]
    assert rules(relu(opset=8)) == ["opset"]
    assert rules(relu(opset=21)) == []
    assert rules(relu(opset=24), (10, 15)) == []


def test_an_operator_of_another_domain() -> None:
    foreign = model([node("QuickGelu", ["x"], ["y"], "gelu", domain=MS)])
    (complaint,) = lint(foreign)
    assert (complaint.name, complaint.rule) == ("gelu", "domain")
    assert "com.microsoft" in complaint.sentence
    assert rules(model([node("Gelu", ["x"], ["y"], "gelu")])) == []


def test_a_local_function_is_read_through() -> None:
    graph = model([node("Twice", ["x"], ["y"], "twice", domain="ours")])
    imports = [helper.make_opsetid("", 21)]
    graph.opset_import.append(helper.make_opsetid("ours", 1))
    body = [node("Add", ["a", "a"], ["b"])]
    graph.functions.append(helper.make_function("ours", "Twice", ["a"], ["b"], body, imports))
    assert rules(graph) == []
    graph.functions[0].node[0].op_type = "BitwiseNot"
    assert rules(graph) == ["operator"]


@pytest.mark.parametrize(
    ("name", "opset", "release"),
    [("STFT", 21, (10, 5)), ("Attention", 23, (10, 14)), ("RMSNormalization", 23, (10, 15))],
)
def test_an_operator_that_came_later(name: str, opset: int, release: tuple[int, int]) -> None:
    graph = model([node(name, ["x", "x", "x"], ["y"], "new")], opset=opset)
    assert rules(graph, release) == []
    before = {entry.rule: entry.sentence for entry in lint(graph, (release[0], release[1] - 1))}
    assert before["operator"].endswith(f"; {release[0]}.{release[1]} does.")


def test_an_operator_that_no_release_has() -> None:
    assert rules(model([node("BitwiseNot", ["x"], ["y"], "not")])) == ["operator"]


def test_an_operator_inside_a_branch() -> None:
    inner = helper.make_graph(
        [node("BitwiseNot", ["x"], ["b"], "inner")], "then", [], [helper.make_tensor_value_info("b", F16, None)]
    )
    other = helper.make_graph(
        [node("Relu", ["x"], ["c"], "other")], "else", [], [helper.make_tensor_value_info("c", F16, None)]
    )
    graph = model(
        [node("If", ["on"], ["y"], "if", then_branch=inner, else_branch=other)], [tensor("on", np.array(True))]
    )
    assert [(entry.name, entry.rule) for entry in lint(graph)] == [("inner", "operator")]


def test_attention_with_a_cache() -> None:
    graph = model([node("Attention", ["x", "x", "x", "", "x", "x"], ["y"], "attend")], opset=23)
    assert rules(graph, (10, 14)) == ["attention-cache"]
    graph = model([node("Attention", ["x", "x", "x", "x"], ["y"], "attend")], opset=23)
    assert rules(graph, (10, 14)) == []


RESTRICTED: dict[str, tuple[NodeProto, dict[str, Any], int]] = {
    "Attention that is capped": (node("Attention", ["x", "x", "x"], ["y"], "n", softcap=5.0), {"softcap": 0.0}, 23),
    "Attention that gives its scores": (
        node("Attention", ["x", "x", "x"], ["y"], "n", qk_matmul_output_mode=1),
        {"qk_matmul_output_mode": 0},
        23,
    ),
    "LayerNormalization that gives its mean": (node("LayerNormalization", ["x", "g"], ["y", "m"], "n"), {}, 21),
    "MaxPool that gives indices": (node("MaxPool", ["x"], ["y", "i"], "n", kernel_shape=[1]), {}, 21),
    "ScatterND that adds": (node("ScatterND", ["x", "i", "g"], ["y"], "n", reduction="add"), {"reduction": "none"}, 21),
    "TensorScatter along another axis": (node("TensorScatter", ["x", "x"], ["y"], "n", axis=-1), {"axis": -2}, 24),
    "TopK without an order": (node("TopK", ["x", "i"], ["y", "j"], "n", sorted=0), {"sorted": 1}, 21),
}
"""A node that may not be, what makes it one that may, and its opset. Without attributes, only its first output may be
asked for."""


@pytest.mark.parametrize(("wrong", "right", "opset"), RESTRICTED.values(), ids=list(RESTRICTED))
def test_an_operator_s_own_restrictions(wrong: NodeProto, right: dict[str, Any], opset: int) -> None:
    tensors = [tensor("g", np.ones(K, np.float16)), tensor("i", np.ones(1, np.int64))]
    (complaint,) = lint(model([wrong], tensors, opset=opset), (10, 15))
    assert (complaint.name, complaint.rule) == ("n", "restriction")
    assert wrong.op_type in complaint.sentence
    outputs = wrong.output if right else wrong.output[:1]
    may = node(wrong.op_type, wrong.input, outputs, "n", **right)
    may.attribute.extend(entry for entry in wrong.attribute if entry.name not in right)
    assert rules(model([may], tensors, opset=opset), (10, 15)) == []


def test_a_group_normalization_of_opset_21_came_with_10_9() -> None:
    gains = [tensor(name, np.ones(4, np.float16)) for name in "gb"]
    group = node("GroupNormalization", ["x", "g", "b"], ["y"], "group", num_groups=4)
    for opset, release, wrong in ((21, (10, 8), ["restriction"]), (21, (10, 9), []), (20, (10, 8), [])):
        assert rules(model([group], gains, opset=opset), release) == wrong


def test_axes_that_are_computed() -> None:
    axes = tensor("a", np.array([1], np.int64))
    complaints = [node("Shape", ["x"], ["a"], "shape"), node("ReduceMean", ["x", "a"], ["y"], "mean")]
    assert rules(model(complaints)) == ["computed-input"]
    assert rules(model(complaints[1:], [axes])) == []
    constant = node("Constant", [], ["a"], "one", value_ints=[1])
    assert rules(model([constant, complaints[1]])) == []
    complaints[1] = node("Unsqueeze", ["x", "a"], ["y"], "more")
    assert rules(model(complaints), (10, 6)) == ["computed-input"]
    assert rules(model(complaints), (10, 7)) == []


@pytest.mark.parametrize(
    ("name", "index", "release"),
    [
        ("CumSum", 1, None),
        ("OneHot", 1, None),
        ("ReduceL2", 1, None),
        ("ReduceSum", 1, None),
        ("Slice", 3, (10, 3)),
        ("Pad", 3, (10, 4)),
        ("Squeeze", 1, (10, 7)),
        ("Unsqueeze", 1, (10, 7)),
    ],
)
def test_an_input_that_must_be_a_constant(name: str, index: int, release: tuple[int, int] | None) -> None:
    fixed = [tensor(f"c{place}", np.array([1], np.int64)) for place in range(1, index)]
    inputs = ["x", *(entry.name for entry in fixed), "a"]
    complaints = [node("Shape", ["x"], ["a"], "shape"), node(name, inputs, ["y"], "n")]
    before = (10, 3) if release is None else (release[0], release[1] - 1)
    assert [(entry.name, entry.rule) for entry in lint(model(complaints, fixed), before)] == [("n", "computed-input")]
    assert rules(model(complaints, fixed), release or (10, 15)) == ([] if release else ["computed-input"])
    assert rules(model(complaints[1:], [*fixed, tensor("a", np.array([1], np.int64))]), before) == []


def test_a_type_that_tensorrt_lacks() -> None:
    assert rules(relu(x=TensorProto.DOUBLE, y=TensorProto.DOUBLE)) == ["tensor-type", "tensor-type"]
    assert rules(model([node("Add", ["x", "b"], ["y"], "sum")], [tensor("b", np.ones(K, np.float16))])) == []
    lost = model([node("Cast", ["b"], ["y"], "cast", to=F16)], [tensor("b", np.ones(K, np.int16))])
    assert rules(lost) == ["tensor-type"]


@pytest.mark.parametrize("name", ["MatMul", "Add", "Mul", "Concat"])
def test_inputs_of_different_types(name: str) -> None:
    more: dict[str, Any] = {"axis": 1} if name == "Concat" else {}
    for dtype, wrong in ((np.float32, ["mixed-types"]), (np.float16, [])):
        graph = model([node(name, ["x", "b"], ["y"], "both", **more)], [tensor("b", np.ones((K, K), dtype))])
        assert rules(graph) == wrong


def test_only_inputs_of_one_kind_must_be_alike() -> None:
    gain, on = tensor("g", np.ones(K, np.float32)), tensor("on", np.ones(K, np.bool_))
    assert rules(model([node("LayerNormalization", ["x", "g"], ["y"], "norm")], [gain])) == ["mixed-types"]
    assert rules(model([node("Where", ["on", "x", "g"], ["y"], "pick")], [on, gain])) == ["mixed-types"]
    assert rules(model([node("Where", ["on", "x", "x"], ["y"], "pick")], [on])) == []
    place, row = tensor("i", np.zeros((1, 1), np.int64)), tensor("r", np.ones((1, K), np.float16))
    assert rules(model([node("ScatterND", ["x", "i", "r"], ["y"], "put")], [place, row])) == []


def test_types_that_inference_finds() -> None:
    cast = node("Cast", ["x"], ["wide"], "cast", to=F32)
    assert rules(model([cast, node("Add", ["x", "wide"], ["y"], "sum")])) == ["mixed-types"]
    unknown = node("Mystery", ["x"], ["wide"], "strange", domain="elsewhere")
    assert rules(model([unknown, node("Add", ["x", "wide"], ["y"], "sum")])) == ["domain"]


def test_scales_wider_than_the_activations_make_a_product_of_two_types() -> None:
    wide = tensor("s", np.full((K // BLOCK, N), 0.1, np.float32))
    assert rules(linear4(scales=wide)) == ["mixed-types"]


def test_a_product_in_float32_among_float16() -> None:
    weight = tensor("w", np.ones((K, K), np.float16))
    nodes = [
        node("MatMul", ["x", "w"], ["a"], "half"),
        node("Cast", ["a"], ["b"], "cast", to=F32),
        node("MatMul", ["b", "b"], ["y"], "wide"),
    ]
    (complaint,) = lint(model(nodes, [weight], y=F32))
    assert (complaint.name, complaint.rule, complaint.warning) == ("wide", "wide-matmul", True)
    assert rules(model([node("MatMul", ["x", "x"], ["y"], "wide")], x=F32, y=F32)) == []


@pytest.mark.parametrize("name", ["NonZero", "NonMaxSuppression"])
def test_shapes_that_depend_on_data(name: str) -> None:
    assert rules(model([node(name, ["x"], ["y"], "some")], y=TensorProto.INT64)) == ["data-dependent"]


def test_integers_beyond_32_bits() -> None:
    def take(index: int) -> ModelProto:
        return model([node("Gather", ["x", "i"], ["y"], "take")], [tensor("i", np.array([index], np.int64))])

    assert rules(take(1 << 31)) == ["int64-range"]
    assert rules(take((1 << 31) - 1)) == []
    ends = [tensor(name, np.array([value], np.int64)) for name, value in (("b", 0), ("e", np.iinfo(np.int64).max))]
    ends.append(tensor("a", np.array([0], np.int64)))
    assert rules(model([node("Slice", ["x", "b", "e", "a"], ["y"], "cut")], ends)) == []
