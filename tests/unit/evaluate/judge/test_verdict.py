"""A reply's two scores, or that it has none: nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.evaluate.judge.verdict import Scores, Unscored, verdict


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("8 7\nThe first names the side.", 8, 7),
        ("10 1", 10, 1),
        ("8.5 7", 8.5, 7),
        ("8, 7", 8, 7),
        ("8,7", 8, 7),
        ("\n  8   7 \r\nwhy", 8, 7),
        ("**8 7**\nwhy", 8, 7),
        ("`8 7`.", 8, 7),
        ("8 7\nI'm sorry for the first.", 8, 7),
    ],
)
def test_two_scores_alone_on_the_first_line(text: str, first: float, second: float) -> None:
    assert verdict(text, None, "stop") == Scores(first, second)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  \n ",
        "8",
        "8 7 6",
        "8/10 7/10",
        "Assistant 1: 8, Assistant 2: 7",
        "8 7 The first is better",
        "The scores are:\n8 7",
        "0 7",
        "8 0",
        "11 7",
        "8 10.5",
        "-8 7",
        "eight seven",
        "87",
        "8e0 7",
        "nan 7",
        "٨ ٧",
        "8 - 7",
    ],
)
def test_anything_else_is_unparseable(text: str | None) -> None:
    unscored = verdict(text, None, "stop")
    assert isinstance(unscored, Unscored)
    assert unscored.kind == "unparseable"
    assert unscored.reason


@pytest.mark.parametrize(
    ("text", "refusal", "finish"),
    [
        ("I'm sorry, but I can't help with that.", None, "stop"),
        ("I’m very sorry, no.", None, "stop"),
        ("I cannot rate medical answers.", None, "stop"),
        ("As an AI, I don't.", None, "stop"),
        ("Sorry.", None, "stop"),
        (None, "I won't.", "stop"),
        ("8 7", "I won't.", "stop"),
        ("8", None, "content_filter"),
        (None, "filtered", "content_filter"),
    ],
)
def test_a_refusal_is_told_from_what_can_t_be_read(text: str | None, refusal: str | None, finish: str) -> None:
    unscored = verdict(text, refusal, finish)
    assert isinstance(unscored, Unscored)
    assert unscored.kind == "refused"


def test_a_first_line_that_was_cut_may_lack_a_digit() -> None:
    assert isinstance(verdict("8 1", None, "length"), Unscored)
    assert verdict("8 1\nThe", None, "length") == Scores(8, 1)


@given(st.text(), st.none() | st.text(), st.none() | st.text())
def test_whatever_comes_is_scores_from_1_to_10_or_a_reason(text: str, refusal: str | None, finish: str | None) -> None:
    each = verdict(text, refusal, finish)
    assert each.reason if isinstance(each, Unscored) else min(each.first, each.second) >= 1


@given(st.integers(-2, 13), st.integers(-2, 13), st.text())
def test_scores_are_taken_where_both_are_from_1_to_10(first: int, second: int, why: str) -> None:
    each = verdict(f"{first} {second}\n{why}", None, "stop")
    assert isinstance(each, Scores) == (1 <= first <= 10 and 1 <= second <= 10)
