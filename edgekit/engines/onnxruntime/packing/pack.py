"""Let ONNX Runtime pack the matrix of one node, alone in a graph, and read off the key and the packed bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import NodeProto, TensorProto

from edgekit.engines.onnxruntime.packing.graph import SMALL, WEIGHT, PackableGraph, add_alone, empty_like
from edgekit.engines.onnxruntime.packing.spans import Span, inline, point
from edgekit.onnx_session import open_graph, options


@dataclass(frozen=True)
class Packed:
    """A matrix in the form that a kernel wants: ONNX Runtime's key for it, and its blobs."""

    key: str
    blobs: tuple[Span, ...]

    @property
    def entry(self) -> str:
        """The value of the tensor's ``prepacked_0``."""
        return "|".join([self.key, *(f"{blob.offset};{blob.length};0" for blob in self.blobs)])


def pack(graph: PackableGraph, node: NodeProto, matrix: Span, scratch: Path) -> Packed | None:
    """Return how ONNX Runtime packs ``node`` when its matrix is the bytes of ``matrix``; the blobs lie in ``scratch``.

    None where this operator, on this machine, packs nothing or doesn't save what it packs.
    """
    external = TensorProto()
    external.CopyFrom(graph.matrix(node))
    point(external, matrix.file.name, matrix)
    alone = empty_like(graph.model)
    add_alone(alone, node, external, [inline(tensor) for tensor in graph.others(node)], "")
    target = scratch / "packed.onnx"
    settings = saving(options(final=True), target)
    settings.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    settings.add_session_config_entry("session.model_external_initializers_file_folder_path", str(matrix.file.parent))
    open_graph(alone.SerializeToString(), "cpu", settings)
    return _read(target, node.input[WEIGHT])


def saving(settings: Any, target: Path) -> Any:
    """Let sessions of these options save their graph as ``target``, its larger tensors beside it."""
    data = target.with_suffix(".data")
    target.unlink(missing_ok=True)
    data.unlink(missing_ok=True)
    settings.enable_cpu_mem_arena = False
    settings.optimized_model_filepath = str(target)
    prefix = "session.optimized_model_external_initializers_"
    settings.add_session_config_entry(f"{prefix}file_name", data.name)
    settings.add_session_config_entry(f"{prefix}min_size_in_bytes", str(SMALL))
    return settings


def _read(target: Path, name: str) -> Packed | None:
    model = onnx.load(str(target), load_external_data=False)
    (tensor,) = (tensor for tensor in model.graph.initializer if tensor.name == name)
    for entry in tensor.external_data:
        if entry.key.startswith("prepacked"):
            key, *blobs = entry.value.split("|")
            ranges = [[int(number) for number in blob.split(";")] for blob in blobs]
            data = target.with_suffix(".data")
            return Packed(key, tuple(Span(data, offset, length) for offset, length, _ in ranges))
    return None
