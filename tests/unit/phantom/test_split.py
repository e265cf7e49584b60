from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations

import pytest

from edgekit.phantom.draw import draw
from edgekit.phantom.scene import scene
from edgekit.phantom.split import SEEDS, Asked, balanced
from tests.unit.phantom.oracle import answer


@pytest.fixture(scope="module")
def test_set() -> list[Asked]:
    return list(balanced("test"))


def test_splits_share_no_phantom() -> None:
    for split, other in combinations(SEEDS.values(), 2):
        assert split[-1] < other[0] or other[-1] < split[0]
    pictures = [draw(scene(seed)).tobytes() for split in SEEDS for seed in SEEDS[split][:10]]
    assert len(set(pictures)) == len(pictures)


def test_the_test_set_is_large_and_always_the_same(test_set: list[Asked]) -> None:
    assert len(test_set) >= 2000
    assert test_set == list(balanced("test"))
    assert all(asked.scene.seed in SEEDS["test"] for asked in test_set)
    assert len({(asked.scene.seed, asked.question.topic) for asked in test_set}) == len(test_set)


def test_fewer_phantoms_are_the_first_ones(test_set: list[Asked]) -> None:
    assert list(balanced("test", 5)) == test_set[:30]


def test_the_answers_are_right(test_set: list[Asked]) -> None:
    for asked in test_set:
        assert asked.question.answer == answer(asked.scene, asked.question.text)


def test_the_forms(test_set: list[Asked]) -> None:
    forms = Counter(asked.question.form for asked in test_set)
    assert forms == {"closed": 1200, "open": 800, "description": 400}


def test_always_yes_scores_half(test_set: list[Asked]) -> None:
    answers = Counter(asked.question.answer for asked in test_set)
    assert 0.48 <= answers["yes"] / (answers["yes"] + answers["no"]) <= 0.52


def test_the_most_frequent_answer_of_a_topic_scores_near_chance(test_set: list[Asked]) -> None:
    topics: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for asked in test_set:
        topics[asked.question.topic][asked.question.answer] += 1
    for topic, answers in topics.items():
        best = max(answers.values()) / answers.total()
        assert answers.total() >= 90, topic
        # Of the lists of what is on a side and of the descriptions there are dozens, most of them rare.
        assert best <= (0.2 if len(answers) > 10 else 1.6 / len(answers)), topic
        if set(answers) == {"yes", "no"}:
            assert best <= 0.52


def test_closed_topics_come_as_often(test_set: list[Asked]) -> None:
    topics = Counter(asked.question.topic for asked in test_set if asked.question.form == "closed")
    topics.pop("one or the other")  # has three times as many answers
    assert max(topics.values()) < 1.1 * min(topics.values())
