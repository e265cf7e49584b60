"""Files of predictions that anybody wrote: paired by id, and refused where they are of another set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.evaluate.foreign import Foreign, read_predictions
from edgekit.evaluate.on_set import evaluate_set
from edgekit.vqa.dataset import Dataset
from tests.toy_sets import question_set, toys


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Six questions, with the ids q0, 1, q2, 3, q4 and 5."""
    return question_set(tmp_path / "set").dataset


def lines(dataset: Dataset, **more: Any) -> list[dict[str, Any]]:
    return [{"question_id": item.id, "text": "no", **more} for item in dataset.items]


def scored(rows: list[Any], dataset: Dataset) -> Foreign:
    path = dataset.folder / "theirs.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return read_predictions(path, dataset)


def test_answers_are_paired_by_id_in_any_order(dataset: Dataset) -> None:
    foreign = scored(lines(dataset)[::-1], dataset)
    (answered,) = foreign.answered
    assert (answered.name, answered.failed, foreign.unknown, foreign.other_prompts) == ("theirs", (), (), 0)
    assert answered.scores.figures["closed_paper"].percent == 100
    assert answered.scores.figures["open_recall"].percent == 0
    assert (answered.bytes, answered.recipe, answered.digest) == (None, None, None)


def test_an_id_may_be_text_or_a_number(dataset: Dataset) -> None:
    rows = [{**row, "question_id": str(row["question_id"])} for row in lines(dataset)]
    assert scored(rows, dataset).answered[0].failed == ()


def test_a_question_without_a_line_counts_as_wrong(dataset: Dataset) -> None:
    (answered,) = scored(lines(dataset)[1:], dataset).answered
    assert [each.question_id for each in answered.failed] == ["q0"]
    assert answered.scores.figures["closed_paper"].percent == 75
    assert answered.document()["rows"][0]["error"] == "the file has no line for it"


def test_lines_that_the_set_does_not_ask_are_told(dataset: Dataset) -> None:
    foreign = scored([*lines(dataset), {"question_id": 77, "text": "yes"}], dataset)
    assert foreign.unknown == (77,)
    assert foreign.answered[0].scores.figures["closed_paper"].count == 4


def test_our_own_file_scores_as_it_did_when_it_was_written(tmp_path: Path, dataset: Dataset) -> None:
    answered = evaluate_set(toys("q4", "q8")[0], question_set(dataset.folder), tmp_path / "out.jsonl")
    foreign = read_predictions(tmp_path / "out.jsonl", dataset)
    assert [each.name for each in foreign.answered] == ["q4", "q8"]
    assert [each.scores.figures for each in foreign.answered] == [each.scores.figures for each in answered]


def test_prompts_that_ask_something_else_are_counted(dataset: Dataset) -> None:
    rows = lines(dataset)
    for row, item in zip(rows, dataset.items, strict=True):
        row["prompt"] = f"<image>\n{item.question}  Answer by a word."
    rows[2]["prompt"] = "What is it?"
    assert scored(rows, dataset).other_prompts == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question_id": 77, "text": "x"}], r"answers none of the 6 questions of .* \(test\)"),
        ([{"question_id": 1, "text": "x"}, {"question_id": "1", "text": "y"}], "Lines 1 and 2 of .* both answer 1"),
        ([{"question_id": 1, "text": "x", "prompt": "Why?"}], "No prompt in .* asks a question of"),
        (["", '{"question_id": 1, "te'], r"Line 2 of .*theirs\.jsonl is not valid JSON"),
        ([{"id": 1, "text": "x"}], "Line 1 of .* has no 'question_id' and 'text'"),
        (["[1]"], "Line 1 of .* has no 'question_id' and 'text'"),
        ([{"question_id": True, "text": "x"}], "neither text nor a whole number"),
        ([{"question_id": 1, "text": 7}], "has a 'text' that is no text"),
        ([" "], "is empty"),
    ],
)
def test_what_is_no_file_of_this_set_is_refused(rows: list[Any], message: str, dataset: Dataset) -> None:
    with pytest.raises(InputError, match=message):
        scored(rows, dataset)


def test_a_file_that_can_t_be_read_is_named(dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jsonl can't be read"):
        read_predictions(dataset.folder / "nowhere.jsonl", dataset)
    (dataset.folder / "a.jsonl").write_bytes(b"\xff\xfe{")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_predictions(dataset.folder / "a.jsonl", dataset)


def test_a_lost_answer_by_an_id_of_the_other_kind_is_not_among_what_was_given(dataset: Dataset) -> None:
    (answered,) = scored([*lines(dataset)[2:], {"question_id": "1", "text": None}], dataset).answered
    assert set(answered.given) == {item.id for item in dataset.items[2:]}
