from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.evaluate.answers import correct, names_every_finding
from edgekit.phantom import Question, ask, scene
from edgekit.phantom.words import NOUNS, description, listed, phrase

SEEDS = st.integers(0, 2**32 - 1)


def described(answer: str) -> Question:
    return Question("description", "description", "Describe the image.", answer)


def short(answer: str) -> Question:
    return Question("open", "what", "What is in the left upper zone?", answer)


@given(SEEDS)
def test_the_right_answer_is_right_however_it_is_written(seed: int) -> None:
    for question in ask(scene(seed), np.random.default_rng(seed)):
        for text in (question.answer, question.answer.upper() + " ", f"  {question.answer.removesuffix('.')}.\n"):
            assert correct(question, text)


@given(SEEDS, SEEDS)
def test_another_scenes_description_is_wrong(seed: int, other: int) -> None:
    one, two = scene(seed).findings, scene(other).findings
    places = sorted(map(phrase, one)) == sorted(map(phrase, two))
    kinds, others = {finding.kind for finding in one}, {finding.kind for finding in two}
    assert correct(described(description(one)), description(two)) == places
    named = kinds <= others if kinds else not others
    assert names_every_finding(described(description(one)), description(two)) == named


@given(SEEDS, SEEDS)
def test_the_order_of_findings_and_their_nouns_do_not_matter(seed: int, order: int) -> None:
    random = np.random.default_rng(order)
    shown = [scene(seed).findings[at] for at in random.permutation(len(scene(seed).findings))]
    said = [phrase(finding).replace(NOUNS[finding.kind][0], NOUNS[finding.kind][-1]) for finding in shown]
    text = f"There is {listed(said)}." if said else "there are no findings"
    assert correct(described(description(scene(seed).findings)), text)
    assert names_every_finding(described(description(scene(seed).findings)), text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("no", "nothing"),
        ("no", "not"),
        ("yes", "yes and no"),
        ("yes", ""),
        ("nothing", "no"),
        ("a nodule", "nodules"),
        ("in the left upper zone", "in the left lower zone"),
        ("on the left", "on the left and on the right"),
        ("one", "1"),
    ],
)
def test_a_part_of_the_answer_or_more_than_it_is_wrong(answer: str, text: str) -> None:
    assert not correct(short(answer), text)


@pytest.mark.parametrize(
    ("answer", "text"), [("a nodule", "The Nodule!"), ("no", " no. "), ("an effusion", "effusion")]
)
def test_articles_case_and_final_punctuation_do_not_count(answer: str, text: str) -> None:
    assert correct(short(answer), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There is",
        "There are no findings.",
        "There is a nodule on the left.",
        "There is a nodule.",
        "There is a nodule in the left upper zone.",
        "There is a nodule in the left upper zone and a chest tube on the left.",
        "There is a nodule in the left upper zone, a drain on the right and a drain on the right.",
        "There is a nodule in the left upper zone, a drain on the right and an enlarged heart.",
        "There is a nodule in the left upper zone and a drain on the right. It is so.",
        "a nodule in the left upper zone and a drain on the right",
    ],
)
def test_a_description_lacks_nothing_and_adds_nothing(text: str) -> None:
    question = described("There is a nodule in the left upper zone and a chest tube on the right.")
    assert not correct(question, text)


def test_nothing_said_does_not_describe_an_empty_scene() -> None:
    assert not correct(described("There are no findings."), "")
    assert not names_every_finding(described("There are no findings."), "")
    assert not names_every_finding(described("There are no findings."), "There is a nodule.")


def test_names_are_whole_words() -> None:
    question = described("There is a nodule in the left upper zone and an effusion on the left.")
    assert names_every_finding(question, "Pleural effusion, nodule")
    assert not names_every_finding(question, "nodules and effusions")
    assert not names_every_finding(question, "a nodule")


@given(st.text())
def test_any_text_can_be_judged(text: str) -> None:
    assert not correct(short("nothing"), text) or "nothing" in text.lower()
    assert not correct(described("There is an enlarged heart."), text) or "heart" in text.lower()
