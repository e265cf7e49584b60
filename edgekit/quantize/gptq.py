"""GPTQ: inputs are rounded one after another, and those still to come make up for each one's error.

Source: Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers" (2022). With
U the upper Cholesky factor of H⁻¹, rounding input j with error e changes the later ones by -e / U[j, j] · U[j, later].
The changes within a stretch of inputs are made at once, those of all later ones together, once each.
"""

from __future__ import annotations

import numpy as np

from edgekit.checkpoint.packed import Bits, groups
from edgekit.quantize.floats import Float32
from edgekit.quantize.grid import best_scales, codes

DAMPING = 0.01
"""Of the mean of H's diagonal, added to it: inputs that never showed themselves would make it singular."""
_PANEL = 512
_STRETCH = 128


def gptq(weights: Float32, factor: Float32, group: int, bits: Bits = 4) -> tuple[Float32, Float32, Float32]:
    """Return codes (as float32 ``[n, k]``) and scales ``[n, groups]`` of ``weights`` ``[n, k]``, and what is lost
    ``[n]``: diag(E H Eᵀ), the squared errors of each output summed over all that was seen.

    ``factor`` is :func:`inverse_factor` of the sum of x xᵀ over the inputs that were seen, ``[k, k]``. A group's scales
    are chosen when its turn comes, by what its weights have become.
    """
    rest = np.ascontiguousarray(weights.T)  # an input's weights side by side
    k, n = rest.shape
    chosen, scales = np.empty_like(rest), np.empty((n, groups(k, group)), np.float32)
    lost = np.zeros(n, np.float32)
    importance = np.diag(factor).astype(np.float32) ** -2
    for start in range(0, k, min(group, _STRETCH)):
        stop = min(start + min(group, _STRETCH), k)
        if start % group == 0:
            whole = slice(start, start + group)
            scale = best_scales(rest[whole].T, importance[whole], bits)
            scales[:, start // group] = scale
        errors = np.empty((stop - start, n), np.float32)
        for j in range(start, stop):
            chosen[j] = codes(rest[j], scale, bits)
            error = (rest[j] - chosen[j] * scale) / factor[j, j]
            rest[j + 1 : stop] -= factor[j, j + 1 : stop, None] * error
            errors[j - start] = error
        lost += np.square(errors).sum(axis=0)
        rest[stop:] -= factor[start:stop, stop:].T @ errors
    return np.ascontiguousarray(chosen.T), scales, lost


def inverse_factor(second_moments: Float32) -> Float32:
    """Return U, upper triangular, with UᵀU = H⁻¹, of H damped; an input that was never seen stands alone.

    In place: ``second_moments`` is gone afterwards, since a 7B model's largest takes 0.8 GiB.
    """
    place = np.arange(len(second_moments))
    diagonal = second_moments[place, place]
    mean = np.float32(float(diagonal.mean()) or 1.0)
    second_moments[place, place] = np.where(diagonal > 0, diagonal, mean) + np.float32(DAMPING) * mean
    # Of H with its order reversed, the inverse of the lower Cholesky factor is U reversed.
    backwards = second_moments[::-1, ::-1]
    _cholesky(backwards)
    _invert(backwards)
    return second_moments


def _cholesky(a: Float32) -> None:
    """The lower factor in place of a symmetric matrix; what lies above the diagonal stays."""
    for start in range(0, len(a), _PANEL):
        stop = start + _PANEL
        corner = np.linalg.cholesky(a[start:stop, start:stop])
        a[start:stop, start:stop] = corner
        a[stop:, start:stop] = np.linalg.solve(corner, a[stop:, start:stop].T).T
        for left in range(stop, len(a), _PANEL):
            a[left:, left : left + _PANEL] -= a[left:, start:stop] @ a[left : left + _PANEL, start:stop].T


def _invert(a: Float32) -> None:
    """The inverse in place of a lower triangular matrix; zeros above the diagonal."""
    for start in range((len(a) - 1) // _PANEL * _PANEL, -1, -_PANEL):
        stop = start + _PANEL
        corner = np.tril(np.linalg.inv(np.tril(a[start:stop, start:stop])))
        a[start:stop, start:stop] = corner
        a[start:stop, stop:] = 0
        a[stop:, start:stop] = -(a[stop:, stop:] @ (a[stop:, start:stop] @ corner))
