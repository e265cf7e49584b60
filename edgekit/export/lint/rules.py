"""Rules about operators, element types, sizes and where weights lie; each yields what it finds wrong in a graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto

from edgekit.export.lint.operators import CONSTANT_INPUTS, DATA_DEPENDENT, FIRST_OPSET, last_opset, since
from edgekit.export.lint.values import is_external, nbytes, place
from edgekit.export.lint.view import STANDARD, Complaint, View, at, attribute, label, spoken

_PAGE, _LINE, _LARGE = 4096, 64, 64 * 1024  # as edgekit.export.write lays weights out
_INT32 = np.iinfo(np.int32)
_FLOATS = frozenset({TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16})
_KNOWN = _FLOATS | {
    *(TensorProto.INT4, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8),
    *(TensorProto.BOOL, TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT4E2M1),
}
_PRODUCTS = frozenset({"MatMul", "Gemm"})
# Inputs of one type, by their places (None: all); TensorRT, strongly typed, converts nothing. TensorRT-RTX 1.7 refused
# one of each kind, and took mixed inputs of Pow, Clip and RMSNormalization.
_ALIKE: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("MatMul", "Gemm", "Conv", "ConvTranspose", "PRelu"), None),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Min", "Max", "Sum", "Concat"), None),
    **dict.fromkeys(("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"), None),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization", "InstanceNormalization"), None),
    **dict.fromkeys(("ScatterElements", "ScatterND"), (0, 2)),
    "TensorScatter": (0, 1),
    "Where": (1, 2),
}


def opset(view: View) -> Iterator[Complaint]:
    last = last_opset(view.version)
    if not FIRST_OPSET <= view.opset <= last:
        what = f"The graph has opset {view.opset}; {view.release} reads {FIRST_OPSET} to {last}."
        yield Complaint(view.name, "opset", what, f"Export the graph with opset {min(last, 21)}.")


def operators(view: View) -> Iterator[Complaint]:
    """Check for operators that the release lacks; the parser's own ``supports_operator`` calls any foreign domain's
    known."""
    for node in (*view.nodes, *view.functions):
        if (node.domain, node.op_type) in view.local:
            continue
        if node.domain not in STANDARD:
            what = f"{node.op_type} is of the domain {node.domain}, which TensorRT doesn't know."
            yield Complaint(label(node), "domain", what, "Spell it in ONNX's standard operators.")
        elif (release := since(node.op_type)) is None or view.version < release:
            later = f"; {release[0]}.{release[1]} does" if release else ""
            what = f"{view.release} doesn't know the operator {node.op_type}{later}."
            yield Complaint(label(node), "operator", what, "Spell it in operators that every release knows.")


def restrictions(view: View) -> Iterator[Complaint]:
    """Check what an operator that is known still may not do, by onnx-tensorrt's ``docs/operators.md`` and changelog."""
    for node in view.nodes:
        if node.domain in STANDARD:
            yield from _computed(view, node)
            yield from _restricted(view, node)


def _computed(view: View, node: NodeProto) -> Iterator[Complaint]:
    index, release = CONSTANT_INPUTS.get(node.op_type, (0, (0, 0)))
    if release is not None and view.version >= release:
        return
    if (name := at(node.input, index)) and name not in view.constants:
        what = f"Input {index} of {node.op_type}, '{name}', is computed; {view.release} takes only a constant."
        yield Complaint(label(node), "computed-input", what, "Write it as an initializer.")


def _restricted(view: View, node: NodeProto) -> Iterator[Complaint]:
    kind, what = node.op_type, ""
    if kind == "Attention" and (any(node.input[4:]) or any(node.output[1:])):
        yield Complaint(
            label(node),
            "attention-cache",
            "Attention has inputs or outputs beside Q, K, V, the mask and the result; no release takes a cache here.",
            "Join past and new keys and values before it.",
        )
    if kind == "Attention" and (attribute(node, "softcap", 0.0) or attribute(node, "qk_matmul_output_mode", 0)):
        what = "Attention may have no softcap and no qk_matmul_output_mode."
    elif kind == "LayerNormalization" and any(node.output[1:]):
        what = "LayerNormalization gives its first output only."
    elif kind == "MaxPool" and any(node.output[1:]):
        what = "MaxPool gives no indices."
    elif kind == "GroupNormalization" and view.opset >= 21 and view.version < (10, 9):
        what = f"{view.release} reads GroupNormalization only up to opset 20."
    elif kind == "ScatterND" and attribute(node, "reduction", b"none") != b"none":
        what = "ScatterND may not reduce."
    elif kind == "TensorScatter" and attribute(node, "axis", -2) != -2:
        what = "TensorScatter must write along the axis -2."
    elif kind == "TopK" and not attribute(node, "sorted", 1):
        what = "TopK must be sorted."
    if what:
        yield Complaint(label(node), "restriction", what, "Spell it in other operators.")


def data_dependent(view: View) -> Iterator[Complaint]:
    for node in view.nodes:
        if node.domain in STANDARD and node.op_type in DATA_DEPENDENT:
            what = f"{node.op_type} has a result whose shape depends on the data, so no memory can be planned for it."
            yield Complaint(label(node), "data-dependent", what, "Mask instead of selecting.")


def types(view: View) -> Iterator[Complaint]:
    """Check for element types that TensorRT has none for; double it narrows to float32, saying so only in its log."""
    codes = {name: tensor.data_type for name, tensor in view.constants.items()} | view.ends
    for name, code in codes.items():
        quantized = {node.op_type for node in view.users.get(name, [])} == {"DequantizeLinear"}  # has its own rule
        if code and code not in _KNOWN and not quantized:
            what = f"'{name}' is {spoken(code)}, which TensorRT has no type for."
            yield Complaint(name, "tensor-type", what, "Use float16, float32, int32, int64, int8, int4 or bool.")


def mixed_types(view: View) -> Iterator[Complaint]:
    for node in view.nodes:
        if node.domain in STANDARD and node.op_type in _ALIKE:
            places = _ALIKE[node.op_type]
            names = [name for place, name in enumerate(node.input) if places is None or place in places]
            codes = {name: view.types[name] for name in names if name in view.types}
            if len({*codes.values()}) > 1:
                each = ", ".join(f"'{name}' is {spoken(code)}" for name, code in codes.items())
                what = f"{node.op_type} has inputs of different types: {each}."
                yield Complaint(label(node), "mixed-types", what, "Cast one of them; nothing is converted silently.")


def wide_products(view: View) -> Iterator[Complaint]:
    """Check for float32 products in a graph that multiplies in float16 elsewhere: twice the bytes, and no tensor
    cores."""
    products = [node for node in view.nodes if node.op_type in _PRODUCTS and node.domain in STANDARD]
    codes = [{view.types.get(name) for name in node.input} for node in products]
    if any(TensorProto.FLOAT16 in types for types in codes):
        for node, types in zip(products, codes, strict=True):
            if types == {TensorProto.FLOAT}:
                what = f"{node.op_type} multiplies in float32 in a graph of float16."
                yield Complaint(label(node), "wide-matmul", what, "Cast its inputs to float16 if it need not be exact.")


def external_data(view: View) -> Iterator[Complaint]:
    """Check whether weights lie where the graph says, at a page or a cache line, so that a runtime may map them."""
    for name, tensor in view.initializers.items():
        if not is_external(tensor) or tensor.data_type == TensorProto.UNDEFINED:
            continue
        try:
            file, offset, length = place(tensor)
        except (ValueError, KeyError) as error:
            yield Complaint(
                name, "external-data", f"'{name}' has no place or size: {error}.", "Export the graph again."
            )
            continue
        if length != nbytes(tensor):
            what = f"'{name}' takes {nbytes(tensor)} bytes, and the graph gives it {length}."
            yield Complaint(name, "external-data", what, "Export the graph again.")
        elif view.folder is not None and (size := _size(view.folder / file)) < offset + length:
            what = f"'{name}' should end at byte {offset + length} of {file}, which has {size}."
            yield Complaint(name, "external-data", what, "Copy the weights beside the graph, or export it again.")
        if offset % (align := _PAGE if length >= _LARGE else _LINE):
            what = f"'{name}' starts at byte {offset} of {file}, which is no multiple of {align}."
            yield Complaint(name, "alignment", what, "Write large weights at pages, small ones at cache lines.")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def wide_integers(view: View) -> Iterator[Complaint]:
    """Check for int64 constants beyond int32; the ends of a Slice and a Loop's count are cut to size by the parser."""
    for name, tensor in view.constants.items():
        if tensor.data_type != TensorProto.INT64 or all(_cut(node, name) for node in view.users.get(name, [])):
            continue
        if any(((piece < _INT32.min) | (piece > _INT32.max)).any() for piece in view.values(tensor)):
            what = f"'{name}' has values beyond 32 bits, which few of TensorRT's kernels index or count with."
            yield Complaint(name, "int64-range", what, "Use values within 32 bits.")


def _cut(node: NodeProto, name: str) -> bool:
    used = {index for index, given in enumerate(node.input) if given == name}
    return used <= {"Slice": {1, 2}, "Loop": {0}}.get(node.op_type, set())
