"""Which errors can be promised of answers, and from which score on: Learn-then-Test.

A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan, L. Lei: Learn then Test, 2021. Thresholds are tested one after
the other, from a strict one to lax ones, in an order that was fixed before; the first that fails ends it, so that all
that passed hold together with probability 0.95. A threshold passes where the exact upper bound of the share of wrong
answers (one-sided: C. J. Clopper and E. S. Pearson, 1934) is not above the error.

The bound takes answers for independent. Those about one picture are not quite; which pictures are tested is drawn as
whole pictures, and ``tests/`` hold on splits by picture that promises are kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from edgekit.confidence.outcomes import Floats, Outcomes
from edgekit.confidence.record import Promise

Counts = npt.NDArray[np.int64]

ERRORS = (0.01, 0.02, 0.05, 0.1)
"""What is promised at most to be wrong, of the answers that are given."""
LEVEL = 0.05
"""How probable a promise may be that does not hold; and how probable an order of mistakes by chance."""
_STEPS = 40
_SPARE = 1.2  # so many times the answers that it takes where none is wrong: the parts' scores are not quite alike
_NO_ORDER = "the answers' confidence does not order mistakes"


def promises(first: Outcomes, second: Outcomes) -> tuple[Promise, ...]:
    """Return what can be promised, for each of :data:`ERRORS`: on ``first`` it is learned at which threshold to begin,
    on ``second`` thresholds are tested."""
    thresholds = _candidates(first)
    tests = _Tests(
        thresholds=thresholds,
        learned=np.array([first.at_least(threshold) for threshold in thresholds]),
        tested=np.array([second.at_least(threshold) for threshold in thresholds]),
        answers=(len(first), len(second)),
        ordered=orders_mistakes(first, second),
    )
    return tuple(tests.promise(error) for error in ERRORS)


def rows_needed(error: float) -> int:
    """Return how many answers, none of them wrong, bound the error so far."""
    return math.ceil(math.log(LEVEL) / math.log1p(-error))


def upper_bounds(wrong: Counts, given: Counts) -> Floats:
    """Return below which share wrong answers are, with probability 0.95, where ``wrong`` [k] of ``given`` [k] are."""
    from scipy.stats import beta

    right = np.maximum(given - wrong, 0)
    return np.where(right > 0, beta.ppf(1 - LEVEL, wrong + 1, np.maximum(right, 1)), 1.0)


def orders_mistakes(first: Outcomes, second: Outcomes) -> bool:
    """Say whether right answers have higher scores than wrong ones, by more than chance would have it (Mann-Whitney).

    True where fewer than two are wrong, or right: there is nothing to order.
    """
    from scipy.stats import mannwhitneyu

    scores = np.concatenate([first.scores, second.scores])
    right = np.concatenate([first.right, second.right])
    if min(right.sum(), len(right) - right.sum()) < 2:
        return True
    return float(mannwhitneyu(scores[right], scores[~right], alternative="greater").pvalue) <= LEVEL


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tests:
    """Thresholds from strict to lax, how many answers are given and wrong from each on (``learned`` and ``tested``
    [thresholds, 2]), how many there are in either part, and whether scores order mistakes."""

    thresholds: list[float]
    learned: Counts
    tested: Counts
    answers: tuple[int, int]
    ordered: bool

    def promise(self, error: float) -> Promise:
        """Return what can be promised of ``error``."""
        needed = rows_needed(error)
        if self.answers[1] < needed:
            return _none(
                error,
                f"too few rows: of {sum(self.answers)} answers, {self.answers[1]} test it, and even if none of them "
                f"were wrong, it would take {needed}: {2 * needed} questions at the least",
            )
        start, passes = self._start(error), self._bounds <= error
        end = start + int(np.append(~passes[start:], True).argmax())  # the first that fails
        given, wrong = (int(count) for count in self.tested[start])
        if end == start:
            bound = f"of the {given} surest answers that test it {wrong} are wrong, so up to {self._bounds[start]:.1%}"
            return _none(error, bound if self.ordered else f"{_NO_ORDER}: {bound}")
        if not self.ordered and end < len(self.thresholds):
            return _none(error, _NO_ORDER)
        coverage = int(self.tested[end - 1, 0]) / self.answers[1]
        return Promise(error=error, threshold=self.thresholds[end - 1], coverage=coverage)

    def _start(self, error: float) -> int:
        """Where to begin: at the threshold that is likeliest to pass, by the other part's answers, of those from which
        on there will be enough of them: stricter ones could not pass, and would end it before it began.
        """
        from scipy.stats import binom

        given, wrong = self.learned.T
        expected = given * (self.answers[1] / max(self.answers[0], 1))
        enough = expected >= np.minimum(_SPARE * rows_needed(error), expected.max())
        return int(np.argmin(np.where(enough, binom.cdf(wrong, given, error), 2.0)))

    @cached_property
    def _bounds(self) -> Floats:
        return upper_bounds(self.tested[:, 1], self.tested[:, 0])


def _none(error: float, reason: str) -> Promise:
    return Promise(error=error, threshold=None, coverage=0.0, reason=reason)


def _candidates(first: Outcomes) -> list[float]:
    """Thresholds from strict to lax, at equal steps of coverage; the last lets every answer pass."""
    if not len(first):
        return [0.0]
    shares = np.arange(_STEPS - 1, 0, -1) / _STEPS
    levels = np.quantile(first.scores, shares, method="inverted_cdf").tolist()
    return [*dict.fromkeys(float(level) for level in levels), 0.0]
