"""What was answered to a set, as JSON has it, and beside others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.evaluate.answered import Answered, comparisons, document
from edgekit.evaluate.asking import QuestionSet
from edgekit.evaluate.on_set import evaluate_set
from tests.toy_sets import question_set, toys


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    questions = question_set(tmp_path / "set")
    (questions.dataset.folder / "c.png").write_bytes(b"no picture")
    return questions


@pytest.fixture
def answered(questions: QuestionSet, tmp_path: Path) -> list[Answered]:
    return evaluate_set(toys("q4", "q8")[0], questions, tmp_path / "out.jsonl")


def test_its_document_says_what_was_asked_and_each_answer(questions: QuestionSet, answered: list[Answered]) -> None:
    one = document(answered[:1])
    assert {key: one[key] for key in ("name", "recipe", "bytes", "digest")} == {
        "name": "q4", "recipe": "q4", "bytes": 0, "digest": answered[0].digest,
    }  # fmt: skip
    assert one["data"] == questions.dataset.document() | {"failed": 1}
    assert one["closed"] == {name: one["scores"][f"closed_{name}"]["percent"] for name in ("paper", "llava_med")}
    assert one["open_recall"] == one["scores"]["open_recall"]["percent"]
    assert one["baselines"]["majority"]["closed_paper"]["percent"] == 100  # all of the closed ones are "no"
    assert [row["id"] for row in one["rows"]] == [item.id for item in questions.dataset.items]
    lost = one["rows"][3]
    assert lost.pop("error").startswith("c.png is not a picture")
    assert lost == {
        "id": 3, "question": "Is it 3?", "images": ["c.png"], "expected": "no", "answer": None, "closed": True,
    }  # fmt: skip


def test_several_stand_beside_each_other_and_against_the_first(answered: list[Answered]) -> None:
    both = document(answered)
    assert both["bundles"] == [each.document() for each in answered]
    assert both["comparisons"] == [each.document() for each in comparisons(answered)]
    assert [(each["first"], each["second"], each["count"]) for each in both["comparisons"]] == [("q4", "q8", 6)]


def test_where_nothing_counts_there_is_no_score(answered: list[Answered]) -> None:
    nothing = replace(answered[0], texts={})
    one = nothing.document()
    assert (one["closed"], one["open_recall"], one["scores"], one["baselines"]) == (None, None, {}, None)


def test_what_was_lost_is_not_among_what_was_given(answered: list[Answered]) -> None:
    assert set(answered[0].texts) - set(answered[0].given) == {3}
