"""``edgekit evaluate``: whom it asks how many questions, and what it refuses before minutes of asking."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.compare import Evaluated
from edgekit.evaluate.phantoms import questions, score
from edgekit.phantom.embedded import embedded
from edgekit.target import target

ASKED = questions(6)
SCORES = score(ASKED, [asked.question.answer for asked in ASKED])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of whom."""
    calls: list[Any] = []

    def bundles(paths: Any, asked: Any, slots: Any, progress: object) -> Iterator[Evaluated]:
        calls.append(([str(path) for path in paths], len(asked), slots))
        return (Evaluated(str(path), "q4", 1, "d", SCORES) for path in paths)

    def recipes(checkpoint: Path, by: Any, chosen: object, asked: Any, slots: Any, say: object) -> Iterator[Evaluated]:
        calls.append((checkpoint, [recipe.name for recipe in by], chosen, len(asked), slots))
        return (Evaluated(recipe.name, recipe.name, 1, "d", SCORES) for recipe in by)

    monkeypatch.setattr("edgekit.evaluate.compare.evaluate_bundles", bundles)
    monkeypatch.setattr("edgekit.evaluate.compare.evaluate_recipes", recipes)
    return calls


def test_bundles_are_asked_all_questions_in_their_target_s_slots(asked: list[Any], tmp_path: Path) -> None:
    assert main(["evaluate", "a", "b"]) == 0
    assert main(["evaluate", "a", "--questions", "6", "--slots", "3", "--out", str(tmp_path / "rows")]) == 0
    assert asked == [(["a", "b"], 2400, None), (["a"], 6, 3)]
    assert {json.loads(line)["bundle"] for line in (tmp_path / "rows").read_text().splitlines()} == {"a"}


def test_without_bundles_the_embedded_model_is_asked_by_each_recipe(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--questions", "6"]) == 0
    assert main(["evaluate", "--recipe", "q8", "--questions", "6", "--json"]) == 0
    assert asked == [
        (embedded(), ["fp32", "fp16", "q8", "q4"], target("cpu"), 6, None),
        (embedded(), ["q8"], target("cpu"), 6, None),
    ]
    out = capsys.readouterr().out
    assert json.loads(out[out.index("\n{") :])["name"] == "q8"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["a", "--recipe", "q4"], 2, "--recipe is for the embedded model"),
        (["a", "--questions", "0"], 2, "--questions"),
        (["--recipe", "q5"], 1, "no recipe called 'q5'"),
        (["a", "--out", "{file}/rows"], 1, "can't be written"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    arguments: list[str], code: int, said: str, asked: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["evaluate", *(word.format(file=tmp_path / "file") for word in arguments)]) == code
    assert said in capsys.readouterr().err
    assert not asked
