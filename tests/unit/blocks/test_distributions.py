"""Divergences against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.blocks.distributions import divergence, log_softmax, logsumexp


def test_a_divergence_is_that_of_the_two_expectations() -> None:
    expected, even = np.array([0, np.log(3)], np.float32), np.array([5, 5], np.float32)
    kl = divergence(log_softmax(expected), log_softmax(even))
    assert float(kl) == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(1.5), rel=1e-6)
    assert float(divergence(log_softmax(even), log_softmax(even + 1))) == 0


def test_every_row_is_a_distribution_of_its_own() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 3, 7))
    shares = log_softmax(logits)
    np.testing.assert_allclose(np.exp(shares).sum(-1), 1)
    np.testing.assert_allclose(logits - shares, np.broadcast_to(logsumexp(logits)[..., None], logits.shape))
    kl = divergence(shares, shares[::-1])
    assert kl.shape == (2, 3)
    np.testing.assert_allclose(kl[1, 2], (np.exp(shares[1, 2]) * (shares[1, 2] - shares[0, 2])).sum())


def test_large_logits_overflow_nowhere_and_keep_their_dtype() -> None:
    shares = log_softmax(np.array([1e4, 0], np.float32))
    assert shares.dtype == np.float32
    assert shares.tolist() == [0, -1e4]
