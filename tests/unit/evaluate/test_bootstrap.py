"""Intervals of means: against what is known of them, and as deterministic as the answers."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import MissingExtra
from edgekit.evaluate.bootstrap import Difference, clusters_of, difference, interval, intervals, require_scipy, shares

ROWS = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=30)


def test_of_many_independent_values_it_is_the_normal_approximation() -> None:
    values = (np.random.default_rng(0).random(2000) < 0.3).astype(float)
    reach = 1.96 * np.sqrt(values.mean() * (1 - values.mean()) / len(values))
    low, high = interval(values) or (0.0, 0.0)
    assert low == pytest.approx(values.mean() - reach, abs=3e-3)
    assert high == pytest.approx(values.mean() + reach, abs=3e-3)


def test_questions_about_one_picture_count_as_little_as_one() -> None:
    """Ten equal answers a picture tell no more than one: the interval is that of the pictures."""
    pictures = (np.random.default_rng(1).random(60) < 0.5).astype(float)
    alone = interval(pictures)
    assert interval(np.repeat(pictures, 10), np.repeat(np.arange(60), 10)) == pytest.approx(alone)
    low, high = alone or (0.0, 0.0)
    naive_low, naive_high = interval(np.repeat(pictures, 10)) or (0.0, 0.0)
    assert naive_high - naive_low < (high - low) / 2


@settings(max_examples=20, deadline=None)
@given(ROWS)
def test_it_lies_about_its_mean_and_within_its_values(values: list[float]) -> None:
    low, high = interval(values) or (0.0, 0.0)
    assert min(values) - 1e-9 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= max(values) + 1e-9
    assert interval(values) == (low, high)


def test_several_means_are_what_each_is_alone() -> None:
    values = np.random.default_rng(2).random((3, 40))
    clusters = clusters_of(["abcd"[number % 4] for number in range(40)])
    assert intervals(values, clusters) == [interval(row, clusters) for row in values]


def test_one_picture_tells_nothing() -> None:
    assert interval([0.0, 1.0], clusters_of(["a", "a"])) is None
    assert interval([1.0]) is None
    assert difference(np.zeros(2), np.ones(2), clusters_of("aa")) == Difference(1, None, None)


def test_where_all_are_wrong_the_interval_is_exact() -> None:
    clusters = clusters_of("aabbccddee")
    bounds = shares(np.array([np.zeros(10), np.ones(10), np.arange(10) / 9]), clusters)
    wrong, right, some = (bound or (-1.0, -1.0) for bound in bounds)
    assert np.allclose(wrong, (0, 1 - 0.025 ** (1 / 5)))
    assert np.allclose(right, (0.025 ** (1 / 5), 1))
    assert some == interval(np.arange(10) / 9, clusters)
    assert shares(np.zeros((1, 2)), clusters_of("aa")) == [None]


def test_clusters_are_numbered_as_they_come() -> None:
    assert clusters_of(["b", ("a",), "b"]).tolist() == [0, 1, 0]


def test_a_difference_is_told_from_none() -> None:
    rng = np.random.default_rng(3)
    first = rng.random(300)
    same = difference(first, first)
    assert (same.difference, same.interval, same.p_value) == (0, (0, 0), 1)
    better = difference(first, first + 0.05 + 0.1 * rng.standard_normal(300))
    low, high = better.interval or (0.0, 0.0)
    assert 0 < low < 0.05 < high < 0.1
    assert better.p_value is not None
    assert better.p_value < 0.01
    back = difference(first + 0.05, first)
    assert back.difference == pytest.approx(-0.05)


def test_of_no_difference_one_in_twenty_is_called_one() -> None:
    """The p-value is below 0.05 about 5 times in 100 where both models are equally good."""
    rng = np.random.default_rng(4)
    below = [difference(*rng.random((2, 80))).p_value for _ in range(200)]
    assert 2 <= sum(value is not None and value < 0.05 for value in below) <= 22


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingExtra, match="needs the extra 'evaluate'"):
        require_scipy()
