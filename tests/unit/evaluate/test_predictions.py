"""The file of predictions: gone on with by the run that began it, and by no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.evaluate.asking import QuestionSet, predictions
from edgekit.evaluate.prediction import Prediction
from edgekit.evaluate.predictions import PREDICTIONS, default_out, predictions_file
from edgekit.runtime import SamplingParams
from tests.toy_sets import Engine, question_set, toy_model

NAMES = ("q4", "q8")
FINGERPRINT = "edgekit-0000000000000000"


@pytest.fixture
def questions(tmp_path: Path) -> QuestionSet:
    return question_set(tmp_path / "set")


@pytest.fixture
def lines(questions: QuestionSet) -> list[Prediction]:
    return list(predictions(toy_model(Engine(2, context=160)), "q4", questions))


def written(path: Path, lines: Sequence[Prediction], rest: bytes = b"") -> Path:
    path.write_bytes(b"".join(line.line() for line in lines) + rest)
    return path


def opened(path: Path, questions: QuestionSet, names: Sequence[str] = NAMES) -> set[Any]:
    """The questions that ``q4`` has answered by a file that is opened."""
    with predictions_file(path, questions, names) as file:
        return set(file.answered("q4", FINGERPRINT))


def test_what_was_answered_is_not_asked_again_and_a_cut_line_is(
    questions: QuestionSet, lines: list[Prediction], tmp_path: Path
) -> None:
    path = written(tmp_path / "out.jsonl", lines[:3], lines[3].line()[:70])
    assert opened(path, questions) == {line.question_id for line in lines[:3]}
    assert path.read_bytes() == b"".join(line.line() for line in lines[:3])


def test_an_error_is_asked_again(questions: QuestionSet, lines: list[Prediction], tmp_path: Path) -> None:
    lost = replace(lines[0], text=None, metadata=lines[0].metadata | {"error": "It is lost."})
    assert opened(written(tmp_path / "out.jsonl", [lost, lines[1]]), questions) == {lines[1].question_id}


def test_in_the_end_lines_stand_as_bundles_and_questions_do(
    questions: QuestionSet, lines: list[Prediction], tmp_path: Path
) -> None:
    path = tmp_path / "out.jsonl"
    with predictions_file(path, questions, NAMES) as file:
        for line in reversed(lines):
            file.add(replace(line, model_id="q8"))
        for line in lines:
            file.add(line)
        assert [line.question_id for line in file.of("q8")] == [item.id for item in questions.dataset.items]
        file.arrange((*NAMES, "q4"))
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["model_id"], row["question_id"]) for row in rows] == [
        (name, item.id) for name in NAMES for item in questions.dataset.items
    ]
    assert list(rows[0]) == ["question_id", "prompt", "text", "answer_id", "model_id", "metadata"]


def other_set(questions: QuestionSet) -> QuestionSet:
    items = questions.dataset.items
    return replace(questions, dataset=replace(questions.dataset, items=(*items[:-1], replace(items[-1], answer="x"))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_set, "answers to other data than .*q.json"),
        (lambda one: replace(one, dataset=replace(one.dataset, items=one.dataset.items[1:])), "answers to other data"),
        (lambda one: replace(one, dataset=replace(one.dataset, split="train")), "of another split"),
        (lambda one: replace(one, params=SamplingParams(max_tokens=13)), "of other options"),
    ],
)
def test_answers_of_another_run_are_refused_and_stay(
    change: Any, message: str, questions: QuestionSet, lines: list[Prediction], tmp_path: Path
) -> None:
    path = written(tmp_path / "out.jsonl", lines, b'{"question_id": 7')
    before = path.read_bytes()
    with pytest.raises(InputError, match=message) as refused:
        opened(path, change(questions))
    assert "--out" in refused.value.hint
    assert path.read_bytes() == before


def test_answers_of_other_bundles_are_refused(questions: QuestionSet, lines: list[Prediction], tmp_path: Path) -> None:
    path = written(tmp_path / "out.jsonl", lines)
    with pytest.raises(InputError, match="of 'q4', which is not asked"):
        opened(path, questions, ("q8",))
    with (
        predictions_file(path, questions, NAMES) as file,
        pytest.raises(InputError, match="of another bundle called 'q4'"),
    ):
        file.answered("q4", "edgekit-1")


def test_a_picture_that_has_changed_is_another(questions: QuestionSet, lines: list[Prediction], tmp_path: Path) -> None:
    path = written(tmp_path / "out.jsonl", lines)
    (questions.dataset.folder / "c.png").unlink()
    assert len(opened(path, questions)) == 6
    (questions.dataset.folder / "b.png").write_bytes(b"changed")
    with pytest.raises(InputError, match="about a picture that has changed since"):
        opened(path, questions)


@pytest.mark.parametrize("text", [b'{"question_id": 1, "text": "no"}\n', b"no\n", b'[{"qid": 1}]'])
def test_another_file_is_left_as_it_is(text: bytes, questions: QuestionSet, tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(text)
    with pytest.raises(InputError, match="holds no predictions of EdgeKit's"):
        opened(path, questions)
    assert path.read_bytes() == text


def test_somebody_else_s_predictions_are_not_gone_on_with(lines: list[Prediction]) -> None:
    assert PREDICTIONS.read(lines[0].line()) == lines[0]
    assert PREDICTIONS.read(replace(lines[0], metadata={}).line()) is None


def test_where_nobody_says_otherwise_it_lies_here(questions: QuestionSet) -> None:
    assert default_out(questions.dataset) == Path("llava-test.predictions.jsonl")
