"""A Linear that another tool packed, and the two forms in which EdgeKit takes it: kept as it is, or unpacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from edgekit.checkpoint.packed import Array, Bits, PackedWeight
from edgekit.checkpoint.prequantized.scales import Grouping, positive

PADDING = 0x88  # two codes of zero


class PackedLinear(Protocol):
    """A packed Linear is a matrix ``[n, k]`` of the file, outputs first, with one zero and scale per group."""

    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def grouping(self) -> Grouping: ...
    @property
    def nbytes(self) -> int: ...
    def holds_nonfinite_scale(self) -> bool: ...
    def misfit(self) -> str:
        """Return why codes and scales can't be kept in EdgeKit's symmetric int4; "" where they can."""
        ...

    def codes(self, start: int, stop: int, release: bool) -> Array:
        """Return rows start…stop, packed as EdgeKit does, uint8 ``[rows, groups · group / 2]``, to be kept.

        With ``release``, pages of the file are given back as soon as they have been read.
        """
        ...

    def zeros_of(self, start: int, stop: int) -> Array:
        """Return zero points of rows start…stop, uint8 ``[rows, groups]``."""
        ...

    def scales_of(self, start: int, stop: int) -> Array:
        """Return scales of rows start…stop in their own dtype, ``[rows, groups]``, a copy."""
        ...

    def release(self) -> None:
        """Give all pages back."""
        ...


@dataclass(frozen=True)
class KeptMatrix:
    """A kept matrix has its codes and scales as they are; a :class:`~edgekit.checkpoint.packed.PackedTensor`."""

    stored: PackedLinear

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def bits(self) -> Bits:
        return 4

    @property
    def group(self) -> int:
        return self.stored.grouping.group

    def packed_rows(self, start: int, stop: int) -> PackedWeight:
        codes = self.stored.codes(start, stop, release=True)
        scales, nothing = positive(self.stored.scales_of(start, stop))
        if nothing.any():
            codes.reshape(*scales.shape, self.group // 2)[nothing] = PADDING
        if stop == self.shape[0]:
            self.stored.release()
        return PackedWeight(self.bits, self.group, self.shape[1], codes, scales)


@dataclass(frozen=True)
class UnpackedMatrix:
    """An unpacked matrix is the numbers that it stands for; a :class:`~edgekit.checkpoint.packed.Tensor`.

    float32 holds them exactly where scales have 16 bits: a code less its zero has five bits, a scale eleven at most.
    ``misfit`` says why it doesn't fit.
    """

    stored: PackedLinear
    misfit: str

    @property
    def kind(self) -> str:
        """What tells it from EdgeKit's own int4."""
        return "wide scales" if self.misfit.startswith("scales") else "asymmetric"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    def rows(self, start: int, stop: int) -> Array:
        codes = self.stored.codes(start, stop, release=False)
        zeros, scales = self.stored.zeros_of(start, stop), self.stored.scales_of(start, stop)
        nibbles = np.stack([codes & 0x0F, codes >> 4], axis=-1).reshape(*scales.shape, self.stored.grouping.group)
        values = nibbles.astype(np.float32)
        values -= zeros[:, :, None]
        values *= scales.astype(np.float32)[:, :, None]
        flat: Array = values.reshape(stop - start, 2 * codes.shape[1])[:, : self.shape[1]]
        return np.ascontiguousarray(flat)

    def release(self, start: int, stop: int) -> None:
        """Let go of the pages: GPTQ's and AWQ's rows lie all over the file, so they go with the last one."""
        if stop == self.shape[0]:
            self.stored.release()
