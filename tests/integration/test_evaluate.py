"""``edgekit evaluate`` from the command line to figures: the answers are those of ``edgekit ask``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.phantoms import questions
from edgekit.phantom import draw
from tests.checkpoints import write_checkpoint

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    write_checkpoint(folder / "checkpoint")
    for recipe in ("q8", "q4"):
        arguments = ["build", str(folder / "checkpoint"), "--target", "cpu", "--recipe", recipe]
        assert main([*arguments, "--out", str(folder / recipe)]) == 0
    return folder


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command with ``--json``; its document."""

    def command(*arguments: object) -> Any:
        capsys.readouterr()
        assert main([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return command


def test_one_bundle_in_full(good: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "new" / "rows.jsonl"
    found = run("evaluate", good / "q4", "--questions", 18, "--out", out)
    assert set(found["closed"]) == {"paper", "llava_med"}
    assert 0 <= found["open_recall"] <= 100
    assert (found["name"], found["recipe"]) == ("q4", "q4")
    assert found["bytes"] > 0
    right = found["right"]
    assert {form: right[form]["total"] for form in right} == {
        "closed": 9,
        "open": 6,
        "description": 3,
        "names_every_finding": 3,
    }
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert lines == [{"bundle": "q4", **row} for row in found["rows"]]
    assert [row["question"] for row in lines] == [asked.question.text for asked in questions(18)]
    assert [row["seed"] for row in lines] == [asked.scene.seed for asked in questions(18)]


def test_its_answers_are_those_that_ask_gives(good: Path, tmp_path: Path, run: Run) -> None:
    rows = run("evaluate", good / "q4", "--questions", 9, "--slots", 1)["rows"]
    for row, one in list(zip(rows, questions(9), strict=True))[::3]:
        draw(one.scene).save(tmp_path / "phantom.png")
        arguments = ("--image", tmp_path / "phantom.png", "--max-tokens", 48)
        assert run("ask", good / "q4", row["question"], *arguments)["text"].strip() == row["answer"]
    assert len({row["answer"] for row in rows}) > 1


def test_slots_change_no_answer(good: Path, run: Run) -> None:
    few, many = (run("evaluate", good / "q4", "--questions", 12, "--slots", slots)["rows"] for slots in (2, 5))
    assert few == many


def test_bundles_side_by_side(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(good / "q8"), str(good / "q4"), "--questions", "12", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert all(
        label in out for label in ("on disk", "closed (6)", "open (4)", "description (2)", "names every finding")
    )
    assert "Answers that turned wrong (-) and right (+) against q8" in out
    assert all(asked.question.topic in out for asked in questions(12))
    assert out.splitlines()[0].split()[-2:] == ["q8", "q4"]


def test_without_a_bundle_the_embedded_model_is_built_by_each_recipe(
    good: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.phantom.embedded.embedded", lambda: good / "checkpoint")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = run("evaluate", "--questions", 6)["bundles"]
    assert [scores["name"] for scores in found] == ["fp32", "fp16", "q8", "q4"]
    assert [scores["bytes"] for scores in found] == sorted((scores["bytes"] for scores in found), reverse=True)
    assert found[3]["rows"] == run("evaluate", good / "q4", "--questions", 6)["rows"]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{q4}", "--recipe", "q4"], 2, "--recipe is for the embedded model"),
        (["{q4}", "--questions", "0"], 2, "--questions"),
        (["{q4}", "{checkpoint}"], 1, "edgekit build"),
        (["--recipe", "q5"], 1, "no recipe called 'q5'"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(
    good: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    places = {"q4": good / "q4", "checkpoint": good / "checkpoint"}
    assert main(["evaluate", *(word.format(**places) for word in arguments)]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "answering" not in printed.err
    assert printed.out == ""


def test_bundles_of_one_name_are_told_apart(good: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "q4").symlink_to(good / "q4")
    found = run("evaluate", good / "q4", tmp_path / "q4", "--questions", 1)["bundles"]
    assert [scores["name"] for scores in found] == [str(good / "q4"), str(tmp_path / "q4")]
    assert found[0]["open_recall"] is None or found[0]["closed"] is None


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_asked(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "rows.jsonl"
    assert main(["evaluate", str(good / "q4"), "--out", str(out)]) == 1
    captured = capsys.readouterr()
    assert not captured.out
    assert f"{out} can't be written" in captured.err
