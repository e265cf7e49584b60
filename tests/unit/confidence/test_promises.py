"""Promises: held on synthetic answers whose true risk is known, and refused where the answers can't support them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from edgekit.confidence.outcomes import Floats, Outcomes, Truths
from edgekit.confidence.promises import ERRORS, orders_mistakes, promises, rows_needed, upper_bounds


def answers(seed: int, count: int) -> tuple[Floats, Truths, Floats]:
    """Scores, which are right, and how probable each was to be: overconfident by a temperature of two; 30 % wrong."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(1.3, 2, count)
    chance = 1 / (1 + np.exp(-log_odds))
    return 1 / (1 + np.exp(-2 * log_odds)), random.random(count) < chance, chance


def outcomes(seed: int, count: int, corrupted: bool = False) -> Outcomes:
    scores, right, _ = answers(seed, count)
    right = np.random.default_rng(seed).permutation(right) if corrupted else right
    return Outcomes(scores, right, tuple(map(str, range(count))))


def bound(wrong: int, given: int) -> float:
    return float(upper_bounds(np.array([wrong]), np.array([given]))[0])


def test_promises_hold_in_at_least_95_of_100_draws() -> None:
    scores, _, chance = answers(999, 200_000)
    made: Counter[float] = Counter()
    broken: Counter[float] = Counter()
    for seed in range(60):
        for promise in promises(*outcomes(seed, 3000).halves("")):
            if promise.threshold is not None:
                made[promise.error] += 1
                broken[promise.error] += 1 - chance[scores >= promise.threshold].mean() > promise.error
                assert promise.coverage > 0
    assert made[0.1] == 60
    assert made[0.05] > 36
    assert all(broken[error] <= 3 for error in ERRORS)


def test_answers_right_or_wrong_whatever_their_confidence_promise_nothing() -> None:
    for seed in range(20):
        first, second = outcomes(seed, 2000, corrupted=True).halves("")
        for promise in promises(first, second):
            assert promise.threshold is None
            assert promise.reason
        if not orders_mistakes(first, second):
            assert all("does not order mistakes" in str(promise.reason) for promise in promises(first, second))


def test_too_few_rows_promise_nothing_and_say_how_many_would() -> None:
    first, second = outcomes(1, 100).halves("")
    reasons = [promise.reason or "" for promise in promises(first, second)]
    assert [rows_needed(error) for error in ERRORS] == [299, 149, 59, 29]
    for reason, needed in zip(reasons[:3], (299, 149, 59), strict=True):
        assert reason.startswith("too few rows: of 100 answers, 50 test it")
        assert f"{2 * needed} questions at the least" in reason
    assert "too few" not in reasons[3]
    assert all("too few rows" in str(promise.reason) for promise in promises(Outcomes.of([]), Outcomes.of([])))


def test_where_nothing_is_wrong_every_answer_is_promised_as_far_as_their_number_allows() -> None:
    right = Outcomes.of([(0.9, True, str(number)) for number in range(300)])
    one, two, five, ten = promises(*right.halves(""))
    assert (one.threshold, two.threshold, five.threshold, ten.threshold) == (None, 0.0, 0.0, 0.0)
    assert (two.coverage, five.coverage) == (1, 1)


def test_a_promise_that_fails_at_once_says_by_what() -> None:
    rows = [(number / 1000, number % 3 > 0 or number > 900, str(number)) for number in range(1000)]
    first, second = Outcomes.of(rows).halves("")
    (promise, *_) = promises(first, second)
    assert "are wrong, so up to" in str(promise.reason)


@pytest.mark.parametrize(("wrong", "given"), [(0, 59), (0, 299), (3, 100), (50, 200)])
def test_the_upper_bound_is_where_so_few_wrong_ones_have_a_probability_of_5_percent(wrong: int, given: int) -> None:
    assert binom.cdf(wrong, given, bound(wrong, given)) == pytest.approx(0.05)
    assert bound(given, given) == 1
    assert bound(0, 0) == 1


def test_mistakes_are_ordered_where_they_have_lower_scores() -> None:
    assert orders_mistakes(*outcomes(1, 400).halves(""))
    single = Outcomes.of([(0.5, False, "a"), (0.4, True, "b")])
    assert orders_mistakes(single, single.part(np.array([False, True])))
    backwards = Outcomes.of([(number / 100, number < 50, str(number)) for number in range(100)])
    assert not orders_mistakes(*backwards.halves(""))
