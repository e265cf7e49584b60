"""What answers score that have seen no picture: the commonest answer every time, and answers dealt out at random.

Both take a question's own kind, closed or open, and its language, and know the right answers of the split itself. So
they are what a model has to beat before its figures say anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.evaluate.metrics import normal
from edgekit.evaluate.scores import Figures, Scores, document
from edgekit.vqa.item import Id, Item

_SEED = 20260101


@dataclass(frozen=True)
class Baselines:
    """``majority``: always the commonest right answer of the split; ``random``: its right answers in random order."""

    majority: Figures
    random: Figures

    def document(self) -> dict[str, Any]:
        """Return the baselines as JSON has them."""
        return {"majority": document(self.majority), "random": document(self.random)}


def baselines(items: Sequence[Item]) -> Baselines:
    """Return what both score on questions, one at least; the order is drawn with a fixed seed."""
    kinds: dict[tuple[bool, str], list[Item]] = {}
    for item in items:
        kinds.setdefault((item.closed, item.language), []).append(item)
    majority: dict[Id, str] = {}
    random: dict[Id, str] = {}
    rng = np.random.default_rng(_SEED)
    for asked in kinds.values():
        majority |= dict.fromkeys((item.id for item in asked), commonest([item.answer for item in asked]))
        order = rng.permutation(len(asked))
        random |= {item.id: asked[at].answer for item, at in zip(asked, order, strict=True)}
    return Baselines(Scores(tuple(items), majority).figures, Scores(tuple(items), random).figures)


def commonest(answers: Sequence[str]) -> str:
    """Return the answer that is given most often, as it is first written; of equally common ones, the first."""
    counts = Counter(normal(answer) for answer in answers)
    most = max(counts.values())
    return next(answer for answer in answers if counts[normal(answer)] == most)
