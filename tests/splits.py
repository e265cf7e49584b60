"""Promises made over and over on random splits of one pool of answers, and whether they hold.

The pool stands for all questions that there are: how many of its answers from a threshold on are wrong is then known,
and not estimated. Each split divides its pictures into two parts, as calibrating does, and tests promises on one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.promises import ERRORS, promises
from edgekit.evaluate.answers import correct
from edgekit.evaluate.asking import predictions
from edgekit.evaluate.phantoms import questions
from edgekit.runtime.model import Model
from tests.hard_phantoms import hard_set


@dataclass
class Kept:
    """What came of one error's promise: the coverages where it was made, and how often it did not hold."""

    coverages: list[float] = field(default_factory=list)
    broken: int = 0


def hard_answers(model: Model, count: int) -> Outcomes:
    """Ask so many questions about hard phantoms, once."""
    asked = questions(count)
    hard = hard_set(asked)
    predicted = {each.question_id: each for each in predictions(model, "hard", hard)}
    rows = []
    for each, item in zip(asked, hard.dataset.items, strict=True):
        line = predicted[item.id]
        rows.append((line.metadata["confidence"]["score"], correct(each.question, line.text or ""), item.images[0]))
    return Outcomes.of(rows)


def corrupted(pool: Outcomes) -> Outcomes:
    """Return as many right and wrong answers, whatever their confidence."""
    return Outcomes(pool.scores, np.random.default_rng(5).permutation(pool.right), pool.pictures)


def promised(pool: Outcomes, splits: int = 200) -> dict[float, Kept]:
    """Promise on so many random splits of ``pool``, and look whether it holds over all of it."""
    kept = {error: Kept() for error in ERRORS}
    for split in range(splits):
        for promise in promises(*pool.halves(f"split {split}")):
            if promise.threshold is not None:
                given, wrong = pool.at_least(promise.threshold)
                kept[promise.error].coverages.append(given / len(pool))
                kept[promise.error].broken += wrong / given > promise.error
    return kept
