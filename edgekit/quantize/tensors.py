"""What a quantized checkpoint's tensors are: views that read the original's rows and convert them.

Nothing is kept: each call reads rows from the mapped file, converts them in blocks that fit a core's
cache, and gives the pages back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.checkpoint.packed import Array, Bits, PackedWeight, Tensor, groups
from edgekit.errors import CheckpointError
from edgekit.quantize import rtn
from edgekit.quantize.floats import LARGEST_FLOAT16, Unfit, extremes, require, widen

_BLOCK = 256 * 1024  # elements: 1 MiB in float32, what a core's second-level cache holds


@dataclass(frozen=True)
class RoundedTensor:
    """A :class:`~edgekit.checkpoint.packed.PackedTensor` that rounds a plain matrix to nearest, as it is read."""

    name: str
    source: Tensor
    bits: Bits
    group: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape

    def packed_rows(self, start: int, stop: int) -> PackedWeight:
        """Read rows start…stop, packed; :class:`CheckpointError` where they hold NaN, infinity or too large a
        number."""
        n, k = stop - start, self.shape[1]
        count = groups(k, self.group)
        codes: Array = np.empty((n, count * self.group // 2), np.uint8) if self.bits == 4 else np.empty((n, k), np.int8)
        scales = np.empty((n, count), np.float16)
        for first, last in _blocks(self.source, start, stop):
            place = slice(first - start, last - start)
            raw = self.source.rows(first, last)
            try:
                codes[place], scales[place] = rtn.int4(raw, self.group) if self.bits == 4 else rtn.int8(raw)
            except Unfit as unfit:
                raise _refusal(self.name, first, unfit, f"int{self.bits} with a float16 scale") from None
            self.source.release(start, last)
        return PackedWeight(self.bits, self.group, k, codes, scales)


@dataclass(frozen=True)
class CastTensor:
    """A plain tensor in ``dtype`` (float16 or float32), converted as it is read."""

    name: str
    source: Tensor
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.source.shape

    def rows(self, start: int, stop: int) -> Array:
        """Read rows start…stop; :class:`CheckpointError` where they hold NaN, infinity or too large a number."""
        if self.source.dtype == self.dtype:
            raw = self.source.rows(start, stop)
            self._check(raw, start)
            return raw
        result = np.empty((stop - start, *self.shape[1:]), self.dtype)
        for first, last in _blocks(self.source, start, stop):
            raw = self.source.rows(first, last)
            self._check(raw, first)
            result[first - start : last - start] = widen(raw)
            self.source.release(start, last)
        return result

    def release(self, start: int, stop: int) -> None:
        self.source.release(start, stop)

    def _check(self, raw: Array, start: int) -> None:
        limit = LARGEST_FLOAT16 if self.dtype == np.float16 else np.finfo(np.float32).max
        high, low = extremes(raw.reshape(len(raw), -1), axis=-1)
        try:
            require(high, low, np.maximum(high, low) <= limit)
        except Unfit as unfit:
            raise _refusal(self.name, start, unfit, str(self.dtype)) from None


def _blocks(source: Tensor, start: int, stop: int) -> Iterator[tuple[int, int]]:
    row = int(np.prod(source.shape[1:], dtype=np.int64))
    step = max(1, _BLOCK // max(1, row))
    for first in range(start, stop, step):  # release() is told all rows so far: their edge pages go, too
        yield first, min(first + step, stop)


def _refusal(name: str, start: int, unfit: Unfit, kind: str) -> CheckpointError:
    message = f"{name}: row {start + unfit.row} holds {unfit.value:g}"
    if np.isfinite(unfit.value):
        return CheckpointError(f"{message}, too large for {kind}", "Choose a recipe that keeps this part in fp32.")
    return CheckpointError(message, "The checkpoint is damaged, or its training diverged: get it again.")
