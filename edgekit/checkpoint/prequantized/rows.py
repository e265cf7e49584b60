"""A Linear that compressed-tensors packed: rows of the matrix are rows of the file, in EdgeKit's own layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.prequantized.layout import row_zero_points
from edgekit.checkpoint.prequantized.matrix import PADDING
from edgekit.checkpoint.prequantized.scales import Grouping, scale_misfit
from edgekit.checkpoint.safetensors import StoredTensor


@dataclass(frozen=True)
class RowPacked:
    """A Linear packed by rows, a :class:`~edgekit.checkpoint.prequantized.matrix.PackedLinear`.

    ``zeros`` is None where all are 8.
    """

    shape: tuple[int, int]
    grouping: Grouping
    packed: StoredTensor
    scales: StoredTensor
    zeros: StoredTensor | None

    @property
    def nbytes(self) -> int:
        return self.packed.nbytes + self.scales.nbytes + (self.zeros.nbytes if self.zeros else 0)

    def holds_nonfinite_scale(self) -> bool:
        return not np.isfinite(self.scales.rows(0, self.shape[0])).all()

    def misfit(self) -> str:
        if (self.zeros_of(0, self.shape[0]) != 8).any():
            return "zero points other than 8"
        return scale_misfit(self.scales.rows(0, self.shape[0]))

    def codes(self, start: int, stop: int, release: bool) -> Array:
        n, k = stop - start, self.shape[1]
        codes = np.empty((n, self.grouping.count * self.grouping.group // 2), np.uint8)
        codes[:, k // 2 :] = PADDING
        stored = self.packed.rows(start, stop).view(np.uint8)
        codes[:, : k // 2] = stored[:, : k // 2]
        if k % 2:
            codes[:, k // 2] = (stored[:, k // 2] & 0x0F) | (PADDING & 0xF0)
        if release:
            self.packed.release(start, stop)
        return codes

    def zeros_of(self, start: int, stop: int) -> Array:
        if self.zeros is None:
            return np.full((stop - start, self.grouping.count), 8, np.uint8)
        first = start // 8
        words = self.zeros.rows(first, -(-stop // 8))
        return self.grouping.spread(row_zero_points(words, stop - 8 * first)[start - 8 * first :])

    def scales_of(self, start: int, stop: int) -> Array:
        return self.grouping.spread(self.scales.rows(start, stop))

    def release(self) -> None:
        for tensor in (self.packed, self.scales, self.zeros):
            if tensor is not None:
                tensor.release(0, tensor.shape[0])
