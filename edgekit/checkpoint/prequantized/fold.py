"""From a checkpoint with packed Linears to one that has a tensor ``X.weight`` for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import groups
from edgekit.checkpoint.prequantized.matrix import KeptMatrix, PackedLinear, UnpackedMatrix
from edgekit.checkpoint.prequantized.scheme import ORIGINAL, Scheme, find_scheme
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_LEAVES = ("qweight", "qzeros", "scales", "g_idx")
_AGAIN = "The file is damaged, or written by a tool that EdgeKit does not know: compare it with the published one."
_GO_ON = (
    "EdgeKit's int4 is symmetric. Give --requantize to `edgekit build` or `edgekit quantize` (in Python, "
    "requantize=True) to have such matrices unpacked and quantized anew by the recipe, which loses a little "
    "more; or give it the original checkpoint."
)


def fold(source: Source, requantize: bool) -> tuple[Source, tuple[str, ...]]:
    """``source`` with one weight in place of each packed Linear, and what its user should know.

    Symmetric matrices are kept as they are (a ``PackedTensor``). Others are plain tensors of what they stand for,
    where ``requantize`` says so, and a note tells; otherwise a :class:`CheckpointError` names the first. Zero
    points, scales and ``g_idx`` are read, codes are not. :class:`CheckpointError` on what isn't read or
    doesn't fit together.
    """
    scheme = find_scheme(source)
    if scheme is None:
        return source, ()
    stored = cast("Mapping[str, StoredTensor]", source.tensors)
    tensors: dict[str, Weight] = {}
    found: dict[str, PackedLinear] = {}
    for name, tensor in stored.items():
        stem, _, leaf = name.rpartition(".")
        if leaf not in _LEAVES:
            tensors[name] = tensor
        elif leaf == "qweight":
            found[f"{stem}.weight"] = _linear(stem, stored, scheme, source)
        elif f"{stem}.qweight" not in stored:
            raise CheckpointError(
                f"{source.path} has {name} without a {stem}.qweight: EdgeKit knows no layer of that kind", ORIGINAL
            )
    if twice := found.keys() & tensors.keys():
        raise CheckpointError(f"{min(twice)} in {source.path} is stored both packed and plain", _AGAIN)
    misfits = {name: why for name, linear in found.items() if (why := linear.misfit())}
    if misfits and not requantize:
        raise CheckpointError(f"In {source.path}, {_described(misfits, len(found))}", _GO_ON)
    for name, linear in found.items():
        linear.release()
        tensors[name] = UnpackedMatrix(linear) if name in misfits else KeptMatrix(linear)
    folded = replace(source, tensors=tensors)
    if not misfits:
        return folded, ()
    return folded, (
        f"{_described(misfits, len(found))}: they are unpacked, and quantized anew by the recipe (--requantize).",
    )


def _described(misfits: Mapping[str, str], count: int) -> str:
    name, why = next(iter(misfits.items()))
    return f"{len(misfits)} of {count} int4 matrices are not symmetric (the first, {name}, has {why})"


def _linear(stem: str, stored: Mapping[str, StoredTensor], scheme: Scheme, source: Source) -> PackedLinear:
    """The Linear ``stem``, its tensors' shapes and dtypes, order of inputs and scales checked."""
    qweight = _tensor(f"{stem}.qweight", stored, np.int32, None, source)
    rows, columns = qweight.shape
    n, k = (columns, 8 * rows) if scheme.method == "gptq" else (8 * columns, rows)
    if n % 8 or (scheme.method == "awq" and k % scheme.group):
        raise CheckpointError(
            f"{stem} in {source.path} is a packed matrix of {n} × {k}, which {scheme.method.upper()} does not make",
            _AGAIN,
        )
    count = groups(k, scheme.group)
    linear = PackedLinear(
        scheme,
        (n, k),
        qweight,
        _tensor(f"{stem}.qzeros", stored, np.int32, (count, n // 8), source),
        _tensor(f"{stem}.scales", stored, np.float16, (count, n), source),
    )
    if scheme.method == "gptq":
        _check_order(stem, stored, scheme, k, source)
    if linear.holds_nonfinite_scale():
        raise CheckpointError(f"{stem}.scales in {source.path} holds NaN or infinity", _AGAIN)
    return linear


def _tensor(
    name: str, stored: Mapping[str, StoredTensor], dtype: type, shape: tuple[int, ...] | None, source: Source
) -> StoredTensor:
    tensor = stored.get(name)
    if tensor is None:
        raise CheckpointError(f"{source.path} lacks the tensor {name}", _AGAIN)
    right = len(tensor.shape) == 2 and 0 not in tensor.shape if shape is None else tensor.shape == shape
    if tensor.dtype != np.dtype(dtype) or not right:
        wanted = f"{np.dtype(dtype)} {'of two axes' if shape is None else list(shape)}"
        raise CheckpointError(
            f"{name} in {source.path} is {tensor.dtype} {list(tensor.shape)}, but its layer asks for {wanted}", _AGAIN
        )
    return tensor


def _check_order(stem: str, stored: Mapping[str, StoredTensor], scheme: Scheme, k: int, source: Source) -> None:
    """Groups must be of neighbouring inputs, which ``g_idx`` [in] says whatever the config calls it."""
    ordered = not scheme.act_order
    if f"{stem}.g_idx" in stored:
        index = _tensor(f"{stem}.g_idx", stored, np.int32, (k,), source).rows(0, k)
        ordered = bool((index == np.arange(k, dtype=np.int32) // scheme.group).all())
    if not ordered:
        raise CheckpointError(
            f"{stem} in {source.path} has its inputs reordered (act-order, desc_act), which EdgeKit does not read",
            f"Take a version that was quantized without it. {ORIGINAL}",
        )
