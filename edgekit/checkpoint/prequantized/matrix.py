"""A Linear that GPTQ or AWQ packed, and the two forms in which EdgeKit takes it: kept as it is, or unpacked.

The file is transposed: rows of the matrix are columns there, so that each call goes through the whole of
``qweight`` and takes a stripe of it. Callers ask for hundreds of rows at once, a page or so of each file row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.checkpoint.packed import Array, Bits, PackedWeight, groups
from edgekit.checkpoint.prequantized.layout import awq_codes, gptq_codes, word_of_eights, zero_points
from edgekit.checkpoint.prequantized.scheme import Scheme
from edgekit.checkpoint.safetensors import StoredTensor
from edgekit.units import MIB

_BLOCK_BYTES = 8 * MIB  # of the file that are mapped at once
_PADDING = 0x88  # two codes of zero
_INFINITY = 0x7C00  # of float16: this exponent and above is infinite or NaN
_ANY_SCALE = np.float16(2.0**-14)  # of a group whose weights are all zero, as in edgekit.quantize.rtn


@dataclass(frozen=True)
class PackedLinear:
    """What lies in the file under one name; ``[n, k]`` is the shape of the matrix, outputs first.

    The tensors' shapes are those of :mod:`~edgekit.checkpoint.prequantized.layout`: who makes one checks them.
    """

    scheme: Scheme
    shape: tuple[int, int]
    qweight: StoredTensor
    qzeros: StoredTensor
    scales: StoredTensor

    @property
    def group_count(self) -> int:
        return groups(self.shape[1], self.scheme.group)

    @property
    def nbytes(self) -> int:
        return self.qweight.nbytes + self.qzeros.nbytes + self.scales.nbytes

    def holds_nonfinite_scale(self) -> bool:
        bits = self._all(self.scales).view(np.uint16)
        return bool(((bits & 0x7FFF) >= _INFINITY).any())

    def misfit(self) -> str:
        """Why codes and scales can't be kept in EdgeKit's symmetric int4; "" where they can.

        Reads zero points and scales, 1/26 of the bytes at a group of 128. A negative scale can't be turned
        around: its code -8 would become 8.
        """
        if (self._all(self.qzeros) != word_of_eights(self.scheme.zero_shift)).any():
            return "zero points other than 8"
        if (self._all(self.scales).view(np.uint16) > 0x8000).any():  # 0x8000 itself is -0
            return "negative scales"
        return ""

    def codes(self, start: int, stop: int, release: bool) -> Array:
        """Rows start…stop, packed as EdgeKit does, uint8 ``[n, groups · group / 2]``.

        With ``release``, pages of the file are given back as soon as they have been read.
        """
        n, k = stop - start, self.shape[1]
        codes = np.empty((n, self.group_count * self.scheme.group // 2), np.uint8)
        codes[:, k // 2 :] = _PADDING
        for first, last in self._blocks():
            stripe = self.qweight.rows(first, last)
            if self.scheme.method == "gptq":
                codes[:, 4 * first : 4 * last] = gptq_codes(stripe[:, start:stop])
            else:
                words = slice(start // 8, -(-stop // 8))
                inner = slice(start % 8, start % 8 + n)
                codes[:, first // 2 : last // 2] = awq_codes(stripe[:, words])[inner]
            if release:
                self.qweight.release(first, last)
        return codes

    def zeros_of(self, start: int, stop: int) -> Array:
        """Zero points of rows start…stop, uint8 ``[n, groups]``."""
        words = self.qzeros.rows(0, self.group_count)[:, start // 8 : -(-stop // 8)]
        zeros: Array = zero_points(words, self.scheme.method, self.scheme.zero_shift)
        return zeros[start % 8 : start % 8 + stop - start]

    def scales_of(self, start: int, stop: int) -> Array:
        """Scales of rows start…stop, float16 ``[n, groups]``, a copy."""
        scales: Array = self.scales.rows(0, self.group_count)[:, start:stop].T.copy()
        return scales

    def release(self) -> None:
        """Give all pages back."""
        for tensor in (self.qweight, self.qzeros, self.scales):
            tensor.release(0, tensor.shape[0])

    def _all(self, tensor: StoredTensor) -> Array:
        return tensor.rows(0, tensor.shape[0])

    def _blocks(self) -> Iterator[tuple[int, int]]:
        count = self.qweight.shape[0]
        step = max(2, _BLOCK_BYTES // self.qweight.row_bytes // 2 * 2)  # AWQ's rows go by pairs
        for first in range(0, count, step):
            yield first, min(first + step, count)


@dataclass(frozen=True)
class KeptMatrix:
    """A symmetric one, codes and scales as they are; satisfies :class:`~edgekit.checkpoint.packed.PackedTensor`."""

    stored: PackedLinear

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def bits(self) -> Bits:
        return 4

    @property
    def group(self) -> int:
        return self.stored.scheme.group

    def packed_rows(self, start: int, stop: int) -> PackedWeight:
        codes, scales = self.stored.codes(start, stop, release=True), self.stored.scales_of(start, stop)
        if (nothing := scales == 0).any():  # such weights are zero, which codes of zero say with any scale
            codes.reshape(*scales.shape, self.group // 2)[nothing] = _PADDING
            scales[nothing] = _ANY_SCALE
        if stop == self.shape[0]:
            self.stored.release()
        return PackedWeight(self.bits, self.group, self.shape[1], codes, scales)


@dataclass(frozen=True)
class UnpackedMatrix:
    """An asymmetric one as the numbers that it stands for; satisfies :class:`~edgekit.checkpoint.packed.Tensor`.

    float32 holds them exactly: a code less its zero has five bits, a scale eleven.
    """

    stored: PackedLinear

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def rows(self, start: int, stop: int) -> Array:
        codes = self.stored.codes(start, stop, release=False)
        zeros, scales = self.stored.zeros_of(start, stop), self.stored.scales_of(start, stop)
        nibbles = np.stack([codes & 0x0F, codes >> 4], axis=-1).reshape(*scales.shape, self.stored.scheme.group)
        values = nibbles.astype(np.float32)
        values -= zeros[:, :, None]
        values *= scales.astype(np.float32)[:, :, None]
        flat: Array = values.reshape(stop - start, 2 * codes.shape[1])[:, : self.shape[1]]
        return np.ascontiguousarray(flat)

    def release(self, start: int, stop: int) -> None:
        """Each row lies all over the file: pages go with the last one."""
        if stop == self.shape[0]:
            self.stored.release()
