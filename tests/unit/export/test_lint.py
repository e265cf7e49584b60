"""Each rule on a tiny graph that breaks it alone, and beside it one that doesn't; then graphs as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node as node

from edgekit.checkpoint.packed import Array
from edgekit.errors import EngineError
from edgekit.export.graph import MS, Graph, Initializer, Put
from edgekit.export.lint import Complaint, lint, require_clean
from edgekit.export.write import write_graph

F32, F16, I8, I4 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.INT4
K, N, BLOCK = 64, 6, 32
RNG = np.random.default_rng(0)


def model(
    nodes: Sequence[NodeProto],
    tensors: Sequence[TensorProto] = (),
    *,
    x: int = F16,
    y: int = F16,
    opset: int = 21,
    inputs: Sequence[str] = ("x",),
) -> ModelProto:
    """A graph from ``inputs``, all of type ``x``, to "y"."""
    ends = [helper.make_tensor_value_info(name, x, ["rows", K]) for name in inputs]
    out = helper.make_tensor_value_info("y", y, None)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)]
    return helper.make_model(helper.make_graph(nodes, "tiny", ends, [out], tensors), opset_imports=imports)


def rules(graph: ModelProto, version: tuple[int, int] = (10, 3), folder: Path | None = None) -> list[str]:
    return [complaint.rule for complaint in lint(graph, version, folder)]


def tensor(name: str, value: Array) -> TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def int4(name: str, shape: Sequence[int], kind: int = I4) -> TensorProto:
    return helper.make_tensor(name, kind, shape, [1] * int(np.prod(shape)))


def linear4(
    weight: TensorProto | None = None,
    scales: TensorProto | None = None,
    zero: TensorProto | None = None,
    between: str = "",
    **attributes: Any,
) -> ModelProto:
    """y = x · W, W int4 in blocks along its K rows."""
    weight = weight or int4("w", (K, N))
    scales = scales or tensor("s", np.full((K // BLOCK, N), 0.1, np.float16))
    inputs = ["w", "s", *(["z"] if zero else [])]
    nodes = [node("DequantizeLinear", inputs, ["d"], "d", **({"axis": 0, "block_size": BLOCK} | attributes))]
    nodes += [node(between, ["d"], ["m"], "between")] if between else []
    nodes.append(node("MatMul", ["x", "m" if between else "d"], ["y"], "product"))
    return model(nodes, [weight, scales, *([zero] if zero else [])])


def linear8(scales: Array, zero: Array | None = None, **attributes: Any) -> ModelProto:
    tensors = [tensor("w", np.ones((K, N), np.int8)), tensor("s", scales)]
    tensors += [] if zero is None else [tensor("z", zero)]
    return model(
        [
            node("DequantizeLinear", [entry.name for entry in tensors], ["d"], "d", **attributes),
            node("MatMul", ["x", "d"], ["y"], "product"),
        ],
        tensors,
    )


def relu(**changes: Any) -> ModelProto:
    return model([node("Relu", ["x"], ["y"], "relu")], **changes)


def test_an_opset_beyond_what_the_release_reads() -> None:
    assert rules(relu(opset=22)) == ["opset"]
    assert rules(relu(opset=8)) == ["opset"]
    assert rules(relu(opset=21)) == []
    assert rules(relu(opset=24), (10, 15)) == []


def test_an_operator_of_another_domain() -> None:
    foreign = model([node("QuickGelu", ["x"], ["y"], "gelu", domain=MS)])
    (complaint,) = lint(foreign)
    assert (complaint.name, complaint.rule) == ("gelu", "domain")
    assert "com.microsoft" in complaint.what
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
    before = {entry.rule: entry.what for entry in lint(graph, (release[0], release[1] - 1))}
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
    assert wrong.op_type in complaint.what
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
    found = [node("Shape", ["x"], ["a"], "shape"), node("ReduceMean", ["x", "a"], ["y"], "mean")]
    assert rules(model(found)) == ["computed-input"]
    assert rules(model(found[1:], [axes])) == []
    constant = node("Constant", [], ["a"], "one", value_ints=[1])
    assert rules(model([constant, found[1]])) == []
    found[1] = node("Unsqueeze", ["x", "a"], ["y"], "more")
    assert rules(model(found), (10, 6)) == ["computed-input"]
    assert rules(model(found), (10, 7)) == []


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
    found = [node("Shape", ["x"], ["a"], "shape"), node(name, inputs, ["y"], "n")]
    before = (10, 3) if release is None else (release[0], release[1] - 1)
    assert [(entry.name, entry.rule) for entry in lint(model(found, fixed), before)] == [("n", "computed-input")]
    assert rules(model(found, fixed), release or (10, 15)) == ([] if release else ["computed-input"])
    assert rules(model(found[1:], [*fixed, tensor("a", np.array([1], np.int64))]), before) == []


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


def external(
    offset: int, data: bytes, shape: tuple[int, ...], location: str = "tiny.data", code: int = F16
) -> TensorProto:
    entry = TensorProto(name="w", data_type=code, dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", offset), ("length", len(data))):
        entry.external_data.add(key=key, value=str(value))
    return entry


@pytest.mark.parametrize(
    ("rows", "offset", "wrong"), [(K, 64, False), (K, 32, True), (1024, 4096, False), (1024, 64, True)]
)
def test_weights_that_start_at_no_page_or_line(rows: int, offset: int, wrong: bool) -> None:
    entry = external(offset, bytes(rows * K * 2), (K, rows))
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [entry])
    assert rules(graph) == ["alignment"] * wrong


def test_weights_that_are_not_where_the_graph_says(tmp_path: Path) -> None:
    data = bytes(K * K * 2)
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [external(64, data, (K, K))])
    assert rules(graph) == []  # nothing is known of files
    assert rules(graph, folder=tmp_path) == ["external-data"]
    (tmp_path / "tiny.data").write_bytes(bytes(64) + data[:-1])
    assert rules(graph, folder=tmp_path) == ["external-data"]
    (tmp_path / "tiny.data").write_bytes(bytes(64) + data)
    assert rules(graph, folder=tmp_path) == []
    del graph.graph.initializer[0].external_data[0]
    assert rules(graph, folder=tmp_path) == ["external-data"]
    graph = model([node("MatMul", ["x", "w"], ["y"], "product")], [external(64, data[:-2], (K, K))])
    assert rules(graph, folder=tmp_path) == ["external-data"]


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
    assert complaint.what.endswith(".")
    assert complaint.remedy
