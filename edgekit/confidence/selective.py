"""Answers given in the order of their confidence: how many are wrong of those given so far.

Y. Geifman, G. Uziel, R. El-Yaniv: Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers, ICLR 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.confidence.outcomes import Floats, Outcomes

ERRORS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""At which shares of wrong answers the coverage is told."""
_RESAMPLES = 1000
_SEED = 20260101
_POINTS = 50


@dataclass(frozen=True, eq=False)
class Curve:
    """The risk-coverage curve: of the ``coverage`` [k] share with the highest scores, the share ``risk`` [k] is wrong.

    It has a point for each score that any answer has: which of equally sure ones are given, no threshold decides.
    """

    coverage: Floats
    risk: Floats

    @property
    def area(self) -> float:
        """The mean risk over all coverages, each reached at its point: 0 where nothing is wrong."""
        return float((np.diff(self.coverage, prepend=0.0) * self.risk).sum())

    def at_error(self, error: float) -> float:
        """Return the largest coverage at which no more than ``error`` is wrong; 0 where there is none."""
        return float(self.coverage[self.risk <= error].max(initial=0.0))

    def document(self) -> list[dict[str, float]]:
        """Return some fifty of its points as JSON has them, in percent."""
        if not len(self.coverage):
            return []
        wanted = np.searchsorted(self.coverage, np.arange(1, _POINTS + 1) / _POINTS - 1e-12)
        return [
            {"coverage": 100 * float(self.coverage[at]), "risk": 100 * float(self.risk[at])}
            for at in np.unique(np.minimum(wanted, len(self.coverage) - 1))
        ]


def curve(outcomes: Outcomes, weights: Floats | None = None) -> Curve:
    """Return the curve of ``outcomes``, each counted by its weight [n] (None: once)."""
    weights = np.ones(len(outcomes)) if weights is None else weights
    order = np.argsort(-outcomes.scores, kind="stable")
    weights, scores = weights[order], outcomes.scores[order]
    given = weights.cumsum()
    wrong = (weights * ~outcomes.right[order]).cumsum()
    last = np.append(scores[1:] != scores[:-1], True)[: len(scores)] & (given > 0)
    return Curve(given[last] / weights.sum(), wrong[last] / given[last])


@dataclass(frozen=True)
class Covered:
    """``coverage`` is the share of answers given where the share ``error`` of them is wrong; ``interval``: where it
    lies 95 times in 100, pictures drawn anew with all of their questions."""

    error: float
    coverage: float
    interval: tuple[float, float]

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it, in percent."""
        interval = [100 * bound for bound in self.interval]
        return {"error": 100 * self.error, "coverage": 100 * self.coverage, "interval": interval}


def coverages(outcomes: Outcomes) -> tuple[Covered, ...]:
    """Return the coverage at each of :data:`ERRORS`; the same outcomes give the same intervals."""
    names, clusters = np.unique(outcomes.pictures, return_inverse=True)
    random = np.random.default_rng(_SEED)
    drawn = [
        [resampled.at_error(error) for error in ERRORS]
        for counts in random.multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
        for resampled in [curve(outcomes, counts[clusters].astype(np.float64))]
    ]
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    whole = curve(outcomes)
    return tuple(
        Covered(error, whole.at_error(error), (float(low[at]), float(high[at]))) for at, error in enumerate(ERRORS)
    )
