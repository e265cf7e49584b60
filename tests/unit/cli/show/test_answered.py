"""Answers to a set side by side, and what of it was not asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.answered import show_answered, show_foreign, show_left_out
from edgekit.console import Console
from edgekit.evaluate.answered import Answered
from edgekit.evaluate.foreign import Foreign
from edgekit.evaluate.on_set import evaluate_set
from edgekit.vqa.dataset import Dataset, LeftOut
from tests.rendered import rows
from tests.toy_sets import question_set, toys


@pytest.fixture
def answered(tmp_path: Path) -> list[Answered]:
    return evaluate_set(toys("q4", "q8")[0], question_set(tmp_path / "set", 3), tmp_path / "out.jsonl")


def with_texts(one: Answered, *texts: str | None) -> Answered:
    predictions = tuple(replace(each, text=text) for each, text in zip(one.predictions, texts, strict=True))
    return replace(one, predictions=predictions, texts={each.question_id: each.text or "" for each in predictions})


@pytest.fixture
def both(answered: list[Answered]) -> list[Answered]:
    return [
        with_texts(answered[0], "no", "no", "no", "maybe", "left", "lung left"),
        with_texts(answered[1], "no", "yes", None, "maybe", "", ""),
    ]


def test_figures_stand_beside_each_other_and_beside_guesses(
    both: list[Answered], capsys: pytest.CaptureFixture[str]
) -> None:
    show_answered(Console(), both)
    shown = rows(capsys.readouterr().out)
    assert shown[0] == ["%", "commonest", "random", "q4", "q8"]
    closed = next(row for row in shown if row[0] == "closed (paper) (4)")
    assert [cell.split(" ±")[0] for cell in closed[1:]] == ["100.0", "100.0", "75.0", "25.0"]
    recall = next(row for row in shown if row[0] == "open, recall (2)")
    assert [cell.split(" ±")[0] for cell in recall[1:]] == ["100.0", "100.0", "75.0", "0.0"]
    assert all("±" in cell for cell in closed[1:])
    assert ["without an answer", "0", "1"] in shown


def test_of_several_is_told_what_changed_against_the_first(
    both: list[Answered], capsys: pytest.CaptureFixture[str]
) -> None:
    show_answered(Console(), both)
    shown = capsys.readouterr().out
    assert "Against q4, on the same questions" in shown
    assert ["closed (paper)", "-2 +0, p = 0.5"] in rows(shown)
    assert "-75.0 (" in shown
    show_answered(Console(), both[:1])
    assert "Against" not in capsys.readouterr().out


def test_what_was_not_asked_has_no_row(both: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    dataset = both[0].dataset
    closed = replace(dataset, items=dataset.items[:4])
    show_answered(Console(), [replace(both[0], dataset=closed)])
    shown = capsys.readouterr().out
    assert "open" not in shown
    assert "without" not in shown


def test_groups_are_shown_where_they_are_asked_for(both: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    show_answered(Console(verbose=True), both)
    assert "language en, closed (paper) (4)" in capsys.readouterr().out


def test_what_a_file_of_predictions_lacks_is_told(both: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    show_foreign(Console(), Foreign(tuple(both), unknown=(7, "x"), other_prompts=2))
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "Passed over, as the set does not ask them: 7, 'x'"
    assert err[1] == "No answer of q8 to 1 questions, which count as wrong: 'q2'"
    assert err[2].startswith("2 prompts are not the set's questions")


@pytest.mark.parametrize(("verbose", "named"), [(False, 10), (True, 12)])
def test_rows_that_are_not_asked_are_named_and_counted(
    verbose: bool, named: int, answered: list[Answered], capsys: pytest.CaptureFixture[str]
) -> None:
    dataset: Dataset = replace(answered[0].dataset, left_out=tuple(LeftOut(number, "gone") for number in range(12)))
    show_left_out(Console(verbose=verbose), dataset)
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "Toy (llava), test: 6 questions"
    assert len(err) == named + 2
    assert err[1] == "Not asked, 0: gone"
    assert err[-1].startswith("12 rows are not asked")


def test_a_form_that_the_rows_do_not_show_is_told(answered: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    show_left_out(Console(), replace(answered[0].dataset, looks_like="slake"))
    assert "look like the form slake, and are read as llava" in capsys.readouterr().err
