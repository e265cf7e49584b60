"""A share of questions answered rightly, how sure it is, and what changed between two models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

_Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


@dataclass(frozen=True)
class Share:
    """``right`` of ``total`` answers."""

    right: int
    total: int

    @classmethod
    def of(cls, values: Iterable[bool]) -> Share:
        answers = list(values)
        return cls(sum(answers), len(answers))

    @property
    def percent(self) -> float:
        """0 where nothing was asked."""
        return 100 * self.right / self.total if self.total else 0.0

    def document(self) -> dict[str, Any]:
        """Return a share as JSON has it."""
        return {"percent": self.percent, "interval": list(self.interval), "right": self.right, "total": self.total}

    @property
    def interval(self) -> tuple[float, float]:
        """Between which percentages the true share lies, 95 times in 100: Wilson's score interval.

        E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927).
        """
        if not self.total:
            return 0.0, 100.0
        share, weight = self.right / self.total, _Z * _Z / self.total
        middle = (share + weight / 2) / (1 + weight)
        reach = _Z / (1 + weight) * sqrt(share * (1 - share) / self.total + weight / (4 * self.total))
        return 100 * max(0.0, middle - reach), 100 * min(1.0, middle + reach)


@dataclass(frozen=True)
class Change:
    """Of the same questions asked of two models: answers that turned wrong, and answers that turned right.

    These two counts are what McNemar's test compares: a difference between recipes shows in them long before the
    intervals of the two shares part.
    """

    lost: int
    won: int

    @classmethod
    def between(cls, before: Sequence[bool], after: Sequence[bool]) -> Change:
        pairs = list(zip(before, after, strict=True))
        return cls(pairs.count((True, False)), pairs.count((False, True)))
