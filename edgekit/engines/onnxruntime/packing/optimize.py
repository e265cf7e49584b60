"""The final form of a graph: fused and folded by ONNX Runtime as it would at every start.

Its large matrices are taken out before and put back after, as inputs meanwhile, so that ONNX Runtime neither reads
nor copies them: what remains is small.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto, helper

from edgekit.engines.onnxruntime.packing.graph import PackableGraph
from edgekit.engines.onnxruntime.packing.pack import saving
from edgekit.engines.onnxruntime.packing.spans import point, span_of
from edgekit.onnx_session import open_graph, options, sums_saturate


def optimize(source: Path, scratch: Path) -> PackableGraph:
    """Read ``source`` and optimize it; folded tensors come to lie in ``scratch``, the others stay where they are."""
    model = onnx.load(str(source), load_external_data=False)
    matrices = _take_out(model)
    target = scratch / f"{source.stem}.final.onnx"
    settings = saving(options(), target)
    settings.add_session_config_entry("session.disable_prepacking", "1")
    settings.add_session_config_entry("session.model_external_initializers_file_folder_path", str(source.parent))
    open_graph(model.SerializeToString(), "cpu", settings)
    final = onnx.load(str(target), load_external_data=False)
    for tensor in final.graph.initializer:
        _make_absolute(tensor, scratch)
    for tensor in matrices.values():
        _make_absolute(tensor, source.parent)
    _put_back(final, matrices)
    return PackableGraph(final)


def _take_out(model: ModelProto) -> dict[str, TensorProto]:
    """Make the packing nodes' matrices graph inputs; the tensors by name."""
    graph = PackableGraph(model)
    taken = {}
    for node in graph.packing():
        # Where int8 sums saturate, ONNX Runtime rewrites these weights, so it needs to see them.
        if not (node.op_type == "DynamicQuantizeMatMul" and sums_saturate()):
            tensor = TensorProto()
            tensor.CopyFrom(graph.matrix(node))
            taken[tensor.name] = tensor
            model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    _remove(model.graph.initializer, taken)
    return taken


def _put_back(model: ModelProto, matrices: dict[str, TensorProto]) -> None:
    _remove(model.graph.input, matrices)
    model.graph.initializer.extend(matrices.values())


def _remove(values: Any, names: Container[str]) -> None:
    kept = [value for value in values if value.name not in names]
    del values[:]
    values.extend(kept)


def _make_absolute(tensor: TensorProto, folder: Path) -> None:
    if span := span_of(tensor, folder):
        point(tensor, str(span.file.resolve()), span)
