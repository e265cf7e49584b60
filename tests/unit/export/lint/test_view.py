"""What a view gathers of a graph that has others within it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from onnx.helper import make_node as node

from edgekit.export.lint.view import View, at, attribute, label, look, spoken

F32, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def ends(name: str, code: int = F32) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, code, [2])


def nested() -> ModelProto:
    """y = (x + (a where c else b))²: both branches are graphs of their own, ``a`` an initializer, ``b`` a Constant."""
    kept = numpy_helper.from_array(np.array([1, 2], np.float32), "a")
    then = helper.make_graph([node("Identity", ["a"], ["t"], "then")], "then", [], [ends("t")], [kept])
    other = helper.make_graph([node("Constant", [], ["b"], "other", value_floats=[3.0, 4.0])], "else", [], [ends("b")])
    nodes = [
        node("If", ["c"], ["chosen"], "branch", then_branch=then, else_branch=other),
        node("Add", ["x", "chosen"], ["sum"], "sum"),
        node("Local", ["sum", "sum"], ["y"], domain="own"),
    ]
    function = helper.make_function(
        "own", "Local", ["p", "q"], ["r"], [node("Mul", ["p", "q"], ["r"], "inner")], [helper.make_opsetid("", 21)]
    )
    weight = numpy_helper.from_array(np.zeros(2, np.float32), "w")
    graph = helper.make_graph(nodes, "nested", [ends("x"), ends("c", BOOL), ends("w")], [ends("y")], [weight])
    imports = [helper.make_opsetid("own", 1), helper.make_opsetid("", 21)]
    return helper.make_model(graph, opset_imports=imports, functions=[function])


@pytest.fixture
def view() -> View:
    return look(nested(), (10, 3), None)


def test_nodes_of_every_depth_are_seen_and_those_of_functions_apart(view: View) -> None:
    assert {label(entry) for entry in view.nodes} == {"branch", "sum", "y", "then", "other"}
    assert [label(entry) for entry in view.functions] == ["inner"]
    assert view.local == {("own", "Local")}
    assert (view.opset, view.release) == (21, "TensorRT 10.3")


def test_what_a_constant_node_holds_is_a_constant_and_what_has_a_value_is_no_end(view: View) -> None:
    assert view.initializers.keys() == {"a", "w"}
    assert view.constants.keys() == {"a", "w", "b"}
    np.testing.assert_array_equal(np.concatenate(list(view.values(view.constants["b"]))), [3, 4])
    assert view.ends == {"x": F32, "c": BOOL, "y": F32}
    assert view.outputs == {"y"}


def test_a_reader_counts_once_and_types_are_known_within_branches(view: View) -> None:
    assert [label(entry) for entry in view.users["sum"]] == ["y"]
    assert [label(entry) for entry in view.users["a"]] == ["then"]
    assert {view.types[name] for name in ("t", "b", "chosen", "sum")} == {F32}


def test_values_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=F32, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="gone.data")
    for folder in (None, tmp_path):
        assert list(look(nested(), (10, 3), folder).values(tensor)) == []


@pytest.mark.parametrize(
    ("entry", "name"),
    [(node("Relu", ["x"], ["y"], "n"), "n"), (node("Split", ["x"], ["", "y"]), "y"), (node("Relu", ["x"], []), "Relu")],
)
def test_a_node_without_a_name_is_found_by_what_it_gives(entry: NodeProto, name: str) -> None:
    assert label(entry) == name


def test_what_is_left_out_is_what_onnx_takes_for_it() -> None:
    clip = node("Clip", ["x", "", "most"], ["y"], axis=-1)
    assert [at(clip.input, place) for place in range(4)] == ["x", "", "most", ""]
    assert (attribute(clip, "axis", 0), attribute(clip, "to", 7)) == (-1, 7)


@pytest.mark.parametrize(
    ("code", "name"), [(F32, "float32"), (TensorProto.INT4, "int4"), (I64, "int64"), (99, "type 99")]
)
def test_an_element_type_is_called_as_numpy_does(code: int, name: str) -> None:
    assert spoken(code) == name
