"""Whether two weights hold the same numbers, read side by side in pieces: neither is ever in memory as a whole."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from edgekit.checkpoint.checkpoint import Weight
from edgekit.checkpoint.packed import Array, Tensor, is_packed

_PIECE = 2**22  # elements: 8 MiB of float16


def same_values(first: Weight, second: Weight) -> bool:
    """Tell whether both have one shape and equal numbers, whatever their dtypes; what is packed equals nothing.

    The first piece that differs ends it, so that only weights that are the same are read to their end.
    """
    if is_packed(first) or is_packed(second):
        return False
    first, second = cast("Tensor", first), cast("Tensor", second)
    if first.shape != second.shape or not first.shape:
        return False
    step = max(1, _PIECE // max(1, math.prod(first.shape[1:])))
    for start in range(0, first.shape[0], step):
        stop = min(start + step, first.shape[0])
        same = _equal(first.rows(start, stop), second.rows(start, stop))
        first.release(start, stop)
        second.release(start, stop)
        if not same:
            return False
    return True


def _equal(first: Array, second: Array) -> bool:
    if first.dtype != second.dtype:
        with np.errstate(over="ignore"):
            first, second = first.astype(np.float32), second.astype(np.float32)
    return np.array_equal(first, second)
