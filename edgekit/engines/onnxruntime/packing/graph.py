"""A graph as the packer sees it: nodes, each with a matrix that its kernel may want in another form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from onnx import ModelProto, NodeProto, TensorProto, helper

from edgekit.engines.onnxruntime.packing.spans import span_of

WEIGHT = 1  # the input that holds the matrix
SMALL = 1024  # bytes; ONNX Runtime saves packed forms of external tensors only, and smaller ones stay inside
_PACKING = ("MatMulNBits", "DynamicQuantizeMatMul", "MatMul", "FusedMatMul", "Gemm")
_ROWS = 3  # more than one, odd: kernels for one row and for several read the same packed weights


class PackableGraph:
    """A graph in its final form; its external tensors name absolute paths."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._uses = Counter(name for node in model.graph.node for name in node.input)

    def packing(self) -> Iterator[NodeProto]:
        """Yield the nodes whose matrix lies outside the graph, is theirs alone and may be packed."""
        for node in self.model.graph.node:
            inputs = [name for name in node.input if name]
            if node.op_type in _PACKING and all(name in self.tensors for name in inputs[WEIGHT:]):
                span = span_of(self.matrix(node))
                if span and span.length >= SMALL and self._uses[inputs[WEIGHT]] == 1:
                    yield node

    def matrix(self, node: NodeProto) -> TensorProto:
        tensor: TensorProto = self.tensors[node.input[WEIGHT]]
        return tensor

    def others(self, node: NodeProto) -> list[TensorProto]:
        """Return the node's constants beside its matrix: scales, zero points, a bias."""
        return [self.tensors[name] for name in dict.fromkeys(node.input[WEIGHT + 1 :]) if name]

    def kind(self, node: NodeProto) -> bytes:
        """Return what decides how a node's matrix is packed, except its size."""
        attributes = sorted(
            attribute.SerializeToString(deterministic=True)
            for attribute in node.attribute
            if attribute.name not in ("N", "K")
        )
        types = [self.tensors[name].data_type if name in self.tensors else bool(name) for name in node.input]
        return b"\0".join([node.op_type.encode(), *attributes, repr(types).encode()])


def empty_like(model: ModelProto) -> ModelProto:
    """Return a graph of nothing with the same operator sets."""
    empty = ModelProto(ir_version=model.ir_version)
    empty.opset_import.extend(model.opset_import)
    empty.graph.name = "alone"
    return empty


def add_alone(model: ModelProto, node: NodeProto, matrix: TensorProto, others: list[TensorProto], prefix: str) -> None:
    """Add a node with its constants and an input ``[3, k]`` of its own; ``prefix`` keeps its names apart."""
    alone = model.graph.node.add()
    alone.CopyFrom(node)
    alone.name = f"{prefix}node"
    alone.input[:] = [name and prefix + name for name in node.input]
    alone.output[:] = [prefix + node.output[0]]
    for tensor in (matrix, *others):
        constant = model.graph.initializer.add()
        constant.CopyFrom(tensor)
        constant.name = prefix + tensor.name
    shape = [_ROWS, _width(node, matrix)]
    model.graph.input.append(helper.make_tensor_value_info(alone.input[0], TensorProto.FLOAT, shape))
    model.graph.output.add(name=alone.output[0])  # ONNX Runtime infers its type


def _width(node: NodeProto, matrix: TensorProto) -> int:
    """k: how many values of an activation the node multiplies."""
    attributes: dict[str, int] = {attribute.name: attribute.i for attribute in node.attribute}
    dims: list[int] = list(matrix.dims)
    if node.op_type == "MatMulNBits":
        return attributes["K"]
    return dims[-1] if attributes.get("transB") else dims[-2]
