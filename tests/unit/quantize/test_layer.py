"""What a block's Linears read, gathered: moments against numpy, and rows that count little thinned out."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.quantize import layer
from edgekit.quantize.layer import Moments, _thinned

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("strip", [3, 8, 2048])
def test_moments_are_weighed_and_whole_however_they_are_cut(strip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "_STRIP", strip)
    x, weights = RNG.normal(size=(20, 8)).astype(np.float32), RNG.uniform(0.1, 1, 20).astype(np.float32)
    moments = Moments(8)
    moments.add(x[:7], weights[:7])
    moments.add(x[7:], weights[7:])
    inputs = moments.inputs
    second, mean = inputs.matrix, inputs.mean_abs
    np.testing.assert_allclose(second, (x.T * weights) @ x, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(mean, (np.abs(x).T @ weights) / weights.sum(), rtol=1e-5)


def test_words_are_never_thinned() -> None:
    weights = np.array([1, 0.5, 1], np.float32)
    kept, counted = _thinned(weights)
    assert kept.tolist() == [0, 1, 2]
    assert counted is weights


@pytest.mark.parametrize(("weight", "step"), [(0.16, 2), (0.1, 3), (0.01, 33)])
def test_rows_that_count_little_stand_for_their_neighbours(weight: float, step: int) -> None:
    weights = np.array([1.0] * 3 + [weight] * 330 + [1.0], np.float32)
    kept, counted = _thinned(weights)
    assert {0, 1, 2, 333} <= set(kept.tolist())
    assert len(kept) == 4 + len(range(0, 330, step))
    assert counted[3:-1] == pytest.approx(weight * step)
    assert counted.sum() == pytest.approx(weights.sum(), rel=0.02)
