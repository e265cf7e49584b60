"""GPTQ in blocks against GPTQ column by column, and what correlated inputs gain by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.checkpoint.packed import Bits
from edgekit.quantize.gptq import DAMPING, gptq, inverse_factor
from edgekit.quantize.grid import best_scales, codes, rounded, scales_of

Floats = npt.NDArray[np.float32]


def correlated(k: int, seed: int = 0, tokens: int = 400) -> Floats:
    """Inputs that go together, some of them far larger than the others, as a model's are."""
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((tokens, k // 4)) @ rng.standard_normal((k // 4, k))
    mixed += 0.3 * rng.standard_normal((tokens, k))
    mixed[:, rng.choice(k, k // 16, replace=False)] *= 12
    return mixed.astype(np.float32)


def normal(n: int, k: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).standard_normal((n, k), dtype=np.float32)


def by_column(weights: Floats, h: npt.NDArray[np.float64], group: int, bits: Bits) -> tuple[Floats, Floats]:
    """The plain algorithm in float64: after each column, every later one is changed at once."""
    damped = h + DAMPING * np.diag(h).mean() * np.eye(len(h))
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    rest = weights.astype(np.float64)
    chosen, scales = np.empty_like(rest), np.empty((len(rest), -(-len(h) // group)))
    for j in range(len(h)):
        if j % group == 0:
            place = slice(j, min(j + group, len(h)))
            scales[:, j // group] = best_scales(
                rest[:, place].astype(np.float32), (np.diag(factor)[place] ** -2.0).astype(np.float32), bits
            )
        scale = scales[:, j // group]
        chosen[:, j] = codes(rest[:, j].astype(np.float32), scale.astype(np.float32), bits)
        error = (rest[:, j] - chosen[:, j] * scale) / factor[j, j]
        rest[:, j + 1 :] -= np.outer(error, factor[j, j + 1 :])
    return chosen.astype(np.float32), scales.astype(np.float32)


@pytest.mark.parametrize(
    ("k", "group", "bits"), [(96, 32, 4), (128, 64, 4), (150, 64, 4), (300, 300, 8), (128, 128, 8)]
)
def test_in_blocks_is_column_by_column(k: int, group: int, bits: Bits) -> None:
    x, weights = correlated(k), normal(24, k)
    chosen, scales, _ = gptq(weights, inverse_factor(x.T @ x), group, bits)
    expected, expected_scales = by_column(weights, x.T.astype(np.float64) @ x, group, bits)
    assert (chosen == expected).mean() > (0.99 if bits == 4 else 0.97)  # a tie may fall the other way
    np.testing.assert_allclose(scales, expected_scales, rtol=2e-3)


@pytest.mark.parametrize("k", [40, 512, 700])  # less than a panel, one, and more
def test_the_factor_is_that_of_the_damped_inverse(k: int) -> None:
    x = correlated(k, tokens=3 * k)
    h = (x.T @ x).astype(np.float64)
    factor = inverse_factor(x.T @ x)
    damped = h + DAMPING * np.diag(h).mean() * np.eye(k)
    np.testing.assert_array_equal(factor, np.triu(factor))
    np.testing.assert_allclose(factor @ damped @ factor.T, np.eye(k), atol=2e-2)


def test_its_loss_is_the_outputs_squared_error() -> None:
    x, weights = correlated(96, tokens=2000), normal(16, 96)
    h = x.T @ x
    chosen, scales, lost = gptq(weights, inverse_factor(h.copy()), 32)
    errors = (weights - chosen * np.repeat(scales, 32, axis=1)).astype(np.float64)
    damped = h + DAMPING * np.diag(h).mean() * np.eye(96)
    np.testing.assert_allclose(lost, np.diag(errors @ damped @ errors.T), rtol=1e-3)


def test_an_input_that_was_never_seen_is_rounded_alone() -> None:
    x, weights = correlated(64), normal(8, 64)
    x[:, 7] = 0
    chosen, scales, _ = gptq(weights, inverse_factor(x.T @ x), 32)
    np.testing.assert_array_equal(chosen[:, 7], np.clip(chosen[:, 7], -8, 7))
    assert np.isfinite(scales).all()


@pytest.mark.parametrize("seed", range(5))
def test_correlated_inputs_lose_less_than_by_rounding_to_nearest(seed: int) -> None:
    x, weights = correlated(256, seed), normal(64, 256, seed + 9)
    h = x.T @ x

    def lost(stand_ins: Floats) -> float:
        return float(np.square((weights - stand_ins) @ x.T).sum())

    nearest = lost(rounded(weights, scales_of(weights, 64), 64))
    fitted = lost(rounded(weights, scales_of(weights, 64, h), 64))
    chosen, scales, _ = gptq(weights, inverse_factor(h.copy()), 64)
    assert lost(chosen * np.repeat(scales, 64, axis=1)) < 0.6 * nearest
    assert fitted <= nearest
