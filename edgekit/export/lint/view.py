"""A graph as the rules look at it: nodes of all depths, constants, element types, and who uses what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from edgekit.export.lint.operators import Version
from edgekit.export.lint.values import is_external, pieces

STANDARD = ("", "ai.onnx")
# An engine is built all the same (tried on TensorRT-RTX 1.7), and may be slow to load or to run.
_WARNINGS = frozenset({"wide-matmul", "alignment", "int64-range"})


@dataclass(frozen=True)
class Complaint:
    """Something in a graph that TensorRT refuses, or builds slowly or wrongly."""

    name: str  # of the node or tensor
    rule: str  # a short slug
    sentence: str  # what is wrong with it
    remedy: str

    @property
    def warning(self) -> bool:
        """Whether an engine would be built and answer all the same, if more slowly."""
        return self.rule in _WARNINGS


@dataclass(frozen=True, kw_only=True)
class View:
    """A view shows a graph as rules look at it; construct it with :func:`look`.

    Names are unique in an ONNX graph with all its subgraphs, so one table serves.

    * ``name``: the graph's
    * ``version``: the TensorRT that is to read it
    * ``opset``: its standard operators'
    * ``folder``: where its external data lie, None where they don't matter
    * ``nodes``: of the graph and its subgraphs
    * ``functions``: nodes of the model's local functions, whose names are their own; ``local``: domain and name of each
      local function
    * ``initializers``, ``constants``: tensors by their names; the latter also what Constant nodes hold
    * ``ends``: element types of the network's inputs and outputs; ``outputs``: the names of those
    * ``types``: element types by tensors' names, where they are known
    * ``users``: the nodes that read a tensor, by its name
    """

    name: str
    version: Version
    opset: int
    folder: Path | None
    nodes: list[NodeProto]
    functions: list[NodeProto]
    local: frozenset[tuple[str, str]]
    initializers: dict[str, TensorProto]
    constants: dict[str, TensorProto]
    ends: dict[str, int]
    outputs: frozenset[str]
    types: dict[str, int]
    users: dict[str, list[NodeProto]]

    @property
    def release(self) -> str:
        return "TensorRT " + ".".join(map(str, self.version))

    def values(self, tensor: TensorProto) -> Iterator[npt.NDArray[Any]]:
        """Yield a constant's values in pieces; none where they lie in a file that can't be read (a rule of its own)."""
        if is_external(tensor) and self.folder is None:
            return
        try:
            yield from pieces(tensor, self.folder or Path())
        except (OSError, ValueError, TypeError, KeyError):  # the last two: a type that this onnx doesn't know
            return


def look(model: ModelProto, version: Version, folder: Path | None) -> View:
    """Gather what the rules ask for; element types come from ONNX's own inference, as far as it knows the operators."""
    graphs = [*_graphs(model.graph)]
    nodes = [node for graph in graphs for node in graph.node]
    initializers = {tensor.name: tensor for graph in graphs for tensor in graph.initializer}
    constants = {**initializers, **dict(_constants(nodes))}
    users: dict[str, list[NodeProto]] = {}
    for node in nodes:
        for name in dict.fromkeys(node.input):
            users.setdefault(name, []).append(node)
    values = [value for value in (*model.graph.input, *model.graph.output) if value.type.HasField("tensor_type")]
    return View(
        name=model.graph.name,
        version=version,
        opset=next((entry.version for entry in model.opset_import if entry.domain in STANDARD), 1),
        folder=folder,
        nodes=nodes,
        functions=[node for function in model.functions for node in function.node],
        local=frozenset((function.domain, function.name) for function in model.functions),
        initializers=initializers,
        constants=constants,
        ends={value.name: value.type.tensor_type.elem_type for value in values if value.name not in initializers},
        outputs=frozenset(value.name for value in model.graph.output),
        types=_types(model) | {name: tensor.data_type for name, tensor in constants.items()},
        users=users,
    )


def label(node: NodeProto) -> str:
    """Return what a person can find a node by."""
    return node.name or next(filter(None, node.output), node.op_type)


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    """Return a node's attribute, or what ONNX takes for it."""
    return next((helper.get_attribute_value(entry) for entry in node.attribute if entry.name == name), default)


def at(names: Iterable[str], index: int) -> str:
    """Return an input's or output's name by its place, "" where it is left out."""
    return next((name for place, name in enumerate(names) if place == index), "")


def spoken(code: int) -> str:
    """Call an element type as numpy does: float16, int4."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(code).name)
    except KeyError:
        return f"type {code}"


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for entry in node.attribute:
            for inner in [entry.g] if entry.HasField("g") else entry.graphs:
                yield from _graphs(inner)


def _constants(nodes: Iterable[NodeProto]) -> Iterator[tuple[str, TensorProto]]:
    kinds: dict[str, Any] = {"value_int": np.int64, "value_ints": np.int64}
    kinds |= {"value_float": np.float32, "value_floats": np.float32}
    for node in nodes:
        if node.op_type == "Constant" and node.domain in STANDARD:
            for entry in node.attribute:
                if entry.name == "value":
                    yield node.output[0], entry.t
                elif entry.name in kinds:
                    held = np.array(helper.get_attribute_value(entry), kinds[entry.name])
                    yield node.output[0], numpy_helper.from_array(held, node.output[0])


def _types(model: ModelProto) -> dict[str, int]:
    with suppress(Exception):  # protobuf's and the inference's errors share no public base; declared types remain
        model = onnx.shape_inference.infer_shapes(model, data_prop=False)
    types = {}
    for graph in _graphs(model.graph):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.HasField("tensor_type") and value.type.tensor_type.elem_type:
                types[value.name] = value.type.tensor_type.elem_type
    return types
