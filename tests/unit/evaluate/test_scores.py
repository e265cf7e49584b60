"""Figures over a set: by hand, by what a set says of its questions, and whatever the order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.evaluate.metrics import measure
from edgekit.evaluate.scores import Scores, labelled
from edgekit.vqa.item import Id, Item


def item(id: Id, answer: str, closed: bool, **more: Any) -> Item:
    return Item(
        id=id, question=f"What is {id}?", images=(f"{more.pop('image', id)}.png",), answer=answer, closed=closed, **more
    )


ITEMS = (
    item(1, "yes", True, question_type="PRES", organ="HEAD"),
    item(2, "no", True, question_type="POS, PRES", organ="CHEST", language="zh"),
    item(3, "left lung", False, question_type="POS", organ="CHEST"),
    item(4, "right", True, organ="CHEST"),
)
TEXTS: dict[Id, str] = {1: "Yes.", 2: "yes", 3: "the lung", 4: "on the right"}


def test_each_metric_counts_its_own_questions() -> None:
    figures = Scores(ITEMS, TEXTS).figures
    assert {name: (round(figure.percent, 4), figure.count) for name, figure in figures.items()} == {
        "closed_paper": (66.6667, 3),
        "closed_llava_med": (33.3333, 3),  # "on the right" has neither yes nor no
        "open_recall": (50, 1),
        "exact_match": (25, 4),
        "token_f1": (58.3333, 4),  # 1, 0, 2/3 and 2/3: articles are no words
    }
    assert figures["open_recall"].interval is None  # one picture
    low, high = figures["exact_match"].interval or (0.0, 0.0)
    assert 0 <= low < 25 < high <= 100


def test_a_question_counts_in_each_of_its_types() -> None:
    groups = Scores(ITEMS, TEXTS).groups
    assert list(groups) == ["question_type", "organ", "language"]
    assert {name: figures["exact_match"].count for name, figures in groups["question_type"].items()} == {
        "POS": 2,
        "PRES": 2,
    }
    assert groups["question_type"]["PRES"]["closed_paper"].percent == 50
    assert "open_recall" not in groups["question_type"]["PRES"]
    assert list(groups["language"]) == ["en", "zh"]
    assert labelled(ITEMS[3], "question_type") == []


def test_what_was_not_asked_has_no_figure() -> None:
    assert Scores((), {}).figures == {}
    assert list(Scores(ITEMS[2:3], TEXTS).figures) == ["open_recall", "exact_match", "token_f1"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["yes", "no", "left lung"]), st.sampled_from(["yes", "no, left", "lung", ""]), st.booleans()
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_changes_no_figure(rows: Sequence[tuple[str, str, bool]], shuffled: random.Random) -> None:
    items = [item(number, answer, closed) for number, (answer, _, closed) in enumerate(rows)]
    texts: dict[Id, str] = {number: text for number, (_, text, _) in enumerate(rows)}
    figures = Scores(tuple(items), texts).figures
    shuffled.shuffle(items)
    again = Scores(tuple(items), texts).figures
    for name, figure in figures.items():
        assert again[name].percent == pytest.approx(figure.percent)
        assert 0 <= figure.percent <= 100
    metrics = measure(
        [(answer, text) for answer, text, closed in rows if closed],
        [(answer, text) for answer, text, closed in rows if not closed],
    )
    assert (metrics.closed is None) == ("closed_paper" not in figures)
    if metrics.closed is not None:
        assert figures["closed_llava_med"].percent == pytest.approx(metrics.closed.llava_med)
    if metrics.open_recall is not None:
        assert figures["open_recall"].percent == pytest.approx(metrics.open_recall)


def test_json_has_the_figures_and_the_groups() -> None:
    document = Scores(ITEMS, TEXTS).document()
    assert document["scores"]["open_recall"] == {"percent": pytest.approx(50), "interval": None, "count": 1}
    assert document["groups"]["organ"]["HEAD"]["closed_paper"]["percent"] == 100
