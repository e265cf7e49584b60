"""From the tensors under one stem to a packed Linear, their shapes, dtypes and order of inputs checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.checkpoint.packed import groups
from edgekit.checkpoint.prequantized.columns import ColumnPacked
from edgekit.checkpoint.prequantized.matrix import PackedLinear
from edgekit.checkpoint.prequantized.refused import ORIGINAL
from edgekit.checkpoint.prequantized.rows import RowPacked
from edgekit.checkpoint.prequantized.scales import Grouping
from edgekit.checkpoint.prequantized.scheme import Scheme
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

AGAIN = "The file is damaged, or written by a tool that EdgeKit does not know: compare it with the published one."
LEAVES = {
    "gptq": ("qweight", "qzeros", "scales", "g_idx"),
    "awq": ("qweight", "qzeros", "scales", "g_idx"),
    "compressed-tensors": ("weight_packed", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx"),
}
_SCALES = ("float16", "bfloat16", "float32")
_OTHER_BITS = (2, 3, 5, 6, 7, 8)


@dataclass(frozen=True)
class Stem:
    """The tensors of one Linear, and what to call it in an error."""

    name: str
    tensors: Mapping[str, StoredTensor]
    scheme: Scheme
    source: Source

    def tensor(self, leaf: str, kinds: tuple[str, ...], shape: tuple[int, ...] | None) -> StoredTensor:
        """Return the tensor ``leaf``, of one of the dtypes and of the shape, or of any two axes where that is None."""
        name = f"{self.name}.{leaf}"
        tensor = self.tensors.get(name)
        if tensor is None:
            raise CheckpointError(f"{self.source.path} lacks the tensor {name}", AGAIN)
        right = len(tensor.shape) == 2 and 0 not in tensor.shape if shape is None else tensor.shape == shape
        if tensor.dtype.name not in kinds or not right:
            wanted = f"{' or '.join(kinds)} {'of two axes' if shape is None else list(shape)}"
            raise CheckpointError(
                f"{name} in {self.source.path} is {tensor.dtype} {list(tensor.shape)}, but its layer asks for {wanted}",
                AGAIN,
            )
        return tensor

    def shape_of(self, leaf: str) -> tuple[int, ...]:
        """Return a tensor's shape if it is there and has two axes, else zeros."""
        tensor = self.tensors.get(f"{self.name}.{leaf}")
        return tensor.shape if tensor is not None and len(tensor.shape) == 2 else (0, 0)

    def grouping(self, k: int, count: int) -> Grouping:
        """Return the scheme's first size by which ``k`` inputs have ``count`` scales; its usual one where none has."""
        options = [Grouping(k, size) for size in self.scheme.sizes]
        return next((option for option in options if option.stored == count), options[0])

    def check_order(self, leaf: str, grouping: Grouping, unordered: int | None) -> None:
        """Check that groups are of neighbouring inputs, which ``g_idx`` [in] says whatever the config calls it.

        ``unordered`` is a value that says nothing, where the format has one.
        """
        ordered = not self.scheme.act_order
        if f"{self.name}.{leaf}" in self.tensors:
            index = self.tensor(leaf, ("int32",), (grouping.k,)).rows(0, grouping.k)
            own = np.arange(grouping.k, dtype=np.int32) // (grouping.k if grouping.stored == 1 else grouping.size)
            ordered = bool((index == own).all() or (index == unordered).all())
        if not ordered:
            raise CheckpointError(
                f"{self.name} in {self.source.path} has its inputs reordered (act-order, desc_act), which EdgeKit "
                "does not read",
                f"Take a version that was quantized without it. {ORIGINAL}",
            )

    def has_bits(self, bits: int) -> CheckpointError:
        """Return the error for a Linear that is packed in ``bits`` bits."""
        return CheckpointError(
            f"{self.name} in {self.source.path} is packed in {bits} bits, unlike others there, and EdgeKit reads 4",
            ORIGINAL,
        )

    def misshapen(self, n: int, k: int, whose: str) -> CheckpointError:
        return CheckpointError(
            f"{self.name} in {self.source.path} is a packed matrix of {n} × {k}, which {whose} does not make", AGAIN
        )


def packed_linear(stem: Stem) -> PackedLinear:
    """Return the Linear under ``stem``; :class:`CheckpointError` where its tensors don't
    fit together or aren't read.
    """
    build: Callable[[Stem], PackedLinear] = _rows if stem.scheme.method == "compressed-tensors" else _columns
    linear = build(stem)
    if linear.holds_nonfinite_scale():
        leaf = LEAVES[stem.scheme.method][1 if build is _rows else 2]
        raise CheckpointError(f"{stem.name}.{leaf} in {stem.source.path} holds NaN or infinity", AGAIN)
    return linear


def _columns(stem: Stem) -> ColumnPacked:
    scheme = stem.scheme
    method: Literal["gptq", "awq"] = "awq" if scheme.method == "awq" else "gptq"
    qweight = stem.tensor("qweight", ("int32",), None)
    rows, columns = qweight.shape
    _check_column_bits(stem, method, columns)
    n, k = (columns, 8 * rows) if method == "gptq" else (8 * columns, rows)
    grouping = stem.grouping(k, stem.shape_of("scales")[0])
    if n % 8 or k % 2 or (method == "awq" and k % (grouping.size if grouping.size > 0 else k)):
        raise stem.misshapen(n, k, method.upper())
    linear = ColumnPacked(
        method=method,
        less_one=scheme.less_one,
        shape=(n, k),
        grouping=grouping,
        qweight=qweight,
        qzeros=stem.tensor("qzeros", ("int32",), (grouping.stored, n // 8)),
        scales=stem.tensor("scales", _SCALES, (grouping.stored, n)),
    )
    if method == "gptq":
        stem.check_order("g_idx", grouping, None)
    return linear


def _check_column_bits(stem: Stem, method: str, columns: int) -> None:
    """Layers may have bits of their own (dynamic, extra_config): the width of zero points tells."""
    words, n = stem.shape_of("qzeros")[1], stem.shape_of("scales")[1]
    if n and columns == (n if method == "gptq" else words):
        for bits in _OTHER_BITS:
            if 32 * words == bits * n:
                raise stem.has_bits(bits)


def _rows(stem: Stem) -> RowPacked:
    packed = stem.tensor("weight_packed", ("int32",), None)
    n, k = (int(size) for size in stem.tensor("weight_shape", ("int64", "int32"), (2,)).rows(0, 2))
    count = stem.shape_of("weight_scale")[1]
    if n == packed.shape[0] and 0 < k < 2**31:
        for bits in _OTHER_BITS:
            if packed.shape[1] == -(-k * bits // 32) != -(-k // 8):
                raise stem.has_bits(bits)
    grouping = stem.grouping(k, count)
    whole = grouping.size == k or grouping.size < 0 or k % grouping.size == 0
    if packed.shape != (n, groups(k, 8)) or not whole:
        raise stem.misshapen(n, k, "compressed-tensors")
    zeros = None
    if f"{stem.name}.weight_zero_point" in stem.tensors:
        zeros = stem.tensor("weight_zero_point", ("int32",), (groups(n, 8), grouping.stored))
    scales = stem.tensor("weight_scale", _SCALES, (n, grouping.stored))
    stem.check_order("weight_g_idx", grouping, -1)
    return RowPacked((n, k), grouping, packed, scales, zeros)
