"""Answers to a set side by side, and what of it was not asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.show.answered import show_answered, show_left_out
from edgekit.console import Console
from edgekit.evaluate.on_set import Answered, evaluate_set
from edgekit.vqa.dataset import Dataset, LeftOut
from tests.rendered import rows
from tests.toy_sets import question_set, toys


@pytest.fixture
def answered(tmp_path: Path) -> list[Answered]:
    return evaluate_set(toys("q4", "q8")[0], question_set(tmp_path / "set", 3), tmp_path / "out.jsonl")


def with_texts(one: Answered, *texts: str | None) -> Answered:
    return replace(
        one,
        predictions=tuple(replace(each, text=text) for each, text in zip(one.predictions, texts, strict=True)),
    )


def test_figures_stand_beside_each_other(answered: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    first = with_texts(answered[0], "no", "no", "no", "maybe", "left", "lung left")
    second = with_texts(answered[1], "no", "yes", None, "maybe", "", "")
    show_answered(Console(), [first, second], Path("out.jsonl"))
    shown = rows(capsys.readouterr().out)
    assert shown[0] == ["%", "q4", "q8"]
    assert ["closed (paper)", "75.0", "25.0"] in shown
    assert ["open, recall", "75.0", "0.0"] in shown
    assert ["without an answer", "0", "1"] in shown
    assert shown[-1] == ["Answers: out.jsonl"]


def test_what_was_not_asked_has_no_row(answered: list[Answered], capsys: pytest.CaptureFixture[str]) -> None:
    dataset = answered[0].dataset
    closed = replace(dataset, items=dataset.items[:4])
    show_answered(Console(), [replace(answered[0], dataset=closed)], Path("out.jsonl"))
    shown = capsys.readouterr().out
    assert "open" not in shown
    assert "without" not in shown


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
