"""The doctor's word: one each, the last one that he said."""

from __future__ import annotations

import pytest

from edgekit.errors import InputError, NotHere
from edgekit.ward.feedback import LONGEST, Verdict, Word
from edgekit.ward.ward import Ward

ME = "account 1"


@pytest.fixture
def turn(ward: Ward) -> str:
    turn = ward.turns.add(ME, ward.conversations.create(ME).id, "?").id
    ward.turns.finish(turn, "No.", "whole")
    return turn


def said(ward: Ward, turn: str) -> Verdict | None:
    conversation = ward.turns.conversation_of(ME, turn)
    assert conversation
    return ward.turns.of(ME, conversation)[0].verdict


@pytest.mark.parametrize(
    ("verdict", "answer", "kept"),
    [("right", "", ""), ("wrong", "left out", ""), ("answer", "  A small effusion.\n", "A small effusion.")],
)
def test_the_last_word_counts(ward: Ward, turn: str, verdict: Word, answer: str, kept: str) -> None:
    ward.feedback.give(ME, turn, "wrong")
    ward.feedback.give(ME, turn, verdict, answer)
    assert said(ward, turn) == Verdict(verdict, kept)
    assert len(ward.database.rows("SELECT * FROM feedback")) == 1


@pytest.mark.parametrize(
    ("verdict", "answer", "match"),
    [
        ("maybe", "", "no verdict"),
        ("answer", " \n", "missing"),
        ("answer", "x" * (LONGEST + 1), "at most"),
    ],
)
def test_what_says_nothing_is_refused(ward: Ward, turn: str, verdict: Word, answer: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        ward.feedback.give(ME, turn, verdict, answer)
    assert said(ward, turn) is None


def test_only_an_answer_that_ended_is_judged(ward: Ward) -> None:
    turn = ward.turns.add(ME, ward.conversations.create(ME).id, "?").id
    for _ in range(2):
        with pytest.raises(NotHere):
            ward.feedback.give(ME, turn, "right")
        ward.turns.finish(turn, "", "failed")
