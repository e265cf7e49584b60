"""What quantizing did to each Linear: bytes, bits per weight, relative error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal, cast

import numpy as np

from edgekit.blocks.model import read
from edgekit.checkpoint.checkpoint import Checkpoint, Weight, component, is_matrix
from edgekit.checkpoint.packed import Tensor, groups, is_packed

_ROWS, _PLACES = 32, 8
"""Rows that are looked at: a matrix's are alike, and a build is not to read all of a model once more."""


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A matrix as it is stored. ``bits`` of a code (16 or 32: not quantized), ``group``: inputs per scale (0: none).

    ``error``: relative, of its ``of``: "outputs" over what a calibration read, ||X (W - Ŵ)ᵀ|| / ||X Wᵀ||, or "weights",
    ||W - Ŵ|| / ||W|| over some rows.
    """

    name: str
    bits: int
    group: int
    bytes: int
    error: float
    of: Literal["outputs", "weights"]


@dataclass(frozen=True)
class ComponentWeights:
    """All matrices of a component: bytes with scales, how many weights, and bits for each."""

    name: str
    bytes: int
    weights: int

    @property
    def bits_per_weight(self) -> float:
        return 8 * self.bytes / self.weights


def linears(source: Checkpoint, quantized: Checkpoint, errors: Mapping[str, float]) -> tuple[Linear, ...]:
    """List every matrix of ``quantized`` beside the one that it was; ``errors`` of outputs, where a calibration has
    them."""
    return tuple(_linears(source, quantized, errors))


def _linears(source: Checkpoint, quantized: Checkpoint, errors: Mapping[str, float]) -> Iterator[Linear]:
    for name, weight in quantized.tensors.items():
        if not is_matrix(name):
            continue
        bits, group, size = _form(weight)
        of: Literal["outputs", "weights"]
        if name in errors:
            error, of = errors[name], "outputs"
        else:
            error, of = weight_error(source.tensors[name], weight), "weights"
        yield Linear(name=name, bits=bits, group=group, bytes=size, error=error, of=of)


def _form(weight: Weight) -> tuple[int, int, int]:
    if not is_packed(weight):
        width = cast("Tensor", weight).dtype.itemsize
        return 8 * width, 0, width * prod(weight.shape)
    n, k = weight.shape
    count = groups(k, weight.group)
    return weight.bits, weight.group, n * (count * weight.group // 2 if weight.bits == 4 else k) + 2 * n * count


def weight_error(original: Weight, stored: Weight) -> float:
    """Return ||W - Ŵ|| / ||W|| over rows from all over; 0 where nothing was changed."""
    if stored is original:
        return 0.0
    rows, lost, whole = original.shape[0], 0.0, 0.0
    for start in np.linspace(0, max(0, rows - _ROWS), _PLACES).astype(int).tolist():
        values, others = (read(weight, start, min(rows, start + _ROWS)) for weight in (original, stored))
        lost += float(np.square(values - others).sum(dtype=np.float64))
        whole += float(np.square(values).sum(dtype=np.float64))
    return float(np.sqrt(lost / whole)) if whole else 0.0


def parts(matrices: tuple[Linear, ...], checkpoint: Checkpoint) -> tuple[ComponentWeights, ...]:
    """List the components, in the order in which their first matrices come."""
    sums: dict[str, ComponentWeights] = {}
    for matrix in matrices:
        name, weights = component(matrix.name), prod(checkpoint.tensors[matrix.name].shape)
        before = sums.get(name, ComponentWeights(name, 0, 0))
        sums[name] = ComponentWeights(name, before.bytes + matrix.bytes, before.weights + weights)
    return tuple(sums.values())
