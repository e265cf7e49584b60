"""How many tokens follow, against plain means, and against lengths that are drawn and cut off."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.runtime.lengths import ANSWERS, AnswerLengths


def _lengths(*answers: int, cut: tuple[int, ...] = ()) -> AnswerLengths:
    lengths = AnswerLengths()
    for tokens in answers:
        lengths.add(tokens, cut=False)
    for tokens in cut:
        lengths.add(tokens, cut=True)
    return lengths


@given(st.lists(st.integers(1, 50), min_size=1, max_size=ANSWERS), st.integers(0, 60), st.integers(1, 60))
def test_of_answers_that_ended_by_themselves_it_is_the_mean_of_those_that_got_this_far(
    answers: list[int], come: int, more: int
) -> None:
    most = come + more
    longer = [min(tokens, most) - come for tokens in answers if tokens > come]
    expected = mean(longer) if longer else min(come, more)
    assert _lengths(*answers).left(come, most) == pytest.approx(max(expected, 1), abs=0.5001)


@given(st.lists(st.integers(0, 50), max_size=9), st.integers(0, 60), st.integers(1, 60))
def test_where_all_were_cut_off_the_most_is_expected(cut: list[int], come: int, more: int) -> None:
    assert _lengths(cut=tuple(cut)).left(come, come + more) == more


def test_answers_that_were_cut_off_make_the_others_look_no_shorter() -> None:
    random, guesses, naive = np.random.default_rng(0), [], []
    for _ in range(60):
        lengths, counted = AnswerLengths(), []
        for _ in range(ANSWERS):
            tokens, allowed = int(random.geometric(1 / 40)), int(random.integers(1, 120))
            lengths.add(min(tokens, allowed), cut=tokens > allowed)
            counted.append(min(tokens, allowed))
        guesses.append(lengths.left(0, 80))
        naive.append(mean(counted))
    true = sum((1 - 1 / 40) ** tokens for tokens in range(80))
    assert mean(guesses) == pytest.approx(true, rel=0.05)
    assert mean(naive) < 0.85 * true


def test_the_answers_that_ended_last_count() -> None:
    lengths = _lengths(*[5] * 100)
    assert lengths.left(0, 100) == 5
    for _ in range(ANSWERS):
        lengths.add(30, cut=False)
    assert lengths.left(0, 100) == 30
    assert lengths.left(0, 20) == 20


def test_it_says_whether_anything_is_known() -> None:
    assert not AnswerLengths()
    assert _lengths(cut=(0,))
