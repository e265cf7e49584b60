"""How sure a model was: hand-worked answers of a few tokens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.runtime.logprobs import Alternative, TokenLogprob


def token(text: str, share: float, **others: float) -> TokenLogprob:
    """A token of so large a probability, beside others (a blank written "_")."""
    shares = {text: share} | {other.replace("_", " "): each for other, each in others.items()}
    top = [Alternative(each, each.encode(), math.log(value)) for each, value in shares.items()]
    return TokenLogprob(text, text.encode(), math.log(share), tuple(sorted(top, key=lambda one: -one.logprob)))


def of(question: str, *tokens: TokenLogprob) -> AnswerConfidence:
    confidence = AnswerConfidence.of(question, tokens)
    assert confidence is not None
    return confidence


def test_an_open_answer_is_as_sure_as_its_tokens_are_in_the_mean() -> None:
    confidence = of("What is it?", token(" a", 0.5), token(" nodule", 0.125))
    assert confidence.logprob == round((math.log(0.5) + math.log(0.125)) / 2, 2)
    assert (confidence.margin, confidence.alternatives) == (None, ())
    assert confidence.score == pytest.approx(0.25, abs=0.0025)  # the geometric mean of 1/2 and 1/8


def test_yes_is_as_sure_as_it_is_likelier_than_no() -> None:
    confidence = of("Is it there?", token(" yes", 0.6, _no=0.2, maybe=0.1), token(".", 0.01))
    assert confidence.alternatives == ("yes", "no")
    assert confidence.margin == round(math.log(3), 2)
    assert confidence.score == pytest.approx(0.75, abs=0.0025)  # 0.6 of 0.6 + 0.2
    assert of("Is it there?", token("No", 0.2, Yes=0.4)).score == pytest.approx(1 / 3, abs=0.0025)


def test_things_are_compared_where_they_part() -> None:
    question = "Is it in the left lower zone or the left upper zone?"
    tokens = token("left", 0.9, right=0.1), token(" lower", 0.6, _upper=0.3), token(" zone", 0.99)
    assert of(question, *tokens).margin == round(math.log(2), 2)


def test_what_stands_before_a_thing_is_passed_over() -> None:
    question = "Is it on the left or on the right?"
    tokens = token("on", 0.5, in_=0.4), token(" the", 0.9), token(" right", 0.6, _left=0.3)
    assert of(question, *tokens).margin == round(math.log(2), 2)


def test_a_thing_may_be_answered_by_its_first_word_and_yes_may_answer_a_question_with_an_or() -> None:
    zone = of("Is it in the upper or in the lower zone?", token("lower", 0.6, upper=0.3))
    assert zone.margin == round(math.log(2), 2)
    either = of("Is there a mass or a lesion?", token("no", 0.6, yes=0.3))
    assert either.alternatives == ("yes", "no")
    assert either.margin == round(math.log(2), 2)


def test_a_token_in_part_of_a_word_counts_for_the_word_that_it_begins() -> None:
    confidence = of("Is it a nodule or an effusion?", token("n", 0.6, eff=0.2), token("odule", 0.99))
    assert confidence.margin == round(math.log(3), 2)


def test_an_alternative_that_is_not_told_is_less_likely_than_all_that_are() -> None:
    assert of("Is it there?", token("yes", 0.9, maybe=0.05, well=0.01)).margin == round(math.log(90), 2)
    assert of("Is it there?", token("yes", 1.0)).score <= 1


def test_another_answer_than_those_named_has_no_margin() -> None:
    for text in ("perhaps", "nodule", "yesterday"):
        assert of("Is it there?", token(text, 0.5)).margin is None


def test_what_differs_in_the_last_bits_alone_is_told_alike() -> None:
    for shares in ((0.6, 0.2), (0.9999, 0.00005), (0.5, 0.49)):
        first, second = (of("Is it?", token("yes", shares[0] * (1 + by), no=shares[1])) for by in (0.0, 1e-6))
        assert first == second


def test_sure_answers_are_told_apart_by_how_sure_they_are() -> None:
    scores = [of("What?", token("x", 1 - 10.0**-digits)).score for digits in range(1, 6)]
    assert scores == sorted(set(scores))


def test_nothing_said_is_no_confidence() -> None:
    assert AnswerConfidence.of("Is it there?", ()) is None


@given(st.lists(st.floats(-1e4, 0) | st.just(-math.inf), min_size=1, max_size=5), st.sampled_from(["Is it?", "What?"]))
def test_a_score_lies_between_0_and_1_and_is_read_as_it_was_written(logprobs: list[float], question: str) -> None:
    tokens = [TokenLogprob("yes", b"yes", each, (Alternative("no", b"no", -1.0),)) for each in logprobs]
    confidence = of(question, *tokens)
    assert 0 <= confidence.score <= 1
    assert math.isfinite(confidence.logprob)
    assert AnswerConfidence.read(confidence.document()) == confidence
