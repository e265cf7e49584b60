"""Two models on the same questions: McNemar's test by hand and against chance, recall by its differences."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from edgekit.evaluate.paired import compare, mcnemar
from edgekit.evaluate.scores import Scores
from edgekit.evaluate.share import Change
from edgekit.vqa.item import Id, Item


def scores(texts: list[str], closed: bool = True, skip: int = 0) -> Scores:
    """Texts as answers to questions of which each is right by "yes"."""
    items = tuple(
        Item(id=number, question="Is it?", images=(f"{number}.png",), answer="yes", closed=closed)
        for number in range(skip, len(texts))
    )
    by_id: dict[Id, str] = dict(enumerate(texts))
    return Scores(items, {item.id: by_id[item.id] for item in items})


@pytest.mark.parametrize(
    ("lost", "won", "p_value"),
    [
        (0, 0, 1),
        (3, 3, 1),
        (0, 5, 2 / 2**5),
        (1, 9, 2 * (1 + 10) / 2**10),
        (9, 1, 2 * (1 + 10) / 2**10),
        (5, 15, 2 * sum(comb(20, k) for k in range(6)) / 2**20),
    ],
)
def test_mcnemar_by_hand(lost: int, won: int, p_value: float) -> None:
    assert mcnemar(Change(lost, won)).p_value == pytest.approx(p_value)


def test_closed_answers_are_compared_where_both_have_them() -> None:
    first = scores(["yes", "yes", "no", "no", "yes"])
    second = scores(["yes", "no", "yes", "yes", "no"], skip=1)
    comparison = compare("a", first, "b", second)
    assert (comparison.first, comparison.second, comparison.count) == ("a", "b", 4)
    assert comparison.paper == mcnemar(Change(2, 2))
    assert comparison.open_recall is None
    assert comparison.document()["closed"]["llava_med"] == {"lost": 2, "won": 2, "p_value": 1}


def test_open_answers_are_compared_by_their_recall() -> None:
    rng = np.random.default_rng(0)
    before = ["yes" if right else "" for right in rng.random(200) < 0.4]
    after = ["yes" if right or text else "" for right, text in zip(rng.random(200) < 0.2, before, strict=True)]
    comparison = compare("a", scores(before, closed=False), "b", scores(after, closed=False))
    assert comparison.paper is None
    assert comparison.open_recall is not None
    low, high = comparison.open_recall.interval or (0.0, 0.0)
    gained = 100 * sum(a != b for a, b in zip(before, after, strict=True)) / 200
    assert 0 < low < gained < high
    assert comparison.open_recall.difference == pytest.approx(gained)
    assert comparison.document()["closed"] is None
    assert comparison.document()["open_recall"]["p_value"] == comparison.open_recall.p_value


def test_where_none_shares_a_question_nothing_is_compared() -> None:
    comparison = compare("a", scores(["yes"]), "b", scores(["no", "yes"], skip=1))
    assert (comparison.count, comparison.paper, comparison.llava_med, comparison.open_recall) == (0, None, None, None)
