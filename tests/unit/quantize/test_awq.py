"""AWQ's loss against outputs that are reckoned out, and its search against that loss."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.quantize.awq import Inputs, loss, rounded_with, search

RNG = np.random.default_rng(0)
N, K, GROUP = 24, 64, 32
WEIGHTS = RNG.standard_normal((N, K)).astype(np.float32)
X = RNG.standard_normal((200, K)).astype(np.float32)
X[:, ::9] *= 12


def seen() -> Inputs:
    return Inputs((X.T @ X).astype(np.float32), np.abs(X).mean(axis=0))


def test_the_loss_is_that_of_the_outputs() -> None:
    other = WEIGHTS + RNG.standard_normal((N, K)).astype(np.float32) * 0.01
    rows = RNG.random(N).astype(np.float32)
    outputs = (X @ (WEIGHTS - other).T).astype(np.float64)
    assert loss(WEIGHTS, other, seen()) == pytest.approx(float((outputs**2).sum()), rel=1e-3)
    assert loss(WEIGHTS, other, seen(), rows) == pytest.approx(float(((outputs * rows) ** 2).sum()), rel=1e-3)
    assert loss(WEIGHTS, WEIGHTS, seen()) == 0


def test_in_front_of_gptq_an_error_counts_as_its_inverse_s_diagonal_says() -> None:
    upper = np.triu(RNG.random((K, K)).astype(np.float32)) + np.eye(K, dtype=np.float32)
    errors = RNG.standard_normal((N, K)).astype(np.float32)
    expected = float((errors**2 / np.diag(upper) ** 2).sum())
    inputs = Inputs(upper, np.ones(K, np.float32), inverse=True)
    assert loss(errors, np.zeros_like(errors), inputs) == pytest.approx(expected, rel=1e-4)


def test_scaled_inputs_are_those_of_the_scaled_activations() -> None:
    scales = RNG.uniform(0.5, 2, K).astype(np.float32)
    divided = seen().scaled(scales)
    np.testing.assert_allclose(divided.matrix, (X / scales).T @ (X / scales), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(divided.mean_abs, np.abs(X / scales).mean(axis=0), rtol=1e-5)


def test_the_scales_that_are_found_lose_less_than_none() -> None:
    scales = search([WEIGHTS], seen(), GROUP)
    plain = loss(WEIGHTS, rounded_with(WEIGHTS, np.ones(K, np.float32), GROUP), seen())
    assert loss(WEIGHTS, rounded_with(WEIGHTS, scales, GROUP), seen()) < 0.8 * plain


def test_inputs_of_one_maker_have_one_scale() -> None:
    source = np.repeat(np.arange(K // 2), 2)
    assert search([WEIGHTS, WEIGHTS[:3]], seen(), GROUP, source).shape == (K // 2,)
