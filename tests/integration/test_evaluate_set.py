"""A set asked of the embedded model from the command line: at one go, and after every kind of end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.evaluate.phantoms import questions
from edgekit.phantom.folder import write_folder
from tests.embedded_bundles import EmbeddedBundles

PICTURES = 12
_SLOWLY = """
import sys, time
from edgekit.batch.results import Results
from edgekit.cli.main import main
add = Results.add
Results.add = lambda self, line: (add(self, line), time.sleep(0.02))
sys.exit(main())
"""


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


def ended(out: Path, number: int, enough: Callable[[int], bool], words: list[str]) -> int:
    """End a run that takes its time by a signal when it has written ``enough`` lines, and return how many it has."""
    process = subprocess.Popen([sys.executable, "-c", _SLOWLY, *words], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            if out.exists() and enough(out.read_bytes().count(b"\n")):
                process.send_signal(number)
                break
            time.sleep(0.002)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode in (-number, 128 + number), err
    assert "Traceback" not in err
    return out.read_bytes().count(b"\n")


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
