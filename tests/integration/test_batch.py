"""A day's list asked of the embedded model: here and of a service, at one go and after every kind of end."""

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

from edgekit.bundle import Bundle
from edgekit.cli.main import main
from edgekit.serve.tokens import add
from tests.embedded_bundles import EmbeddedBundles
from tests.served import Slow, png, serving

QUESTIONS = ("Describe the image.", "Is there a nodule?", "Is the heart enlarged?", "Where is the pacemaker?")
SAMPLING = ("--max-tokens", "24", "--temperature", "0.8", "--seed", "7")


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


def listed(folder: Path, pictures: int) -> Path:
    """A list whose questions go around the pictures, with one about two of them, one about none, and three losses."""
    folder.mkdir(exist_ok=True)
    names = [f"{number}.png" for number in range(pictures)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(png(number))
    (folder / "damaged.png").write_bytes(png(0)[:400])
    rows: list[dict[str, Any]] = [
        {"id": f"{name} {question}", "question": question, "image": name} for question in QUESTIONS for name in names
    ]
    rows += [
        {"question": "What changed?", "images": names[:2]},
        {"question": "What is a nodule?"},
        {"question": "Describe.", "image": "lost.png"},
        {"question": "Describe.", "image": "damaged.png"},
        {"question": "Why? " * 600},
    ]
    path = folder / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path: Path) -> dict[Any, dict[str, Any]]:
    """The lines of a file of answers, one a row."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    answers = {line["id"]: line for line in lines}
    assert len(answers) == len(lines)
    return answers


def ask(path: Path, *arguments: str | Path, code: int = 1) -> dict[Any, dict[str, Any]]:
    """Ask a list, which ends with ``code``: 1 for its losses."""
    out = path.with_name(f"{path.stem}.answers.jsonl")
    assert main(["ask", *map(str, arguments), "--batch", str(path), *SAMPLING]) == code
    return read(out)


def killed(path: Path, number: int, enough: Callable[[int], bool], *arguments: str | Path) -> int:
    """End a run by a signal when it has written ``enough`` lines, and return how many it has."""
    out = path.with_name(f"{path.stem}.answers.jsonl")
    command = [sys.executable, "-m", "edgekit", "ask", *map(str, arguments), "--batch", str(path), *SAMPLING]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
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
    return out.read_bytes().count(b"\n")


def test_each_row_has_the_answer_that_ask_gives(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = listed(tmp_path / "day", 2)
    answers = ask(path, bundle.path)
    capsys.readouterr()
    for id, name, question in (("0.png Describe the image.", "0.png", QUESTIONS[0]), (10, "", "What is a nodule?")):
        image = ("--image", str(path.parent / name)) if name else ()
        assert main(["ask", str(bundle.path), question, *image, *SAMPLING, "--json"]) == 0
        alone = json.loads(capsys.readouterr().out)
        line = answers[id]
        assert {key: line[key] for key in ("text", "tokens", "reason", "seed", "notes")} == {
            key: alone[key] for key in ("text", "tokens", "reason", "seed", "notes")
        }
    errors = {id: line["error"] for id, line in answers.items() if line["error"]}
    assert sorted(errors) == [11, 12, 13]
    assert errors[11].startswith("There is no file lost.png")
    assert "damaged.png" in errors[12]
    assert str(tmp_path) not in json.dumps(answers)
    assert "tokens long" in errors[13]


def test_a_run_that_was_ended_and_gone_on_with_says_what_one_at_a_go_says(bundle: Bundle, tmp_path: Path) -> None:
    at_a_go = ask(listed(tmp_path / "one", 12), bundle.path)
    path = listed(tmp_path / "two", 12)
    first = killed(path, signal.SIGKILL, lambda lines: lines > 10, bundle.path)
    assert 10 < first < 48
    with path.with_name("list.answers.jsonl").open("ab") as file:
        file.write(b'{"id": "3.png Descr')  # as a power cut may leave it
    second = killed(path, signal.SIGINT, lambda lines: lines > first + 10, bundle.path)
    assert first + 10 < second < 50
    assert ask(path, bundle.path) == at_a_go


def without_words_of_errors(answers: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Answers with the errors marked alone: a service has other words for some."""
    return {id: line | {"error": line["error"] and True} for id, line in answers.items()}


def test_a_service_gives_the_answers_that_its_bundle_gives(bundle: Bundle, tmp_path: Path) -> None:
    here = ask(listed(tmp_path / "here", 4), bundle.path)
    with serving(bundle) as served:
        there = ask(listed(tmp_path / "there", 4), "--url", served.url)
    assert without_words_of_errors(there) == without_words_of_errors(here)
    assert {id for id, line in there.items() if line["error"]} == {19, 20, 21}


def test_a_run_against_a_service_is_gone_on_with_too(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_go = ask(listed(tmp_path / "one", 12), bundle.path)
    path = listed(tmp_path / "two", 12)
    monkeypatch.setenv("EDGEKIT_TOKEN", add(tmp_path / "tokens.toml", "night", batch=True))
    with serving(bundle, tokens=tmp_path / "tokens.toml", engine=Slow) as served:
        first = killed(path, signal.SIGKILL, lambda lines: lines > 10, "--url", served.url)
        assert 10 < first < 50
        there = ask(path, "--url", served.url)
    assert without_words_of_errors(there) == without_words_of_errors(at_a_go)


def test_what_a_server_does_not_take_is_told(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add(tmp_path / "tokens.toml", "night", batch=True)
    path = listed(tmp_path / "day", 2)
    with serving(bundle, tokens=tmp_path / "tokens.toml") as served:
        for token, model, message in (
            ("", "llava-phantom", "needs a token"),
            ("ek-wrong", "llava-phantom", "This token is not one of this service's."),
            (add(tmp_path / "tokens.toml", "day", batch=True), "gpt-5", "has no model 'gpt-5'; it has: llava-phantom"),
        ):
            monkeypatch.setenv("EDGEKIT_TOKEN", token)
            assert main(["ask", "--batch", str(path), "--url", served.url, "--model", model]) == 1
            assert message in capsys.readouterr().err
    assert path.with_name("list.answers.jsonl").read_bytes() == b""
