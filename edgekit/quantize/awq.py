"""AWQ: inputs that carry much are scaled up before rounding, and what makes them is scaled down as much.

Source: Lin et al., "AWQ: Activation-aware Weight Quantization" (2023). Of s = |x|^α / |w|^(1-α) or |x|^α, the α that
loses least is taken, the loss being measured by the inputs' second moments (:func:`loss`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edgekit.quantize.floats import Float32
from edgekit.quantize.grid import rounded, scales_of

Places: TypeAlias = npt.NDArray[np.int64]
ALPHAS = tuple(float(alpha) for alpha in np.linspace(0.0, 1.0, 11))
_WORK = 2e10
"""Multiplications for one look."""


@dataclass(frozen=True)
class Inputs:
    """What the Linears that read one thing have seen, weighed by how much a token counts: the mean of |x| ``[k]``, and
    H, the sum of x xᵀ ``[k, k]``, in ``matrix``; or, where ``inverse``, U with UᵀU = H⁻¹, by which GPTQ rounds."""

    matrix: Float32
    mean_abs: Float32
    inverse: bool = False

    def scaled(self, scales: Float32) -> Inputs:
        """Return the same of inputs that are divided by ``scales`` ``[k]``; the matrix is changed in place."""
        if self.inverse:
            self.matrix[:] *= scales
        else:
            self.matrix[:] /= scales
            self.matrix[:] /= scales[:, None]
        return replace(self, mean_abs=self.mean_abs / scales)


def loss(weights: Float32, stand_ins: Float32, inputs: Inputs, rows: Float32 | None = None) -> float:
    """Return how far outputs are from those of ``weights``, squared, summed over all that was seen: tr(E H Eᵀ) of
    errors E.

    Where GPTQ is to round, later inputs make up for an error as far as H lets them: of input j's, its square by
    1 / U[j, j]² is left. ``rows`` multiply outputs. Of large matrices every second, third, … row is looked at, which
    tells as much.
    """
    step = max(1, round(len(weights) * float(weights.shape[1]) ** 2 / _WORK))
    errors = (weights - stand_ins)[::step]
    if rows is not None:
        errors = errors * rows[::step, None]
    weighed = errors / np.square(np.diag(inputs.matrix)) if inputs.inverse else errors @ inputs.matrix
    return float(np.einsum("nk,nk->", weighed, errors, dtype=np.float64)) * len(weights) / len(errors)


def search(matrices: Sequence[Float32], inputs: Inputs, group: int, source: Places | None = None) -> Float32:
    """Search scales for what makes the inputs of ``matrices`` ``[n, k]``: all ones where nothing is better.

    ``source`` ``[k]``: which maker an input comes from (grouped queries: several heads from one); else each has its
    own. An input's scale is its maker's, ``scales[source]``, multiplied into its column.
    """
    k = matrices[0].shape[1]
    source = np.arange(k) if source is None else source
    step = max(1, round(sum(len(matrix) for matrix in matrices) * float(k) ** 2 / _WORK))
    looked = np.concatenate([matrix[::step] for matrix in matrices])
    strong = _by_maker(np.add, inputs.mean_abs, source) / np.bincount(source)
    wide = _by_maker(np.maximum, np.abs(looked).max(axis=0), source)
    best, least = np.ones(len(strong), np.float32), np.inf
    for balanced in (False, True):
        for alpha in ALPHAS[1:] if balanced else ALPHAS:
            scales = _centred(strong**alpha / (wide ** (1 - alpha) if balanced else 1))
            lost = loss(looked, rounded_with(looked, scales[source], group), inputs)
            if lost < least:
                best, least = scales, lost
    return best


def _by_maker(combine: np.ufunc, values: Float32, source: Places) -> Float32:
    combined = np.zeros(int(source.max()) + 1, np.float32)
    combine.at(combined, source, values)
    combined += np.float32(1e-8)
    return combined


def rounded_with(weights: Float32, scales: Float32, group: int) -> Float32:
    """Return what ``weights`` become when their columns are scaled, rounded, and scaled back."""
    scaled = weights * scales
    stand_ins: Float32 = rounded(scaled, scales_of(scaled, group), group) / scales
    return stand_ins


def _centred(scales: Float32) -> Float32:
    """Around 1, and not so far from it that a float16 norm could not hold its share."""
    scales = scales / np.sqrt(scales.max() * scales.min())
    return np.clip(scales, 1e-2, 1e2).astype(np.float32)
