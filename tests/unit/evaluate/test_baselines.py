"""What guesses score: by hand, and against what chance gives."""

from __future__ import annotations

import pytest

from edgekit.evaluate.baselines import baselines, commonest
from edgekit.vqa.item import Item


def items(*answers: str, closed: bool = True, language: str = "en", start: int = 0) -> list[Item]:
    return [
        Item(id=start + n, question="?", images=(f"{n}.png",), answer=answer, closed=closed, language=language)
        for n, answer in enumerate(answers)
    ]


def test_the_commonest_answer_is_so_in_normal_form() -> None:
    assert commonest(["no", "Yes", "yes.", "the yes"]) == "Yes"
    assert commonest(["left", "right"]) == "left"


def test_each_kind_and_language_has_its_own_commonest_answer() -> None:
    asked = [
        *items("yes", "yes", "no"),
        *items("left lung", "left lung", "rib", "heart", closed=False, start=10),
        *items("有", language="zh", start=20),
    ]
    figures = baselines(asked).majority
    assert figures["closed_paper"].percent == 75
    assert figures["open_recall"].percent == 50
    assert figures["exact_match"].percent == pytest.approx(100 * 5 / 8)


def test_random_answers_are_right_as_often_as_chance_has_it() -> None:
    figures = baselines(items(*["yes"] * 1200, *["no"] * 800)).random
    assert figures["exact_match"].percent == pytest.approx(100 * (0.6**2 + 0.4**2), abs=4)
    assert baselines(items("yes", "no")).document().keys() == {"majority", "random"}
