"""Make a compiled form's probe: for each kind of packed matrix its smallest node, real weights and all.

What these nodes answer is taken from the weights as the bundle has them. The probe that is written holds them
packed; :func:`edgekit.engines.onnxruntime.probe.answers` must find the same, bit by bit, now and before every use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from onnx import NodeProto

from edgekit.engines.onnxruntime.packing.graph import PackableGraph, add_alone, empty_like
from edgekit.engines.onnxruntime.packing.pack import pack
from edgekit.engines.onnxruntime.packing.spans import Span, span_of
from edgekit.engines.onnxruntime.packing.write import PackedWriter
from edgekit.engines.onnxruntime.probe import PROBE, answers
from edgekit.errors import EngineError

Samples = Mapping[bytes, tuple[PackableGraph, NodeProto]]
"""For each kind, a node and its graph."""


def samples(graphs: Sequence[PackableGraph], scratch: Path) -> Samples:
    """Return the smallest node of each kind whose packed form ONNX Runtime saves here.

    :class:`EngineError` where these kinds are less than half of the matrices' bytes: mapping would gain little.
    """
    sizes: dict[bytes, int] = {}
    smallest: dict[bytes, tuple[PackableGraph, NodeProto]] = {}
    for graph in graphs:
        for node in graph.packing():
            kind, size = graph.kind(node), _matrix(graph, node).length
            sizes[kind] = sizes.get(kind, 0) + size
            if kind not in smallest or size < _matrix(*smallest[kind]).length:
                smallest[kind] = graph, node
    packing = {
        kind: (graph, node)
        for kind, (graph, node) in smallest.items()
        if pack(graph, node, _matrix(graph, node), scratch)
    }
    if 2 * sum(sizes[kind] for kind in packing) < max(1, sum(sizes.values())):
        raise EngineError("this ONNX Runtime can't save packed weights in a form to map", "Version 1.28 or newer can.")
    return packing


def write_probe(chosen: Samples, folder: Path, scratch: Path) -> tuple[str, bool]:
    """Write the samples as ``folder``'s probe; what it answers, and whether weights can be stored once.

    From 1.32 on ONNX Runtime compares packed bytes with what it packs from the original, which must then be there.
    """
    PackedWriter((), scratch, once=False).write(_graph(chosen), scratch / PROBE)
    expected = answers(scratch / PROBE)
    for once in (True, False):
        PackedWriter(chosen, scratch, once=once).write(_graph(chosen), folder / PROBE)
        try:
            if answers(folder / PROBE) == expected:
                return expected, once
        except EngineError:
            continue
    raise EngineError("packed weights compute something else with this ONNX Runtime", "The bundle runs without.")


def _graph(chosen: Samples) -> PackableGraph:
    """The samples side by side, each with an input of its own."""
    model = empty_like(next(iter(chosen.values()))[0].model)
    for index, (graph, node) in enumerate(chosen.values()):
        add_alone(model, node, graph.matrix(node), graph.others(node), f"{index}.")
    return PackableGraph(model)


def _matrix(graph: PackableGraph, node: NodeProto) -> Span:
    span = span_of(graph.matrix(node))
    assert span, "packing nodes have external matrices"
    return span
