from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgekit.phantom import words
from edgekit.phantom.questions import Question, ask
from edgekit.phantom.scene import KINDS, Scene, scene
from tests.unit.phantom.oracle import ANSWERS, NAMES, answer

TOPICS = {
    "closed": {
        *("presence", "presence on a side", "heart", "heart, normal or enlarged", "normal", "device", "clear zone"),
        *("left or right", "upper or lower", "one or the other"),
    },
    "open": {"where", "what", "what on a side", "how many", "which device"},
    "description": {"description"},
}


def asked(seed: int, words_seed: int = 0) -> tuple[Scene, list[Question]]:
    shown = scene(seed)
    return shown, ask(shown, np.random.default_rng(words_seed))


MANY = [asked(seed, seed) for seed in range(800)]


@given(st.integers(0, 2**40), st.integers(0, 2**32))
def test_every_answer_is_right(seed: int, words_seed: int) -> None:
    shown, questions = asked(seed, words_seed)
    assert questions
    for question in questions:
        assert question.answer == answer(shown, question.text), (shown.findings, question)


@given(st.integers(0, 2**40), st.integers(0, 2**32))
def test_the_same_seed_asks_the_same(seed: int, words_seed: int) -> None:
    assert asked(seed, words_seed) == asked(seed, words_seed)


def test_every_topic_is_asked_in_several_ways() -> None:
    ways: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    named = re.compile("|".join([*NAMES, "left|right", "upper|lower", "an? "]))
    for _, questions in MANY:
        for question in questions:
            ways[question.form, question.topic].add(named.sub("", question.text))
    assert set(ways) == {(form, topic) for form, topics in TOPICS.items() for topic in topics}
    assert all(len(words) > 1 for words in ways.values())


def test_every_word_for_a_finding_is_used() -> None:
    texts = " ".join(question.text for _, questions in MANY for question in questions)
    assert all(name in texts for name in NAMES)


def test_either_or_questions_name_both_answers() -> None:
    options = [{"left", "right"}, {"upper", "lower"}, {"normal", "enlarged"}]
    for _, questions in MANY:
        for question in questions:
            if question.form != "closed" or question.answer in ("yes", "no"):
                continue
            if question.topic == "one or the other":
                named = [word for word in ANSWERS.values() if word in question.text]
                assert len(named) == 2
                # Neither could be ruled out without the picture.
                zone = "upper" if "upper" in question.text else "lower"
                lying = {"upper": ("a pneumothorax", "a pacemaker"), "lower": ("a pleural effusion", "a chest tube")}
                assert set(named) <= {"a nodule", "a consolidation", *lying[zone]}
            else:
                (named_set,) = [pair for pair in options if question.answer in pair]
                named = [word for word in named_set if re.search(rf"\b{word}\b", question.text.lower())]
                assert len(named) == 2
            assert question.answer in named


def test_closed_questions_have_closed_answers_and_descriptions_are_sentences() -> None:
    closed = {"yes", "no", "left", "right", "upper", "lower", "normal", "enlarged", *ANSWERS.values()}
    for _, questions in MANY:
        for question in questions:
            if question.form == "closed":
                assert question.answer in closed
            assert (question.form == "description") == (question.answer[0].isupper() and question.answer[-1] == ".")


def test_no_slip_of_grammar() -> None:
    for _, questions in MANY:
        for question in questions:
            for text in (question.text, question.answer):
                assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|  |[{}]|\bthe an? ", text)
            assert question.text[-1] in "?."
            assert question.text[0].isupper()


def test_either_option_comes_first_as_often() -> None:
    first = Counter(
        question.text.index(question.answer)
        == min(question.text.index(word) for word in ANSWERS.values() if word in text)
        for _, questions in MANY
        for question in questions
        for text in [question.text]
        if question.topic == "one or the other"
    )
    assert abs(first[True] / first.total() - 0.5) < 0.06


def test_yes_and_no_come_about_as_often() -> None:
    answers = Counter(question.answer for _, questions in MANY for question in questions)
    assert 0.4 < answers["yes"] / (answers["yes"] + answers["no"]) < 0.6


def test_the_words_name_every_kind() -> None:
    assert set(words.NOUNS) == set(KINDS)
    assert {kind: words.name(kind) for kind in KINDS} == ANSWERS
