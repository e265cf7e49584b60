"""Whether two weights hold the same numbers, read side by side in pieces: neither is ever in memory as a whole."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Array, Tensor, is_packed

_PIECE = 2**22  # elements: 8 MiB of float16


def same_values(one: Weight, other: Weight) -> bool:
    """Whether both have one shape and equal numbers, whatever their dtypes; what is packed equals nothing.

    The first piece that differs ends it, so that only weights that are the same are read to their end.
    """
    if is_packed(one) or is_packed(other):
        return False
    one, other = cast("Tensor", one), cast("Tensor", other)
    if one.shape != other.shape or not one.shape:
        return False
    step = max(1, _PIECE // max(1, math.prod(one.shape[1:])))
    for start in range(0, one.shape[0], step):
        stop = min(start + step, one.shape[0])
        same = _equal(one.rows(start, stop), other.rows(start, stop))
        one.release(start, stop)
        other.release(start, stop)
        if not same:
            return False
    return True


def _equal(one: Array, other: Array) -> bool:
    if one.dtype != other.dtype:
        with np.errstate(over="ignore"):
            one, other = one.astype(np.float32), other.astype(np.float32)
    return np.array_equal(one, other)
