"""A set asked of the embedded model from the command line: at one go, and after every kind of end."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.phantoms import questions
from edgekit.phantom.folder import write_folder
from tests.embedded_bundles import EmbeddedBundles
from tests.ended import ended

PICTURES = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms as VQA-RAD has its pictures: 72 questions, six about each."""
    folder = tmp_path_factory.mktemp("set") / "rad"
    write_folder(folder, "vqa-rad", "test", PICTURES)
    return folder


@pytest.fixture(scope="module")
def bundles(embedded_as: EmbeddedBundles) -> tuple[str, str]:
    return str(embedded_as("q4").path), str(embedded_as("q8").path)


def arguments(data: Path, out: Path, *bundles: str) -> list[str]:
    return ["evaluate", *bundles, "--data", str(data), "--split", "test", "--out", str(out)]


def test_a_run_that_was_ended_and_gone_on_with_writes_what_one_at_a_go_does(
    data: Path, bundles: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert main([*arguments(data, whole, *bundles), "--json"]) == 0
    at_a_go = json.loads(capsys.readouterr().out)
    words = arguments(data, out, *bundles)
    first = ended(out, signal.SIGKILL, lambda lines: lines > 10, words)
    assert 10 < first < 144
    with out.open("ab") as file:
        file.write(whole.read_bytes()[:90])  # as a power cut may leave it
    second = ended(out, signal.SIGINT, lambda lines: lines > max(first, 80), words)
    assert max(first, 80) < second < 144
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == at_a_go
    assert out.read_bytes() == whole.read_bytes()
    rows = [json.loads(line) for line in whole.read_text(encoding="utf-8").splitlines()]
    assert [row["model_id"] for row in rows] == ["q4"] * 72 + ["q8"] * 72
    assert len({row["answer_id"] for row in rows}) == 144


def test_phantoms_that_are_files_are_answered_as_those_that_are_drawn(
    data: Path, bundles: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def evaluate(*words: str) -> Any:
        capsys.readouterr()
        assert main([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    from_files = evaluate(*arguments(data, tmp_path / "out.jsonl", bundles[0]), "--slots", "3")
    drawn = evaluate("evaluate", bundles[0], "--questions", str(len(questions(6 * PICTURES))))
    assert [row["answer"] for row in from_files["rows"]] == [row["answer"] for row in drawn["rows"]]
    assert from_files["closed"] == drawn["closed"]


def test_a_picture_that_is_none_and_one_that_is_lost_cost_their_own_questions_alone(
    data: Path, bundles: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "rad"
    write_folder(folder, "vqa-rad", "test", 3)
    first, second, _ = sorted((folder / "images").iterdir())
    first.unlink()
    second.write_bytes(second.read_bytes()[:400])
    assert main([*arguments(folder, tmp_path / "out.jsonl", bundles[0]), "--json"]) == 1
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert len(document["data"]["left_out"]) == document["data"]["failed"] == 6
    assert "6 rows are not asked" in printed.err
    assert "6 of 12 questions have no answer" in printed.err
    answers = [row["answer"] for row in document["rows"]]
    assert answers[:6] == [None] * 6
    assert all(answers[6:])


def test_pictures_of_scanners_are_asked_as_any(
    bundles: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pictures are pydicom's own, the questions ours."""
    pydicom = pytest.importorskip("pydicom")
    files = Path(pydicom.__file__).parent / "data" / "test_files"
    asked = [
        ("CT_small.dcm", "Is this a CT?", "Yes", "CLOSED", "MODALITY"),
        ("MR_small.dcm", "Is this a CT?", "No", "CLOSED", "MODALITY"),
        ("rtdose.dcm", "What does the image show?", "a dose", "OPEN", "OTHER"),
        ("CT_small.dcm", "Is there a nodule?", "No", "CLOSED", "PRES"),
    ]
    keys = ("image_name", "question", "answer", "answer_type", "question_type")
    rows = [{"qid": number, **dict(zip(keys, row, strict=True))} for number, row in enumerate(asked, 1)]
    (tmp_path / "images").mkdir()
    for name, *_ in asked:
        shutil.copy(files / name, tmp_path / "images")
    (tmp_path / "test.json").write_text(json.dumps(rows))
    assert main([*arguments(tmp_path, tmp_path / "out.jsonl", bundles[0]), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in document["rows"]] == [1, 2, 3, 4]
    assert set(document["closed"]) == {"paper", "llava_med"}
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    notes = [line["metadata"]["notes"] for line in lines]
    assert notes[0] == notes[1] == notes[3] == []
    assert "15 frames" in notes[2][0]
