"""The literature's scores: by hand, and by what must hold of any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.evaluate.metrics import (
    Closed,
    Metrics,
    closed_llava_med,
    closed_paper,
    exact,
    measure,
    normal,
    recall,
    token_f1,
)

WORDS = st.lists(st.sampled_from(["left", "lung", "effusion", "7", "rib", "yes"]), max_size=6).map(" ".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Left Lung", "left lung"),
        ("an effusion, a nodule", "effusion nodule"),  # the comma touches a space: nothing stays
        ("right-sided", "right sided"),  # touches none: a space stays
        ("right-sided - yes", "rightsided yes"),  # touches one elsewhere in the text: nothing stays
        ("x/y", "x y"),
        ("x/y /", "xy"),
        ("1,000 mg/dl", "1000 mgdl"),  # a number with a comma: every mark goes without a trace
        ("1,a mg/dl", "1 mg dl"),
        ("3.5 cm.", "3.5 cm"),
        ("e.g. this", "eg this"),
        ("None of ten", "0 of 10"),
        ("two, zero", "2 0"),
        ("dont, wouldn'tve", "don't wouldn't've"),
        ("somebody'd", "somebodyd"),
        ("it's", "it's"),
        ("yes!", "yes"),
        ("(yes)", "yes"),
        ("", ""),
        ("a.", ""),
        ("x\ty\nz", "x y z"),
    ],
)
def test_normal_form_by_hand(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_the_papers_profile_leaves_periods_after_the_first_32() -> None:
    text = "x. " * 40
    assert normal(text) == " ".join(["x"] * 40)
    assert normal(text, "paper") == " ".join(["x"] * 32 + ["x."] * 8)
    assert recall("x.", text) == 1
    assert recall("z.x", "z.x z.x") == 1
    assert normal("2.5 " * 40 + "x.", "paper").endswith("2.5 x")  # a period before a digit is not one of the 32


@given(st.text())
def test_no_mark_article_or_capital_is_left(text: str) -> None:
    words = normal(text).split(" ")
    assert not {"a", "an", "the", "none", "one"} & set(words)
    assert not set(';/[]"{}()=+\\_-><@`,?!') & set(normal(text))
    assert normal(text) == normal(text.lower())
    assert words == normal(text).split() or normal(text) == ""


@pytest.mark.parametrize(
    ("gold", "text", "share"),
    [
        ("left lung", "the left lung", 1),
        ("left lung", "left", 1 / 2),
        ("left lung", "left left left", 3 / 4),  # repeating a right word counts, as in the reference
        ("left left lung", "lung", 1 / 3),
        ("left left lung", "left", 1 / 2),  # once is enough for a word that is wanted twice
        ("two", "2 ribs", 1),
        ("left lung", "", 0),
        ("left lung", "right side", 0),
        ("", "left", 0),
        ("the", "the", 0),  # an article is no word
    ],
)
def test_recall_by_hand(gold: str, text: str, share: float) -> None:
    assert recall(gold, text) == pytest.approx(share)


@given(WORDS, WORDS)
def test_recall_is_a_share_and_whole_when_every_word_is_there(gold: str, text: str) -> None:
    wanted, said = set(gold.split()), set(text.split())
    assert 0 <= recall(gold, text) <= 1
    assert (recall(gold, text) == 1) == (bool(wanted) and wanted <= said)
    assert (recall(gold, text) == 0) == (not wanted & said)


@pytest.mark.parametrize(
    ("gold", "text", "paper", "llava_med"),
    [
        ("Yes", "yes, there is", True, True),
        ("no", "Nothing.", True, True),  # a part of a word counts in both: so do they in the reference
        ("no", "yes", False, False),
        ("yes", "there is one", False, False),
        ("left", "on the left", True, False),  # neither yes nor no stands in it
        ("left", "no, on the left", True, True),
        ("2", "yes, two", False, True),  # number words are digits in normal form only
        ("a nodule", "nodule, no doubt", False, True),
        ("yes", "", False, False),
    ],
)
def test_closed_by_hand(gold: str, text: str, paper: bool, llava_med: bool) -> None:
    assert closed_paper(gold, text) == paper
    assert closed_llava_med(gold, text) == llava_med


def test_every_row_counts() -> None:
    closed = [("yes", "yes"), ("no", "yes"), ("left", "left"), ("yes", "")]
    metrics = measure(closed, [("left lung", "left"), ("two", "2"), ("x", "")])
    assert metrics == Metrics(Closed(paper=50, llava_med=25), open_recall=50)


def test_what_was_not_asked_has_no_score() -> None:
    assert measure([], []) == Metrics(None, None)
    assert measure([("no", "no")], []).open_recall is None
    assert measure([], [("x", "x")]).closed is None


@pytest.mark.parametrize(
    ("gold", "text", "same", "f1"),
    [
        ("left lung", "The left lung.", True, 1),
        ("Yes ", "yes", True, 1),  # trailing blanks are no part of an answer
        ("two", "2", True, 1),
        ("dont", "don't", True, 1),
        ("left lung", "left", False, 2 / 3),
        ("left lung", "left left", False, 1 / 2),  # a word that is said twice is right once
        ("left lung", "lung left", False, 1),
        ("no", "normal", False, 0),  # whole words alone: what the closed metrics pass over
        ("no", "nothing is seen", False, 0),
        ("3.5 cm", "3.5 cm.", True, 1),
        ("1,000", "1000", True, 1),
        ("left", "", False, 0),
        ("the", "the", False, 0),  # nothing is left of either
    ],
)
def test_exact_match_and_f1_by_hand(gold: str, text: str, same: bool, f1: float) -> None:
    assert exact(gold, text) is same
    assert token_f1(gold, text) == pytest.approx(f1)


@given(WORDS, WORDS)
def test_f1_is_even_and_whole_for_the_same_words(gold: str, text: str) -> None:
    f1 = token_f1(gold, text)
    assert 0 <= f1 <= 1
    assert f1 == pytest.approx(token_f1(text, gold))
    assert (f1 == 1) == (gold != "" and sorted(gold.split()) == sorted(text.split()))
    assert f1 <= 2 * recall(gold, text)
    if exact(gold, text):
        assert f1 == recall(gold, text) == 1


@given(st.text(alphabet="abc AN one.,'-7", max_size=20))
def test_normal_form_settles_at_once_but_for_marks_that_touch(text: str) -> None:
    """A period may come to stand at a word's end only when a mark behind it has gone; nothing else changes again."""
    once = normal(text)
    assert normal(normal(once)) == normal(once)
