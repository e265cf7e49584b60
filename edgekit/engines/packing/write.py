"""Write a graph with its weights packed, each of them once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onnx import NodeProto

from edgekit.engines.packing.graph import Graph
from edgekit.engines.packing.pack import Packed, pack
from edgekit.engines.packing.spans import DataFile, Span, name_beside, point, span_of
from edgekit.files import writing


def write(graph: Graph, kinds: set[bytes], path: Path, scratch: Path, wrote: Callable[[int], None]) -> None:
    """Write ``graph`` as ``path`` and its tensors as ``path``.data, packed where a node is of one of ``kinds``.

    ``graph`` is changed to what is written. ``wrote`` hears how many bytes of the original have been dealt with.
    """
    packable = {graph.matrix(node).name: node for node in graph.packing() if graph.kind(node) in kinds}
    keys: set[str] = set()
    with DataFile(path.with_name(f"{path.name}.data")) as data:
        for tensor in graph.model.graph.initializer:
            span = span_of(tensor)
            if span is None:
                continue
            node = packable.get(tensor.name)
            if node is None or not _write_packed(graph, node, span, data, scratch, keys):
                point(tensor, str(data.path), data.append(span))
            wrote(span.length)
    for tensor in graph.model.graph.initializer:
        name_beside(tensor)
    with writing(path):
        path.write_bytes(graph.model.SerializeToString())


def _write_packed(graph: Graph, node: NodeProto, original: Span, data: DataFile, scratch: Path, keys: set[str]) -> bool:
    """Append a node's packed matrix and declare its first bytes to be the original; whether that could be done.

    It can't where the packed form is the shorter one, or where another matrix is filed under the same key.
    """
    packed = pack(graph, node, original, scratch)
    if packed is None or packed.blobs[0].length < original.length:
        return False
    size = data.tell()
    blobs = tuple(data.append(blob) for blob in packed.blobs)
    alias = Span(data.path, blobs[0].offset, original.length)
    again = pack(graph, node, alias, scratch)
    if again is None or len(again.blobs) != len(blobs) or again.key in keys:
        data.truncate(size)
        return False
    keys.add(again.key)
    tensor = graph.matrix(node)
    point(tensor, str(data.path), alias)
    tensor.external_data.add(key="prepacked_0", value=Packed(again.key, blobs).entry)
    return True
