"""Fills of matrices that stand as ``[k, n]`` in a graph: a checkpoint's rows become columns.

A whole matrix is held, packed, since each of its rows is spread over all of the result (an int4 gate and up of a 7B
model: 59 MB); it is turned a stretch of inputs at a time, so that only those are ever multiplied out.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgekit.checkpoint.packed import Array, PackedTensor, PackedWeight
from edgekit.export.graph import Fill, Put
from edgekit.export.spelling import Dtype

_STRETCH = 128  # inputs at once; even, since two codes of a row share a byte


def int8(codes: str, scales: str, parts: Mapping[str, PackedTensor], dtype: Dtype) -> Fill:
    """Read int8 codes as ``[k, n]``, scales ``[n]`` in ``dtype``."""

    def fill(put: Put) -> None:
        rows = _whole(parts)
        k, n = rows[0].k, sum(len(part.codes) for part in rows)
        for start in range(0, k, _STRETCH):
            stretch = [part.codes[:, start : start + _STRETCH].T for part in rows]
            put(codes, start * n, np.ascontiguousarray(np.concatenate(stretch, axis=1)))
        put(scales, 0, np.concatenate([part.scales[:, 0] for part in rows]).astype(dtype))

    return fill


def int4(codes: str, scales: str, parts: Mapping[str, PackedTensor], dtype: Dtype) -> Fill:
    """Read int4 codes as ONNX's INT4 ``[groups · group, n]``, two columns a byte, the earlier one low; scales
    ``[groups, n]``.

    An odd ``n`` has one more column: of zeros, its scales one.
    """

    def fill(put: Put) -> None:
        rows = _whole(parts)
        k, n = 2 * rows[0].codes.shape[1], sum(len(part.codes) for part in rows)
        width = n + n % 2
        for start in range(0, k, _STRETCH):
            stretch = np.concatenate([part.codes[:, start // 2 : (start + _STRETCH) // 2] for part in rows])
            put(codes, start * width // 2, _turned(stretch, width))
        factors = np.ones((rows[0].scales.shape[1], width), dtype)
        factors[:, :n] = np.concatenate([part.scales for part in rows]).T
        put(scales, 0, factors)

    return fill


def _turned(packed: Array, width: int) -> Array:
    """Codes + 8, two inputs a byte ``[n, k / 2]``, as INT4, two columns a byte ``[k, width / 2]``."""
    n, half = packed.shape
    turned = np.full((2 * half, width), 8, np.uint8)
    turned[0::2, :n], turned[1::2, :n] = (packed & 0x0F).T, (packed >> 4).T
    turned ^= 8  # code + 8 and the code's two's complement differ in this bit alone
    result: Array = turned[:, 0::2] | turned[:, 1::2] << 4
    return result


def _whole(parts: Mapping[str, PackedTensor]) -> list[PackedWeight]:
    return [part.packed_rows(0, part.shape[0]) for part in parts.values()]
