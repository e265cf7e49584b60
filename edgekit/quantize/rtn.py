"""Round to nearest: each group's scale from its own extremes, each weight to the nearest code.

The scale is the least float16 under which nothing is clipped, so |weight - code · scale| ≤ scale / 2
holds for every weight. int4 uses its full range -8…7 with a positive scale, max(max(w) / 7, -min(w) / 8)
per group; int8 uses -127…127, absmax / 127 per row.
"""

from __future__ import annotations

import numpy as np

from edgekit.checkpoint.packed import Array, groups
from edgekit.quantize.floats import LARGEST_FLOAT16, Float16, Float32, ceil_float16, extremes, require, widen

_ZERO_SCALE = np.float16(2.0**-14)  # of a group of zeros: any positive one will do; this is the least normal
# Adding 1.5 · 2²³ to a small float32 rounds it to the nearest integer (ties to even), whose two's
# complement are then the lowest bits of the sum.
_ROUND = np.float32(1.5 * 2**23)


def int4(raw: Array, group: int) -> tuple[Array, Float16]:
    """Round to codes uint8 ``[n, groups · group / 2]`` and scales float16 ``[n, groups]`` of a block ``[n, k]``.

    Rows are padded with zeros to whole groups. Raises :class:`Unfit`.
    """
    n, k = raw.shape
    count = groups(k, group)
    if k % group:
        padded = np.zeros((n, count * group), raw.dtype)
        padded[:, :k] = raw
        raw = padded
    raw = np.ascontiguousarray(raw).reshape(n, count, group)
    high, low = extremes(raw, axis=-1)
    scales = _scales(high, low, np.maximum(high / np.float32(7), low / np.float32(8)))
    nibbles = _round(raw, scales, offset=8).reshape(n, -1)
    pairs = nibbles.view(np.uint16)  # little-endian: the earlier code is the lower byte
    return (pairs | pairs >> 4).astype(np.uint8), scales


def int8(raw: Array) -> tuple[Array, Float16]:
    """Round to codes int8 ``[n, k]`` and scales float16 ``[n, 1]`` of a block ``[n, k]``; raises :class:`Unfit`."""
    high, low = extremes(raw, axis=-1)
    scales = _scales(high, low, np.maximum(high / np.float32(127), low / np.float32(127)))[:, None]
    return _round(raw, scales[:, 0], offset=0).view(np.int8), scales


def _round(raw: Array, scales: Float16, offset: int) -> Array:
    """round(raw / scales) + offset, the lowest byte of it; one scale for each last axis of ``raw``."""
    values = widen(raw)
    values *= (np.float32(1) / scales.astype(np.float32))[..., None]
    values += _ROUND + np.float32(offset)
    return values.view(np.uint32).astype(np.uint8)


def _scales(high: Float32, low: Float32, exact: Float32) -> Float16:
    require(high, low, exact <= LARGEST_FLOAT16)
    scales = ceil_float16(exact)
    scales[exact == 0] = _ZERO_SCALE
    return scales
