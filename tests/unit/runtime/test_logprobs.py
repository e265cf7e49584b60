"""Logarithms of probabilities and the likeliest tokens, against torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgekit.runtime.logprobs import likeliest, log_softmax


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("vocab", [1, 7, 32_000])
def test_they_are_torchs_log_softmax_in_float64(vocab: int, scale: float) -> None:
    logits = (np.random.default_rng(vocab).normal(size=vocab) * scale).astype(np.float32)
    expected = torch.from_numpy(logits).double().log_softmax(-1).numpy()
    np.testing.assert_allclose(log_softmax(logits), expected, rtol=1e-13, atol=1e-13)
    assert np.exp(log_softmax(logits)).sum() == pytest.approx(1, abs=1e-12)


def test_the_logits_stay_as_they_are_and_what_is_ruled_out_has_no_probability() -> None:
    logits = np.array([0.0, -math.inf, 0.0], dtype=np.float32)
    assert log_softmax(logits).tolist() == pytest.approx([-math.log(2), -math.inf, -math.log(2)])
    assert logits.tolist() == [0.0, -math.inf, 0.0]


@given(
    size=st.integers(1, 40) | st.sampled_from([64, 1280, 1281, 3000]),
    levels=st.sampled_from([1, 3, 1000]),
    count=st.integers(0, 50),
    seed=st.integers(0, 99),
)
def test_the_likeliest_come_first_and_of_equal_ones_the_lowest_id(
    size: int, levels: int, count: int, seed: int
) -> None:
    logits = np.random.default_rng(seed).integers(0, levels, size).astype(np.float32)
    logits[logits == 0] = -math.inf
    values = logits.tolist()
    expected = sorted(range(len(values)), key=lambda id: (-values[id], id))[:count]
    assert likeliest(logits, count) == expected
