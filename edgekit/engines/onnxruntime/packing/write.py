"""Write a graph with its weights packed: each of them once, where ONNX Runtime takes packed bytes by their key."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path

from onnx import NodeProto

from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.pack import Packed, pack
from edgekit.engines.onnxruntime.packing.spans import DataFile, Span, name_beside, point, span_of
from edgekit.files import writing


class PackedWriter:
    """Writes graphs, packed where a node is of one of ``kinds``; ``once`` leaves the originals out.

    ``wrote`` hears how many bytes of the originals have been dealt with.
    """

    def __init__(
        self, kinds: Container[bytes], scratch: Path, *, once: bool, wrote: Callable[[int], None] = lambda size: None
    ) -> None:
        self._kinds, self._scratch, self._once, self._wrote = kinds, scratch, once, wrote

    def write(self, graph: PackableGraph, path: Path) -> None:
        """Write ``graph`` as ``path`` and its tensors as ``path``.data; it is changed to what is written."""
        packing = {graph.matrix(node).name: node for node in graph.packing() if graph.kind(node) in self._kinds}
        keys: set[str] = set()
        with DataFile(path.with_name(f"{path.name}.data")) as data:
            for tensor in graph.tensors.values():
                span = span_of(tensor)
                if span is None:
                    continue
                node = packing.get(tensor.name)
                if node is None or not self._write_packed(graph, node, span, data, keys):
                    point(tensor, str(data.path), data.append(span))
                self._wrote(span.length)
        for tensor in graph.tensors.values():
            name_beside(tensor)
        with writing(path):
            path.write_bytes(graph.model.SerializeToString())

    def _write_packed(
        self, graph: PackableGraph, node: NodeProto, original: Span, file: DataFile, keys: set[str]
    ) -> bool:
        """Append a node's matrix in packed form; whether that could be done: keys must be unique."""
        packed = pack(graph, node, original, self._scratch)
        if packed is None:
            return False
        size = file.tell()
        blobs = tuple(file.append(blob) for blob in packed.blobs)
        key, place = packed.key, None
        if self._once and blobs[0].length >= original.length:
            place = Span(file.path, blobs[0].offset, original.length)
            again = pack(graph, node, place, self._scratch)
            assert again, "what a kernel packs doesn't hang on the values"
            key = again.key
        if key in keys:
            file.truncate(size)
            return False
        keys.add(key)
        tensor = graph.matrix(node)
        point(tensor, str(file.path), place or file.append(original))
        tensor.external_data.add(key="prepacked_0", value=Packed(key, blobs).entry)
        return True
