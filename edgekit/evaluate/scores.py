"""What answers to a set score: each metric's mean in percent, how sure it is, and the same by what a set says of rows.

In: questions with their right answers, and the texts that were given. Out: figures, whole and by question type, organ,
modality and language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from edgekit.evaluate.bootstrap import Interval, Values, clusters_of, shares
from edgekit.evaluate.metrics import closed_llava_med, closed_paper, exact, recall, token_f1
from edgekit.vqa.item import Id, Item

Metric = Literal["closed_paper", "closed_llava_med", "open_recall", "exact_match", "token_f1"]
CLOSED: dict[Metric, Callable[[str, str], float]] = {"closed_paper": closed_paper, "closed_llava_med": closed_llava_med}
OPEN: dict[Metric, Callable[[str, str], float]] = {"open_recall": recall}
EVERY: dict[Metric, Callable[[str, str], float]] = {"exact_match": exact, "token_f1": token_f1}
LABELS = ("question_type", "organ", "modality", "language")
"""By which of an item's fields figures are told apart."""


@dataclass(frozen=True)
class Figure:
    """A mean over ``count`` questions, in percent; ``interval``: where it lies 95 times in 100, None where too few
    pictures tell."""

    percent: float
    interval: Interval | None
    count: int

    def document(self) -> dict[str, Any]:
        """Return a figure as JSON has it."""
        interval = None if self.interval is None else list(self.interval)
        return {"percent": self.percent, "interval": interval, "count": self.count}


Figures = Mapping[Metric, Figure]
"""The metrics that count for some questions: those of closed ones, of open ones, and of all."""


@dataclass(frozen=True)
class Scores:
    """Questions, and the texts that were given to them, none of which is missing."""

    items: tuple[Item, ...]
    texts: Mapping[Id, str] = field(repr=False)

    @cached_property
    def figures(self) -> Figures:
        """The figures over all questions."""
        return _figures(self.items, self.texts)

    @cached_property
    def groups(self) -> dict[str, dict[str, Figures]]:
        """The figures by each label that the set gives, and each of its values, in their alphabetical order.

        A question of several types counts in each.
        """
        groups: dict[str, dict[str, Figures]] = {}
        for label in LABELS:
            values = sorted({value for item in self.items for value in labelled(item, label)})
            if values:
                groups[label] = {
                    value: _figures([item for item in self.items if value in labelled(item, label)], self.texts)
                    for value in values
                }
        return groups

    def document(self) -> dict[str, Any]:
        """Return the figures as JSON has them."""
        return {
            "scores": document(self.figures),
            "groups": {
                label: {value: document(figures) for value, figures in values.items()}
                for label, values in self.groups.items()
            },
        }


def document(figures: Figures) -> dict[str, Any]:
    """Return figures as JSON has them."""
    return {metric: figure.document() for metric, figure in figures.items()}


def labelled(item: Item, label: str) -> list[str]:
    """Return what a set says of a question by ``label``, one of :data:`LABELS`: nothing, a value, or several types."""
    value: str = getattr(item, label)
    return [part for part in (value.split(", ") if label == "question_type" else [value]) if part]


def values_of(metric: Callable[[str, str], float], items: Iterable[Item], texts: Mapping[Id, str]) -> Values:
    """Return what each question's text scores, [n] from 0 to 1."""
    return np.array([float(metric(item.answer, texts[item.id])) for item in items], np.float64)


def _figures(items: Sequence[Item], texts: Mapping[Id, str]) -> Figures:
    closed, open_ended = (tuple(item for item in items if item.closed is closed) for closed in (True, False))
    figures: dict[Metric, Figure] = {}
    for metrics, asked in ((CLOSED, closed), (OPEN, open_ended), (EVERY, items)):
        if asked:
            values = np.stack([values_of(metric, asked, texts) for metric in metrics.values()])
            bounds = shares(values, clusters_of(item.images for item in asked))
            figures |= {
                name: Figure(100 * sum(row.tolist()) / len(asked), _percent(bound), len(asked))
                for name, row, bound in zip(metrics, values, bounds, strict=True)
            }
    return figures


def _percent(interval: Interval | None) -> Interval | None:
    return None if interval is None else (100 * interval[0], 100 * interval[1])
