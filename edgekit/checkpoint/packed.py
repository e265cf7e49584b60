"""A quantized matrix as every stage knows it, and the protocol by which weights are streamed.

Codes are signed and symmetric: ``weight[n, k] = code[n, k] * scale[n, k // group]``.

* int4: two codes a byte, the earlier one in the low nibble, stored as ``code + 8`` (0…15); rows are
  padded with zeros (nibble 8) to a whole number of groups. This is the layout of ONNX Runtime's
  MatMulNBits without a zero point, and shifted by 8 it is ONNX's INT4.
* int8: plain int8 codes, one scale per row.

Scales are positive and exactly representable in fp16, so that a graph with fp16 or fp32 activations
holds the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Bits = Literal[4, 8]


class Tensor(Protocol):
    """A plain tensor that is read by rows, in its stored dtype (float16, bfloat16 or float32)."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def rows(self, start: int, stop: int) -> Array:
        """Return rows start…stop of the first axis: a view of mapped memory where the tensor lies in a file."""
        ...

    def release(self, start: int, stop: int) -> None:
        """Let go of rows start…stop, which have been read and are not needed soon: their pages may go.

        Nothing is lost (a later ``rows`` reads them again); it keeps a pass over a checkpoint that is
        larger than memory from piling up resident pages. Call it behind the reader, as often as once a
        range; tensors that are not mapped do nothing.
        """
        ...


@dataclass(frozen=True)
class PackedWeight:
    """Rows of a quantized matrix ``[n, k]``.

    ``codes``: int4 uint8 ``[n, groups * group // 2]``, int8 int8 ``[n, k]``.
    ``scales``: float16 ``[n, groups]`` (int8: ``[n, 1]``).
    """

    bits: Bits
    group: int
    k: int
    codes: Array
    scales: Array

    @property
    def nbytes(self) -> int:
        return int(self.codes.nbytes + self.scales.nbytes)

    def dequantize(self) -> npt.NDArray[np.float32]:
        """Return the matrix that the codes stand for, float32 ``[n, k]``."""
        scales = self.scales.astype(np.float32)
        if self.bits == 8:
            return self.codes.astype(np.float32) * scales
        nibbles = np.stack([self.codes & 0x0F, self.codes >> 4], axis=-1).reshape(len(self.codes), -1)
        values = nibbles.astype(np.float32) - 8.0
        return (values.reshape(len(values), -1, self.group) * scales[:, :, None]).reshape(values.shape)[:, : self.k]


class PackedTensor(Protocol):
    """A quantized matrix ``[n, k]`` that is read by rows: packed on the way, or stored packed."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def bits(self) -> Bits: ...
    @property
    def group(self) -> int:
        """Elements per scale along ``k``; for int8, ``k`` itself."""
        ...

    def packed_rows(self, start: int, stop: int) -> PackedWeight: ...


def is_packed(weight: Tensor | PackedTensor) -> TypeGuard[PackedTensor]:
    """Tell whether a checkpoint's weight is quantized."""
    return hasattr(weight, "packed_rows")


def int8_block(k: int, activation_bytes: int) -> int:
    """Return how many elements of a row of ``k`` MatMulNBits takes as one block of int8.

    A row has one scale, so any width is right: 256 decodes a tenth faster than 128 on the CPU; CUDA's kernels, which
    have 16-bit activations, end at 128.
    """
    if activation_bytes == 4 and k % 256 == 0:
        return 256
    return min(128, max(16, 1 << (k - 1).bit_length()))


def groups(k: int, group: int) -> int:
    """Return how many scales a row of ``k`` elements has."""
    return -(-k // group)
