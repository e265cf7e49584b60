"""Accuracy against dynamic memory, the paper's Figure 4: which models nobody beats in both, and what memory buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.report.paper.literature import Literature
from edgekit.report.paper.measured import Measured
from edgekit.units import GIB

COLUMN = "VQA-RAD closed"
"""The accuracy that is drawn: the one that most have."""


@dataclass(frozen=True)
class Point:
    """A model with its ``accuracy`` in percent and its dynamic ``memory_bytes``; ``ours``: whether it was measured
    here."""

    name: str
    accuracy: float
    memory_bytes: float
    ours: bool


def points(published: Literature, measured: Sequence[Measured]) -> list[Point]:
    """Return the models of which both are known: the published ones, then ours."""
    theirs = [
        Point(each.model, each.figures[COLUMN], each.published.dynamic_bytes, ours=False)
        for each in published.accuracy
        if COLUMN in each.figures and each.published.dynamic_bytes is not None
    ]
    ours = [
        Point(each.name, each.accuracy[COLUMN].value, each.dynamic_bytes.value, ours=True)
        for each in measured
        if COLUMN in each.accuracy and each.dynamic_bytes is not None
    ]
    return theirs + ours


def front(models: Sequence[Point]) -> list[Point]:
    """Return those than which none is better in one and at least as good in the other, from the least memory on."""
    best: list[Point] = []
    for each in sorted(models, key=lambda point: (point.memory_bytes, -point.accuracy)):
        if not best or each.accuracy > best[-1].accuracy:
            best.append(each)
    return best


def fit(models: Sequence[Point]) -> tuple[float, float] | None:
    """Return a and b of accuracy = a + b · ln(memory in GiB), by least squares; None where fewer than two memories
    differ."""
    if len({each.memory_bytes for each in models}) < 2:
        return None
    logarithms = np.log([each.memory_bytes / GIB for each in models])
    slope, start = np.polyfit(logarithms, [each.accuracy for each in models], 1)
    return float(start), float(slope)
