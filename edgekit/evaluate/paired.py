"""Two models' answers to the same questions: whether one is better, or the difference may be chance.

Closed answers are right or wrong: McNemar's test looks at the questions that one alone has right (Q. McNemar, 1947; its
exact form is a binomial test of these). Open answers have a recall: the mean of its differences is drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.evaluate.bootstrap import Difference, clusters_of, difference
from edgekit.evaluate.metrics import closed_llava_med, closed_paper, recall
from edgekit.evaluate.scores import Scores, values_of
from edgekit.evaluate.share import Change
from edgekit.vqa.item import Item


@dataclass(frozen=True)
class McNemar:
    """Of the closed questions: how many the first alone had right (``lost``), how many the second alone (``won``), and
    how probable so uneven a split is where both are equally good (two-sided)."""

    lost: int
    won: int
    p_value: float

    def document(self) -> dict[str, Any]:
        """Return the test as JSON has it."""
        return {"lost": self.lost, "won": self.won, "p_value": self.p_value}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The ``second`` model against the ``first``, by their names, on the ``count`` questions that both have answered.

    None stands where no question of that kind was asked; ``open_recall`` is in percentage points.
    """

    first: str
    second: str
    count: int
    paper: McNemar | None
    llava_med: McNemar | None
    open_recall: Difference | None

    def document(self) -> dict[str, Any]:
        """Return the comparison as JSON has it."""
        tests = {"paper": self.paper, "llava_med": self.llava_med}
        recall_ = self.open_recall
        return {
            "first": self.first,
            "second": self.second,
            "count": self.count,
            "closed": {name: test.document() for name, test in tests.items() if test is not None} or None,
            "open_recall": None
            if recall_ is None
            else {
                "difference": recall_.difference,
                "interval": None if recall_.interval is None else list(recall_.interval),
                "p_value": recall_.p_value,
            },
        }


def compare(first_name: str, first: Scores, second_name: str, second: Scores) -> Comparison:
    """Return how the second model's answers differ from the first's, on the questions that count for both."""
    shared = [item for item in first.items if item.id in second.texts]
    closed = [item for item in shared if item.closed]
    open_ended = [item for item in shared if not item.closed]
    return Comparison(
        first=first_name,
        second=second_name,
        count=len(shared),
        paper=mcnemar(_closed(closed_paper, closed, first, second)) if closed else None,
        llava_med=mcnemar(_closed(closed_llava_med, closed, first, second)) if closed else None,
        open_recall=difference(
            100 * values_of(recall, open_ended, first.texts),
            100 * values_of(recall, open_ended, second.texts),
            clusters_of(item.images for item in open_ended),
        )
        if open_ended
        else None,
    )


def mcnemar(change: Change) -> McNemar:
    """Return McNemar's exact test of what changed: 1 where nothing did."""
    from scipy.stats import binomtest

    moved = change.lost + change.won
    p_value = float(binomtest(change.won, moved, 0.5).pvalue) if moved else 1.0
    return McNemar(change.lost, change.won, p_value)


def _closed(metric: Any, items: list[Item], first: Scores, second: Scores) -> Change:
    before, after = ([bool(value) for value in values_of(metric, items, each.texts)] for each in (first, second))
    return Change.between(before, after)
