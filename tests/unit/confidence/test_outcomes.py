"""Outcomes: counted by hand, and divided by picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgekit.confidence.outcomes import Outcomes

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.sampled_from("abcdefgh")), max_size=40)


def test_answers_are_counted_from_a_score_on() -> None:
    outcomes = Outcomes.of([(0.9, True, "a"), (0.5, False, "a"), (0.5, True, "b"), (0.1, False, "c")])
    assert [outcomes.at_least(score) for score in (0.95, 0.9, 0.5, 0.0)] == [(0, 0), (1, 0), (3, 1), (4, 2)]
    assert (len(outcomes), outcomes.error) == (4, 0.5)
    assert Outcomes.of([]).error == 0


@given(ROWS, st.text(max_size=3))
def test_a_picture_is_in_one_half_with_all_of_its_answers(rows: list[tuple[float, bool, str]], key: str) -> None:
    outcomes = Outcomes.of(rows)
    first, second = outcomes.halves(key)
    assert not set(first.pictures) & set(second.pictures)
    assert len(first) + len(second) == len(outcomes)
    both = sorted(zip((*first.scores, *second.scores), (*first.right, *second.right), strict=True))
    assert both == sorted(zip(outcomes.scores, outcomes.right, strict=True))
    shuffled = Outcomes.of(rows[::-1]).halves(key)[0]
    assert set(shuffled.pictures) == set(first.pictures)


def test_halves_are_about_as_large_and_hang_on_the_key() -> None:
    outcomes = Outcomes.of([(0.5, True, str(number // 6)) for number in range(600)])
    parts = [outcomes.halves(str(key)) for key in range(20)]
    assert all((len(first), len(second)) == (300, 300) for first, second in parts)
    assert len({first.pictures for first, _ in parts}) == 20


def test_a_part_is_what_is_chosen() -> None:
    outcomes = Outcomes.of([(0.9, True, "a"), (0.5, False, "b")]).part(np.array([False, True]))
    assert (outcomes.scores.tolist(), outcomes.right.tolist(), outcomes.pictures) == ([0.5], [False], ("b",))
