"""Random splits of a pool of answers whose order of mistakes is known."""

from __future__ import annotations

import numpy as np

from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.promises import ERRORS
from tests.splits import corrupted, promised

SCORES = np.linspace(0, 1, 2000)
POOL = Outcomes(SCORES, SCORES > 0.3, tuple(map(str, range(2000))))


def test_where_mistakes_are_ordered_promises_are_made_and_hold() -> None:
    kept = promised(POOL, 10)
    assert all(len(kept[error].coverages) == 10 for error in ERRORS)
    assert not any(kept[error].broken for error in ERRORS)
    assert 0.6 < np.mean(kept[0.05].coverages) < 0.75


def test_corrupted_answers_are_as_many_and_promise_nothing() -> None:
    pool = corrupted(POOL)
    assert pool.error == POOL.error
    assert not any(each.coverages for each in promised(pool, 10).values())
