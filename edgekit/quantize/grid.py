"""The grid of a group: which scale loses least, and codes to a scale.

Codes are -8…7 (int4) or -127…127 (int8), scales positive float16 (:mod:`edgekit.checkpoint.packed`). Under the scale
that clips nothing most of the grid is spent on a group's few largest weights; a smaller one clips those, and is nearer
to all others.
"""

from __future__ import annotations

import numpy as np

from edgekit.checkpoint.packed import Array, Bits, groups
from edgekit.quantize.floats import Float32, ceil_float16

RATIOS = tuple(float(ratio) for ratio in np.linspace(1.0, 0.55, 19))
"""Scales that are tried, as shares of the one that clips nothing."""
_ENDS: dict[Bits, tuple[int, int]] = {4: (-8, 7), 8: (-127, 127)}
_LEAST = np.float16(2.0**-14)


def whole_scales(weights: Float32, bits: Bits = 4) -> Float32:
    """Return the scales ``[…]`` of groups ``[…, group]`` under which nothing is clipped, as float16 can hold them."""
    low, high = _ENDS[bits]
    exact = np.maximum(weights.max(axis=-1) / np.float32(high), weights.min(axis=-1) / np.float32(low))
    scales: Float32 = np.maximum(ceil_float16(np.maximum(exact, 0)), _LEAST).astype(np.float32)
    return scales


def best_scales(weights: Float32, importance: Float32, bits: Bits = 4) -> Float32:
    """Return the scales ``[n]`` of one group of each row, ``weights`` ``[n, group]``, that lose least.

    ``importance``: of each input ``[group]``, or of each pair of them ``[group, group]`` (errors of two inputs that go
    together add up). The loss of a row is the sum of importance · error², or eᵀ · importance · e.
    """
    whole = whole_scales(weights, bits)
    best, least = whole, np.full(len(weights), np.inf, np.float32)
    for ratio in RATIOS:
        scales = np.maximum((whole * np.float32(ratio)).astype(np.float16), _LEAST).astype(np.float32)
        errors = weights - codes(weights, scales[:, None], bits) * scales[:, None]
        weighed = errors @ importance if importance.ndim == 2 else errors * importance
        loss = np.einsum("nk,nk->n", weighed, errors)
        better = loss < least
        best, least = np.where(better, scales, best), np.where(better, loss, least)
    return best


def codes(weights: Float32, scales: Float32, bits: Bits = 4) -> Float32:
    """Return the nearest codes, as float32."""
    nearest: Float32 = np.clip(np.rint(weights / scales), *_ENDS[bits])
    return nearest


def rounded(weights: Float32, scales: Float32, group: int) -> Float32:
    """Return a matrix ``[n, k]`` as codes to ``scales`` ``[n, groups]`` stand for it."""
    spread = np.repeat(scales, group, axis=1)[:, : weights.shape[1]]
    return codes(weights, spread) * spread


def scales_of(weights: Float32, group: int, importance: Float32 | None = None) -> Float32:
    """Return the scales ``[n, groups]`` of a matrix ``[n, k]``: clipping nothing, or by ``importance`` of pairs ``[k,
    k]``."""
    scales = np.empty((len(weights), groups(weights.shape[1], group)), np.float32)
    for index in range(scales.shape[1]):
        place = slice(index * group, (index + 1) * group)
        part = weights[:, place]
        scales[:, index] = whole_scales(part) if importance is None else best_scales(part, importance[place, place])
    return scales


def nibbles(signed: Float32, group: int) -> Array:
    """Pack codes ``[n, k]`` (-8…7) as they are stored: uint8 ``[n, groups · group / 2]``, rows padded with zeros."""
    n, k = signed.shape
    padded = np.zeros((n, groups(k, group) * group), np.int8)
    padded[:, :k] = signed
    shifted = (padded + 8).astype(np.uint8)
    packed: Array = shifted[:, 0::2] | shifted[:, 1::2] << 4
    return packed
