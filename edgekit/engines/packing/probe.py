"""Make a compiled form's probe: for each kind of packed matrix its smallest node, real weights and all.

What the nodes answer is taken from the weights as the bundle has them; the probe that is written reads the packed
ones. :func:`edgekit.engines.probe.answers` must find the same in both, bit by bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx import ModelProto, NodeProto

from edgekit.engines.packing.graph import Graph, add_alone, empty_like
from edgekit.engines.packing.pack import pack
from edgekit.engines.packing.spans import inline, span_of
from edgekit.errors import EngineError

Samples = Mapping[bytes, tuple[Graph, NodeProto]]
"""For each kind, a node and its graph."""


def samples(graphs: Sequence[Graph], scratch: Path) -> Samples:
    """The smallest node of each kind that ONNX Runtime packs here and can map.

    :class:`EngineError` where these are less than half of the matrices' bytes: mapping would gain little.
    """
    sizes: dict[bytes, int] = {}
    found: dict[bytes, tuple[Graph, NodeProto]] = {}
    for graph in graphs:
        for node in graph.packing():
            kind = graph.kind(node)
            sizes[kind] = sizes.get(kind, 0) + _bytes(graph, node)
            if kind not in found or _bytes(graph, node) < _bytes(*found[kind]):
                found[kind] = graph, node
    packing = {kind: sample for kind, sample in found.items() if _can_map(*sample, scratch)}
    if 2 * sum(sizes[kind] for kind in packing) < max(1, sum(sizes.values())):
        raise EngineError("this ONNX Runtime can't save packed weights in a form to map", "Newer ones can: 1.31 does.")
    return packing


def probe(chosen: Samples) -> ModelProto:
    """A graph of the samples, each with an input of its own, that holds their weights."""
    model = empty_like(next(iter(chosen.values()))[0].model)
    for index, (graph, node) in enumerate(chosen.values()):
        add_alone(
            model, node, inline(graph.matrix(node)), [inline(tensor) for tensor in graph.others(node)], f"{index}."
        )
    return model


def let_map(model: ModelProto, chosen: Samples) -> None:
    """Once the samples' graphs are written: let their probe read the same packed matrices as they do."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for index, (graph, node) in enumerate(chosen.values()):
        matrix = graph.matrix(node)
        tensor = tensors[f"{index}.{matrix.name}"]
        name = tensor.name
        tensor.CopyFrom(matrix)
        tensor.name = name


def _bytes(graph: Graph, node: NodeProto) -> int:
    span = span_of(graph.matrix(node))
    assert span
    return span.length


def _can_map(graph: Graph, node: NodeProto, scratch: Path) -> bool:
    span = span_of(graph.matrix(node))
    assert span
    packed = pack(graph, node, span, scratch)
    return packed is not None and packed.blobs[0].length >= span.length
