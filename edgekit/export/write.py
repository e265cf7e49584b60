"""From a :class:`~edgekit.export.graph.Graph` to an ONNX file and its weights beside it, streamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from edgekit import __version__
from edgekit.checkpoint.tensor_file import Entry, Region, write_regions
from edgekit.checkpoint.tensor_file import write_safetensors as _write_safetensors
from edgekit.export.graph import IR_VERSION, MS, OPSET, Fill, Graph, Initializer
from edgekit.files import writing
from edgekit.progress import Progress, silent

_PAGE, _LINE = 4096, 64  # runtimes map large weights by pages; small ones only need their cache line
_LARGE = 64 * 1024
_SAFETENSORS: dict[int, str] = {
    TensorProto.FLOAT: "F32",
    TensorProto.FLOAT16: "F16",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.INT64: "I64",
    TensorProto.INT32: "I32",
    TensorProto.INT8: "I8",
    TensorProto.UINT8: "U8",
}


def write_graph(graph: Graph, path: Path, progress: Progress = silent) -> None:
    """Write ``path`` (the graph) and ``path`` + ".data" (its weights, as ONNX external data).

    The graph's fills run on all cores and their bytes go straight to their places; memory holds what
    the fills hold. Progress counts bytes of checkpoint read. On any error neither file remains.
    Raises :class:`~edgekit.errors.EdgeKitError` when the disk is full or can't be written.
    """
    data = path.with_name(path.name + ".data")
    regions = layout(graph.weights.values())
    try:
        if regions:
            write_regions(data, regions, graph.fills, progress)
        with writing(path):
            path.write_bytes(model(graph, regions, data.name).SerializeToString(deterministic=True))
        onnx.checker.check_model(str(path))
    except BaseException:
        path.unlink(missing_ok=True)
        data.unlink(missing_ok=True)
        raise


def write_safetensors(
    path: Path,
    weights: Sequence[Initializer],
    fills: Sequence[tuple[int, Fill]],
    metadata: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> None:
    """Write weights as one safetensors file, by the same fills as a graph's; several may share a weight."""
    entries = [Entry(weight.name, _SAFETENSORS[weight.dtype], weight.shape) for weight in weights]
    _write_safetensors(path, entries, fills, metadata or {}, progress)


def layout(weights: Iterable[Initializer]) -> dict[str, Region]:
    """Say where each weight lies in the data file: large ones start at a page, small ones at a cache line."""
    regions, end = {}, 0
    for weight in weights:
        align = _PAGE if weight.nbytes >= _LARGE else _LINE
        start = -(-end // align) * align
        regions[weight.name] = Region(start, weight.nbytes)
        end = start + weight.nbytes
    return regions


def model(graph: Graph, regions: Mapping[str, Region], location: str) -> onnx.ModelProto:
    """Turn a graph into ONNX's form, its weights in the file ``location`` beside it."""
    initializers = [*graph.constants.values()]
    initializers += [_external(weight, regions[weight.name], location) for weight in graph.weights.values()]
    return helper.make_model(
        helper.make_graph(graph.nodes, graph.name, graph.inputs, graph.outputs, initializers),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(MS, 1)],
        ir_version=IR_VERSION,
        producer_name="edgekit",
        producer_version=__version__,
    )


def _external(weight: Initializer, region: Region, location: str) -> TensorProto:
    tensor = TensorProto(name=weight.name, data_type=weight.dtype, dims=weight.shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", region.offset), ("length", region.nbytes)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor
