"""A Linear that GPTQ or AWQ packed.

The file is transposed: rows of the matrix are columns there, so that each call goes through the whole of
``qweight`` and takes a stripe of it. Callers ask for hundreds of rows at once, a page or so of each file row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.prequantized.layout import (
    awq_codes,
    gptq_codes,
    holds_fifteen,
    word_of_eights,
    zero_points,
)
from edgekit.checkpoint.prequantized.matrix import PADDING
from edgekit.checkpoint.prequantized.scales import Grouping, scale_misfit
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.units import MIB

_BLOCK_BYTES = 8 * MIB  # of the file that are mapped at once


@dataclass(frozen=True, kw_only=True)
class ColumnPacked:
    """A Linear packed by columns, a :class:`~edgekit.checkpoint.prequantized.matrix.PackedLinear`.

    The tensors' shapes are those of :mod:`~edgekit.checkpoint.prequantized.layout`: who makes one checks them.

    * ``method``: by which it was packed
    * ``less_one``: whether stored zero points are one less than they stand for
    * ``shape``: of the matrix ``[n, k]``, outputs first
    * ``grouping``: how many inputs share a scale, in the file and in EdgeKit
    * ``qweight``, ``qzeros``, ``scales``: the stored codes, zero points and scales
    """

    method: Literal["gptq", "awq"]
    less_one: bool
    shape: tuple[int, int]
    grouping: Grouping
    qweight: StoredTensor
    qzeros: StoredTensor
    scales: StoredTensor

    @property
    def nbytes(self) -> int:
        return self.qweight.nbytes + self.qzeros.nbytes + self.scales.nbytes

    def holds_nonfinite_scale(self) -> bool:
        return not np.isfinite(_all(self.scales)).all()

    def misfit(self) -> str:
        """Read zero points and scales, 1/26 of the bytes at a group of 128."""
        if (_all(self.qzeros) != word_of_eights(self.less_one)).any():
            return "zero points other than 8"
        return scale_misfit(_all(self.scales))

    def holds_doubtful_zero(self) -> bool:
        """Tell whether a stored zero point is one that tools add one to in different ways."""
        return self.less_one and holds_fifteen(_all(self.qzeros))

    def codes(self, start: int, stop: int, release: bool) -> Array:
        n, k = stop - start, self.shape[1]
        codes = np.empty((n, self.grouping.count * self.grouping.group // 2), np.uint8)
        codes[:, k // 2 :] = PADDING
        for first, last in self._blocks():
            stripe = self.qweight.rows(first, last)
            if self.method == "gptq":
                codes[:, 4 * first : 4 * last] = gptq_codes(stripe[:, start:stop])
            else:
                words = slice(start // 8, -(-stop // 8))
                inner = slice(start % 8, start % 8 + n)
                codes[:, first // 2 : last // 2] = awq_codes(stripe[:, words])[inner]
            if release:
                self.qweight.release(first, last)
        return codes

    def zeros_of(self, start: int, stop: int) -> Array:
        words = _all(self.qzeros)[:, start // 8 : -(-stop // 8)]
        zeros = zero_points(words, self.method, self.less_one)
        return self.grouping.spread(zeros[start % 8 : start % 8 + stop - start])

    def scales_of(self, start: int, stop: int) -> Array:
        return self.grouping.spread(_all(self.scales)[:, start:stop].T)

    def release(self) -> None:
        for tensor in (self.qweight, self.qzeros, self.scales):
            tensor.release(0, tensor.shape[0])

    def _blocks(self) -> Iterator[tuple[int, int]]:
        count = self.qweight.shape[0]
        step = max(2, _BLOCK_BYTES // self.qweight.row_bytes // 2 * 2)  # AWQ's rows go by pairs
        for first in range(0, count, step):
            yield first, min(first + step, count)


def _all(tensor: StoredTensor) -> Array:
    return tensor.rows(0, tensor.shape[0])
