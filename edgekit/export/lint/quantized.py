"""What TensorRT asks of quantized weights and activations: QuantizeLinear and DequantizeLinear around constants.

From the checks of onnx-tensorrt's importer (``QuantDequantLinearHelper``, 10.1), ``IDequantizeLayer`` in NVIDIA's API
reference, and trials: TensorRT-RTX 1.7 builds odd columns, int8 blocks and dead scales, which older releases refuse,
and widens int4 that has no blocks or passes through anything but a Transpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from onnx import NodeProto, TensorProto

from edgekit.export.lint.operators import Version
from edgekit.export.lint.view import STANDARD, Complaint, View, at, attribute, label, spoken

_INT4 = TensorProto.INT4
_QUANTIZED: dict[int, Version] = {
    _INT4: (10, 0),
    TensorProto.INT8: (10, 0),
    TensorProto.FLOAT8E4M3FN: (10, 0),
    TensorProto.FLOAT4E2M1: (10, 8),
}
_MULTIPLIES = frozenset({"MatMul", "Gemm"})


def quantized(view: View) -> Iterator[Complaint]:
    """Check all rules of one QuantizeLinear or DequantizeLinear, and INT4 tensors that anything else reads."""
    for node in view.nodes:
        standard = node.domain in STANDARD
        if standard and node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            yield from _codes(view, node)
            yield from _zero_point(view, node)
            yield from _scale(view, node)
        if standard and node.op_type == "DequantizeLinear":
            if view.types.get(at(node.input, 0)) == _INT4:
                yield from _int4(view, node)
            else:
                yield from _not_blocked(view, node)
        elif node.op_type != "QuantizeLinear":  # whose zero point may be one
            for name in (name for name in node.input if view.types.get(name) == _INT4):
                what = f"{node.op_type} reads the int4 tensor '{name}', which only DequantizeLinear may."
                yield Complaint(label(node), "int4-use", what, "Store the weight as it is multiplied.")


def _codes(view: View, node: NodeProto) -> Iterator[Complaint]:
    """The type of the quantized numbers: what DequantizeLinear reads and QuantizeLinear writes."""
    if node.op_type == "DequantizeLinear":
        code = view.types.get(at(node.input, 0))
    elif zero := at(node.input, 2):
        code = view.types.get(zero)
    else:  # uint8 in ONNX, and int8 in TensorRT, which builds it without a word
        code = attribute(node, "output_dtype", 0) or TensorProto.UINT8
    if code is None:
        return
    if (release := _QUANTIZED.get(code)) is None or view.version < release:
        what = f"{node.op_type} has the type {spoken(code)}, which {view.release} can't quantize to."
        yield Complaint(label(node), "quantized-type", what, "Quantize to int8 or int4, and say so by the zero point.")


def _zero_point(view: View, node: NodeProto) -> Iterator[Complaint]:
    if not (name := at(node.input, 2)):
        return
    tensor = view.constants.get(name)
    if tensor is None or any(piece.astype(np.float32).any() for piece in view.values(tensor)):
        fault = "computed" if tensor is None else "not zero"
        what = f"The zero point '{name}' is {fault}; TensorRT knows symmetric quantization only."
        yield Complaint(label(node), "zero-point", what, "Quantize symmetrically, without zero points.")


def _scale(view: View, node: NodeProto) -> Iterator[Complaint]:
    name = at(node.input, 1)
    wanted = attribute(node, "output_dtype", 0) if node.op_type == "DequantizeLinear" else 0
    if wanted and view.types.get(name, wanted) != wanted:
        what = f"The scale '{name}' is {spoken(view.types[name])}, and the result {spoken(wanted)}; they must be alike."
        yield Complaint(label(node), "scale-type", what, "Write scales in the activations' type.")
    if (tensor := view.constants.get(name)) is None:
        return
    for piece in view.values(tensor):
        scales = piece.astype(np.float32)
        if not (np.isfinite(scales) & (scales > 0)).all():
            what = f"The scale '{name}' has values that are zero, negative or no numbers."
            yield Complaint(label(node), "scale-value", what, "Quantize the layer again; look at its float weights.")
            return


def _int4(view: View, node: NodeProto) -> Iterator[Complaint]:
    codes, scale = at(node.input, 0), at(node.input, 1)
    for name in (codes, scale):
        if name not in (view.initializers if name == codes else view.constants):
            what = f"'{name}' is computed; TensorRT takes int4 weights and their scales as constants only."
            yield Complaint(label(node), "int4-constant", what, "Store codes and scales as initializers.")
    if codes in view.initializers:
        yield from _int4_shape(view, node, view.initializers[codes].dims)
    for user in view.users.get(at(node.output, 0), []):
        if user.op_type not in _MULTIPLIES:
            what = f"The weight goes to {user.op_type} '{label(user)}' first, so it may be multiplied as floats."
            yield Complaint(label(node), "int4-use", what, "Let MatMul or Gemm read the DequantizeLinear directly.")
    if at(node.output, 0) in view.outputs:
        what = "The weight is an output of the graph, so it is kept as floats."
        yield Complaint(label(node), "int4-use", what, "Let only MatMul or Gemm read the DequantizeLinear.")


def _int4_shape(view: View, node: NodeProto, dims: Sequence[int]) -> Iterator[Complaint]:
    if len(dims) != 2 or dims[-1] % 2:
        what = f"The int4 weight is {_by(dims)}; it must have two dimensions, the last one even."
        yield Complaint(label(node), "int4-shape", what, "Pad the weight's columns to an even number.")
    elif (tensor := view.constants.get(at(node.input, 1))) is not None:
        axis = attribute(node, "axis", 1) % 2
        block = attribute(node, "block_size", 0)
        scales, other = tensor.dims, 1 - axis
        if not block or len(scales) != 2 or scales[other] != dims[other]:
            what = f"The int4 weight is {_by(dims)}, its scales {_by(scales)}; exactly one dimension must be in blocks."
            yield Complaint(label(node), "int4-block", what, "Quantize in blocks along the input dimension.")
        elif dims[axis] != block * scales[axis]:
            what = f"The {dims[axis]} rows or columns are no {scales[axis]} whole blocks of {block}."
            yield Complaint(label(node), "int4-block", what, "Pad the weight to whole blocks, or use smaller ones.")


def _not_blocked(view: View, node: NodeProto) -> Iterator[Complaint]:
    """One scale, or one for each row or column: an int8 weight in blocks parses, and the builder refuses it."""
    tensor = view.constants.get(at(node.input, 1))
    if view.types.get(at(node.input, 0)) != TensorProto.INT8:
        return
    if attribute(node, "block_size", 0) or (tensor is not None and len(tensor.dims) > 1 and max(tensor.dims) > 1):
        what = f"The int8 tensor '{at(node.input, 0)}' has scales per block; TensorRT takes one, or one per channel."
        yield Complaint(label(node), "int8-block", what, "Quantize int8 per channel.")


def _by(dims: Sequence[int]) -> str:
    return " × ".join(map(str, dims)) or "a scalar"
