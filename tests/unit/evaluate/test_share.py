from __future__ import annotations

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.evaluate.share import Change, Share

ANSWERS = st.lists(st.booleans(), min_size=1, max_size=300)


@given(ANSWERS)
def test_the_interval_ends_where_the_share_seen_is_two_standard_errors_off(answers: list[bool]) -> None:
    """Wilson's interval by its definition: (share - p)² = z² p (1 - p) / n at both ends."""
    share = Share.of(answers)
    seen = share.right / share.total
    for end in share.interval:
        true = end / 100
        assert isclose((seen - true) ** 2, 1.959964**2 * true * (1 - true) / share.total, abs_tol=1e-9)
    low, high = share.interval
    assert 0 <= low <= share.percent + 1e-9
    assert share.percent - 1e-9 <= high <= 100
    assert low < high


def test_a_textbook_interval() -> None:
    low, high = Share(81, 263).interval  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I
    assert (round(low, 2), round(high, 2)) == (25.53, 36.62)


def test_nothing_asked_says_nothing() -> None:
    assert Share.of([]) == Share(0, 0)
    assert Share(0, 0).percent == 0
    assert Share(0, 0).interval == (0, 100)


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_a_change_is_what_the_shares_differ_by(pairs: list[tuple[bool, bool]]) -> None:
    before, after = [first for first, _ in pairs], [second for _, second in pairs]
    change = Change.between(before, after)
    assert sum(after) - sum(before) == change.won - change.lost
    assert change.won + change.lost == sum(first != second for first, second in pairs)
    assert Change.between(after, before) == Change(change.won, change.lost)


def test_a_change_is_between_answers_to_the_same_questions() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Change.between([True], [])
