"""``edgekit ask --batch``: what reaches a list's run, and what can't be meant."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.batch.address import Address
from edgekit.batch.run import Summary
from edgekit.cli.main import main
from edgekit.runtime import SamplingParams
from edgekit.runtime.model import Model

Capture = pytest.CaptureFixture[str]
SUMMARY = Summary(
    out=Path("o.jsonl"),
    model="m",
    fingerprint=None,
    rows=3,
    answered=3,
    answered_before=1,
    failed=0,
    tokens=5,
    seconds=1.5,
)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was run: the list, who answers, how, and where to."""
    asked: list[Any] = []

    def run(batch: Any, answerer: Any, params: SamplingParams, out: Path | None, progress: Any) -> Summary:
        asked.append((batch, answerer, params, out))
        return SUMMARY

    def opened(path: Path) -> Any:
        manifest = SimpleNamespace(source=f"model of {path}")
        return nullcontext(SimpleNamespace(bundle=SimpleNamespace(manifest=manifest), fingerprint="edgekit-0"))

    monkeypatch.setattr("edgekit.batch.run.run", run)
    monkeypatch.setattr(Model, "open", opened)
    return asked


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.jsonl"
    path.write_text('{"question": "Why?"}\n')
    return path


def test_a_bundle_is_asked_a_file_of_questions(runs: list[Any], listed: Path, capsys: Capture) -> None:
    assert main(["ask", "b", "--batch", str(listed), "--max-tokens", "9", "--stop", "x", "--out", "o.jsonl"]) == 0
    ((batch, answerer, params, out),) = runs
    assert [row.question for row in batch.rows] == ["Why?"]
    assert answerer.model == "model of b"
    assert (params, out) == (SamplingParams(max_tokens=9, stop=("x",)), Path("o.jsonl"))
    assert capsys.readouterr().out == "3 of 3 answered, 1 of them before: o.jsonl\n"


def test_a_folder_is_asked_a_question_and_what_is_no_picture_is_said(
    runs: list[Any], tmp_path: Path, capsys: Capture
) -> None:
    for name in ("a.png", "b.txt"):
        (tmp_path / name).touch()
    assert main(["ask", "b", "Describe.", "--batch", str(tmp_path), "--json"]) == 0
    ((batch, *_, out),) = runs
    assert ([(row.id, row.question) for row in batch.rows], out) == ([("a.png", "Describe.")], None)
    captured = capsys.readouterr()
    assert json.loads(captured.out) == SUMMARY.document()
    assert "Left out, as no pictures: b.txt" in captured.err


class Server:
    """Stands for a server that is asked."""

    def __init__(self, address: Address, model: str | None) -> None:
        self.address, self.model = address, model


@pytest.mark.parametrize("authority", [[], ["--ca", "none"]], ids=["plain", "authority"])
def test_a_server_is_asked_as_the_options_say(
    authority: list[str],
    runs: list[Any],
    listed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setattr("edgekit.batch.remote.Remote", Server)
    (tmp_path / "token").write_text("ek-1\n")
    options = ["--url", "https://ward7", "--model", "m", "--token-file", str(tmp_path / "token"), *authority]
    code = main(["ask", "--batch", str(listed), *options])
    if authority:
        assert (code, runs) == (1, [])
        assert "The certificate authority none can't be read" in capsys.readouterr().err
        return
    ((_, answerer, _, _),) = runs
    assert (answerer.address.url, answerer.address.token, answerer.model) == ("https://ward7", "ek-1", "m")


def test_without_a_bundle_the_question_comes_first(
    runs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgekit.batch.remote.Remote", Server)
    monkeypatch.setenv("EDGEKIT_TOKEN", "ek-2")
    (tmp_path / "a.png").touch()
    assert main(["ask", "What is it?", "--batch", str(tmp_path), "--url", "http://ward7"]) == 0
    ((batch, answerer, _, _),) = runs
    assert [row.question for row in batch.rows] == ["What is it?"]
    assert (answerer.address.token, answerer.model) == ("ek-2", None)


def test_rows_without_an_answer_are_an_error_at_the_end(
    runs: list[Any], listed: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    lost = replace(SUMMARY, answered=1, failed=2)
    monkeypatch.setattr("edgekit.batch.run.run", lambda *arguments: lost)
    assert main(["ask", "b", "--batch", str(listed), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["failed"] == 2
    assert "2 of 3 rows have no answer" in captured.err
    assert "See 'error' in o.jsonl" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--batch", "list.jsonl"],
        ["b", "--batch", "list.jsonl", "--chat"],
        ["b", "--batch", "list.jsonl", "--image", "a.png"],
        ["b", "Why?", "--out", "o.jsonl"],
        ["b", "Why?", "--url", "http://ward7"],
        ["b", "--batch", "list.jsonl", "--token-file", "t"],
        ["b", "Why?", "--batch", "pictures", "--url", "http://ward7"],
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: list[str], runs: list[Any]) -> None:
    assert main(["ask", *arguments]) == 2
    assert not runs


def test_a_list_that_cannot_be_read_is_told_before_the_model_is_opened(runs: list[Any], capsys: Capture) -> None:
    assert main(["ask", "b", "--batch", "nowhere.jsonl"]) == 1
    assert "There is no file or folder nowhere.jsonl" in capsys.readouterr().err
    assert not runs
