"""How sure a mean over questions is: 95 % intervals by the bootstrap, and whether two models' means differ.

Questions about one picture are not independent: a model that misreads it errs in all of them. So pictures are drawn
anew, each with all of its questions (the cluster bootstrap: A. C. Davison and D. V. Hinkley, Bootstrap Methods and
Their Application, 1997, section 3.8). The seed is fixed: the same answers give the same interval.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.errors import MissingExtra

LEVEL = 0.95
RESAMPLES = 2000
_AT_A_TIME = 100  # so many resamples are in memory at once: some megabytes, of thousands of pictures
_SEED = 20260101

Values = npt.NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """How much larger the second mean is, its ``interval`` (None where one picture tells nothing), and how probable
    so large a difference would be were there none (two-sided)."""

    difference: float
    interval: Interval | None
    p_value: float | None


def require_scipy() -> None:
    """Raise :class:`~edgekit.errors.MissingExtra` where SciPy is missing: minutes of asking are not to end so."""
    _stats()


def clusters_of(keys: Iterable[Hashable]) -> npt.NDArray[np.int64]:
    """Return numbers [n] in the place of keys, the same for the same key: which cluster a value belongs to."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def interval(values: Sequence[float] | Values, clusters: npt.NDArray[np.int64] | None = None) -> Interval | None:
    """Return the interval of the mean of ``values`` [n]; as :func:`intervals`."""
    return intervals(np.asarray(values, np.float64)[None], clusters)[0]


def intervals(values: Values, clusters: npt.NDArray[np.int64] | None = None) -> list[Interval | None]:
    """Return between which bounds each mean of ``values`` [means, n] lies, 95 times in 100 (percentiles).

    ``clusters`` [n] has the picture of each value, from 0 on; None: each stands for itself. None is returned for each
    mean where there are fewer than two of them. Raises :class:`~edgekit.errors.MissingExtra` without SciPy.
    """
    means, low, high = len(values), *_bounds(values, clusters)
    return (
        [None] * means
        if low is None or high is None
        else [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    )


def shares(values: Values, clusters: npt.NDArray[np.int64]) -> list[Interval | None]:
    """Return the intervals of means of values from 0 to 1; as :func:`intervals`, but where all are 0, or all 1.

    However often such values are drawn anew, their mean stays; so there it is the exact binomial interval of as many
    answers as there are clusters (C. J. Clopper and E. S. Pearson, 1934).
    """
    count = len(np.unique(clusters))
    bounds = intervals(values, clusters)
    for at, row in enumerate(values):
        if count > 1 and (row == row[0]).all() and row[0] in (0.0, 1.0):
            exact = _stats().binomtest(int(row[0]) * count, count).proportion_ci(LEVEL)
            bounds[at] = float(exact.low), float(exact.high)
    return bounds


def difference(first: Values, second: Values, clusters: npt.NDArray[np.int64] | None = None) -> Difference:
    """Return how the means of two models' values [n] for the same questions differ (the paired bootstrap).

    The p-value is twice the smaller share of resamples on either side of 0, each counted with one more, 1 at most.
    """
    each = np.asarray(second, np.float64) - np.asarray(first, np.float64)
    result = _resampled(each[None], clusters)
    mean = float(each.mean())
    if result is None:
        return Difference(mean, None, None)
    drawn, bounds = result.bootstrap_distribution[0], result.confidence_interval
    side = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    p_value = min(1.0, 2 * (side + 1) / (len(drawn) + 1))
    return Difference(mean, (float(bounds.low[0]), float(bounds.high[0])), p_value)


def _bounds(values: Values, clusters: npt.NDArray[np.int64] | None) -> tuple[Values | None, Values | None]:
    result = _resampled(values, clusters)
    return (None, None) if result is None else (result.confidence_interval.low, result.confidence_interval.high)


def _resampled(values: Values, clusters: npt.NDArray[np.int64] | None) -> Any:
    """SciPy's bootstrap of the means of ``values`` [means, n]; None where fewer than two clusters tell nothing."""
    stats = _stats()
    clusters = np.arange(values.shape[1]) if clusters is None else clusters
    sizes = np.bincount(clusters).astype(np.float64)
    sizes = sizes[sizes > 0]
    if len(sizes) < 2:
        return None
    _, dense = np.unique(clusters, return_inverse=True)
    sums = np.stack([np.bincount(dense, row) for row in values])
    return stats.bootstrap(
        (sums, np.broadcast_to(sizes, sums.shape)),
        lambda total, count, axis: total.sum(axis) / count.sum(axis),
        paired=True,
        vectorized=True,
        axis=-1,
        n_resamples=RESAMPLES,
        batch=_AT_A_TIME,
        confidence_level=LEVEL,
        method="percentile",  # where all answers are right, BCa has no answer
        random_state=np.random.default_rng(_SEED),  # SciPy 1.14 does not know it as ``rng``
    )


def _stats() -> Any:
    try:
        from scipy import stats
    except ImportError:
        raise MissingExtra("Scoring answers to a set", "evaluate") from None
    return stats
