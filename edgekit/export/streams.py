"""Fills: how a checkpoint's tensors become a graph's bytes, a few megabytes at a time.

Each function returns a :data:`~edgekit.export.graph.Fill` that reads ``parts`` (tensors by name) one
after the other, so several matrices of a checkpoint lie in the graph as one, row below row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from edgekit.checkpoint.packed import Array, PackedTensor, Tensor
from edgekit.errors import CheckpointError
from edgekit.export.graph import Fill, Put
from edgekit.units import MIB

RANGE_BYTES = 16 * MIB  # what one step holds, counted as float32: a quantizer computes in it
_EXPONENT: dict[str, tuple[type[np.unsignedinteger], int]] = {  # all ones in NaN and infinity only
    "float16": (np.uint16, 0x7C00),
    "bfloat16": (np.uint16, 0x7F80),
    "float32": (np.uint32, 0x7F800000),
    "float64": (np.uint64, 0x7FF0000000000000),
}


def row_ranges(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows of a tensor that hold about :data:`RANGE_BYTES` each, at least one row."""
    width = int(np.prod(shape[1:], dtype=np.int64))
    step = max(1, RANGE_BYTES // (4 * max(1, width)))
    for start in range(0, shape[0], step):
        yield start, min(start + step, shape[0])


def plain(target: str, parts: Mapping[str, Tensor], dtype: np.dtype[np.floating]) -> Fill:
    """Read rows as they are, converted to ``dtype``; raises :class:`CheckpointError` as :func:`convert` does."""

    def fill(put: Put) -> None:
        offset = 0
        for name, tensor in parts.items():
            for start, stop in row_ranges(tensor.shape):
                block = convert(tensor.rows(start, stop), dtype, name)
                put(target, offset, block)
                tensor.release(start, stop)
                offset += block.nbytes

    return fill


def packed(codes: str, scales: str, parts: Mapping[str, PackedTensor], dtype: np.dtype[np.floating]) -> Fill:
    """Read int4 codes as :mod:`edgekit.checkpoint.packed` stores them, int8 codes too; scales in ``dtype``."""

    def fill(put: Put) -> None:
        at_codes = at_scales = 0
        for tensor in parts.values():
            for start, stop in row_ranges(tensor.shape):
                rows = tensor.packed_rows(start, stop)
                row_scales = rows.scales.astype(dtype)
                put(codes, at_codes, rows.codes)
                put(scales, at_scales, row_scales)
                at_codes, at_scales = at_codes + rows.codes.nbytes, at_scales + row_scales.nbytes

    return fill


def int8_unsigned(codes: str, scales: str, parts: Mapping[str, PackedTensor], dtype: np.dtype[np.floating]) -> Fill:
    """Read int8 codes + 128 as uint8 ``[n, k]``, one scale a row."""
    signed = packed(codes, scales, parts, dtype)

    def fill(put: Put) -> None:
        def shifted(name: str, offset: int, array: Array) -> None:
            put(name, offset, array.view(np.uint8) ^ np.uint8(0x80) if name == codes else array)

        signed(shifted)

    return fill


def int8_columns(codes: str, scales: str, parts: Mapping[str, PackedTensor], dtype: np.dtype[np.floating]) -> Fill:
    """Read int8 codes transposed to ``[k, n]``, one scale a column.

    It holds a whole matrix, since each of its rows is spread over all of the result: vision towers and
    projectors only, whose matrices are of a few megabytes.
    """

    def fill(put: Put) -> None:
        rows = [tensor.packed_rows(0, tensor.shape[0]) for tensor in parts.values()]
        put(codes, 0, np.ascontiguousarray(np.concatenate([part.codes for part in rows]).T))
        put(scales, 0, np.concatenate([part.scales[:, 0] for part in rows]).astype(dtype))

    return fill


def convert(array: Array, dtype: np.dtype[np.floating], name: str) -> npt.NDArray[np.floating]:
    """Convert ``array`` to ``dtype``; :class:`CheckpointError` where it holds NaN or infinity, or overflows."""
    if not _finite(array):
        raise CheckpointError(
            f"'{name}' holds NaN or infinity", "The file is damaged or its training diverged: get the checkpoint anew."
        )
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore", under="ignore"):
        converted = array.astype(dtype)
    if not _finite(converted):
        raise CheckpointError(
            f"'{name}' holds a value that {dtype.name} can't represent (largest: {_largest(array):.3g})",
            "Build with a recipe that keeps this part in fp32, or quantizes it.",
        )
    return converted


def _finite(array: Array) -> bool:
    """Whether every element is finite: comparing exponents is several times faster than ``isfinite``."""
    unsigned, exponent = _EXPONENT[array.dtype.name]
    bits = np.ascontiguousarray(array).view(unsigned) & unsigned(exponent)
    return bits.size == 0 or int(bits.max()) < exponent


def _largest(array: Array) -> float:
    return float(np.abs(array.astype(np.float32)).max())
