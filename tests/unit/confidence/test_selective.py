"""The risk-coverage curve: worked out by hand, and against a reference that sorts and counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.confidence.outcomes import Outcomes
from edgekit.confidence.selective import ERRORS, coverages, curve

ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans(), st.just("a")), min_size=1, max_size=30)
FIVE = Outcomes.of([(0.9, True, "a"), (0.8, True, "b"), (0.7, False, "c"), (0.7, True, "d"), (0.1, False, "e")])


def test_a_curve_has_a_point_for_each_score() -> None:
    worked = curve(FIVE)
    assert worked.coverage == pytest.approx([0.2, 0.4, 0.8, 1.0])
    assert worked.risk == pytest.approx([0, 0, 0.25, 0.4])
    assert worked.area == pytest.approx(0.4 * 0.25 + 0.2 * 0.4)
    assert [worked.at_error(error) for error in (0.0, 0.1, 0.25, 0.5)] == pytest.approx([0.4, 0.4, 0.8, 1.0])
    assert worked.document()[-1] == {"coverage": pytest.approx(100), "risk": pytest.approx(40)}


@given(ROWS)
def test_a_curve_is_what_thresholds_count(rows: list[tuple[float, bool, str]]) -> None:
    outcomes = Outcomes.of(rows)
    counts = [outcomes.at_least(score) for score in sorted({score for score, _, _ in rows}, reverse=True)]
    worked = curve(outcomes)
    assert worked.coverage == pytest.approx([given / len(rows) for given, _ in counts])
    assert worked.risk == pytest.approx([wrong / given for given, wrong in counts])
    assert worked.area <= worked.risk.max() + 1e-12


@given(ROWS, st.integers(0, 5))
def test_a_weight_counts_an_answer_so_often(rows: list[tuple[float, bool, str]], seed: int) -> None:
    weights = np.random.default_rng(seed).integers(0, 3, len(rows))
    if weights.sum():
        repeated = [row for row, times in zip(rows, weights, strict=True) for _ in range(times)]
        weighted, whole = curve(Outcomes.of(rows), weights.astype(np.float64)), curve(Outcomes.of(repeated))
        assert weighted.area == pytest.approx(whole.area)
        assert weighted.at_error(0.2) == pytest.approx(whole.at_error(0.2))


def test_nothing_answered_is_no_curve() -> None:
    assert curve(FIVE.part(np.zeros(5, np.bool_))).document() == []


def test_coverages_lie_in_their_intervals_and_are_the_same_again() -> None:
    random = np.random.default_rng(2)
    scores = random.random(600)
    outcomes = Outcomes(scores, random.random(600) < scores, tuple(str(number // 3) for number in range(600)))
    told = coverages(outcomes)
    assert [each.error for each in told] == list(ERRORS)
    assert all(each.interval[0] <= each.coverage <= each.interval[1] for each in told[2:])
    assert [each.coverage for each in told] == sorted(each.coverage for each in told)
    assert coverages(outcomes) == told
    assert told[-1].document()["coverage"] == pytest.approx(100 * curve(outcomes).at_error(0.2))
