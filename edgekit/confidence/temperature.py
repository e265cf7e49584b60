"""Scores made into probabilities: one temperature, and how far off they are before and after.

C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

import numpy as np

from edgekit.confidence.outcomes import Floats, Outcomes, Truths

_BINS = 15
_RANGE = 0.05, 20.0
_EDGE = 1e-9


def scaled(scores: Floats, temperature: float) -> Floats:
    """Return scores [n] with their log-odds divided by ``temperature``."""
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    probabilities: Floats = 1 / (1 + np.exp(-(np.log(inside) - np.log1p(-inside)) / temperature))
    return probabilities


def fit_temperature(outcomes: Outcomes) -> float:
    """Return the temperature from 0.05 to 20 by which the scaled scores make the outcomes likeliest; 1 where nothing
    was answered."""
    from scipy.optimize import minimize_scalar

    if not len(outcomes):
        return 1.0
    low, high = np.log(_RANGE)
    best = minimize_scalar(lambda log: _loss(outcomes, float(np.exp(log))), bounds=(low, high), method="bounded")
    return round(float(np.exp(best.x)), 4)


def _loss(outcomes: Outcomes, temperature: float) -> float:
    """The mean negative log-likelihood, in nats."""
    probabilities = np.clip(scaled(outcomes.scores, temperature), _EDGE, 1 - _EDGE)
    return float(-np.where(outcomes.right, np.log(probabilities), np.log1p(-probabilities)).mean())


def calibration_error(probabilities: Floats, right: Truths) -> float:
    """Return the expected calibration error of ``probabilities`` [n], from 0 to 1: in 15 bins of equal width, how far
    the mean probability is from the share of right answers, weighted by their numbers."""
    if not len(right):
        return 0.0
    bins = np.minimum((probabilities * _BINS).astype(np.int64), _BINS - 1)
    off = np.bincount(bins, probabilities, _BINS) - np.bincount(bins, right.astype(np.float64), _BINS)
    return float(np.abs(off).sum() / len(right))
