"""Which phantoms train a model and which test it, and the questions of the test.

A seed is a phantom, and ranges of seeds are the splits, so nothing of one can slip into the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.phantom.questions import Form, Question, ask
from edgekit.phantom.scene import Scene, scene

Split = Literal["train", "validation", "test"]

SEEDS: dict[Split, range] = {
    "train": range(10_000_000),
    "validation": range(10_000_000, 11_000_000),
    "test": range(11_000_000, 12_000_000),
}
# Questions about each phantom of a balanced set.
_PER_SCENE: dict[Form, int] = {"closed": 3, "open": 2, "description": 1}
TEST_SCENES = 400


@dataclass(frozen=True)
class Asked:
    """A question about a phantom."""

    scene: Scene
    question: Question


def balanced(split: Split, scenes: int = TEST_SCENES) -> Iterator[Asked]:
    """Yield six questions about each of ``scenes`` phantoms: every topic, and within it every answer, about as often.

    A phantom's own questions are many; taken are those whose topic and answer came up least so far.
    """
    topics: Counter[str] = Counter()
    answers: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS[split][:scenes]:
        rng = np.random.default_rng((seed, 2))
        shown = scene(seed)
        candidates = ask(shown, rng)
        for form, wanted in _PER_SCENE.items():
            left = [question for question in candidates if question.form == form]
            for _ in range(wanted):
                chosen = min(left, key=lambda asked: (answers[asked.topic, asked.answer], topics[asked.topic]))
                left = [question for question in left if question.topic != chosen.topic]
                topics[chosen.topic] += 1
                answers[chosen.topic, chosen.answer] += 1
                yield Asked(shown, chosen)
