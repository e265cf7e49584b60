"""What the demo prints and decides, with steps made up; that the steps are true is for the integration test."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

import edgekit.demo
from edgekit.cli import chat
from edgekit.cli.main import main
from edgekit.demo import SEED, STEPS, DemoBundle, DemoScores, Planned, Shown
from edgekit.errors import EdgeKitError
from edgekit.evaluate.phantoms import ScoredAnswer
from edgekit.evaluate.share import Share
from edgekit.machine.memory import Memory
from edgekit.phantom.embedded import NOTICE
from edgekit.profile.glance import Glance
from edgekit.recipe import Recipe
from edgekit.runtime.model import Model
from edgekit.units import KIB, MIB
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]
Install = Callable[..., list[tuple[str, Path]]]

ROWS = (
    ScoredAnswer(
        seed=SEED,
        form="closed",
        topic="heart",
        question="Is the heart enlarged?",
        expected="yes",
        answer="yes",
        right=True,
    ),
    ScoredAnswer(
        seed=SEED,
        form="open",
        topic="where",
        question="Where is the nodule?",
        expected="on the left",
        answer="on the right",
        right=False,
    ),
)


def made_up(out: Path) -> list[Any]:
    return [
        Planned("llava-phantom", 4_672_256, {"fp16": {"vision": 2 * MIB}, "q4": {"vision": 96 * KIB}}),
        DemoBundle(
            bundle=str(out / "q4"), recipe="q4", target="cpu", bytes=3 * MIB, files=8, compiled=True, seconds=1.26
        ),
        DemoScores({"closed": Share(28, 30), "open": Share(19, 20)}, 0.84),
        Glance(
            before=Memory(30 * MIB, 20 * MIB),
            loaded=Memory(40 * MIB, 25 * MIB),
            peak=Memory(50 * MIB, 27 * MIB),
            load_s=0.0713,
            first_token_ms=12.4,
            tokens_per_s=801.6,
        ),
        Shown(str(out / "phantom.png"), ROWS),
    ]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put made-up steps in the place of the demo's own; returns what it is asked for."""

    def install(error: BaseException | None = None, after: int = 5) -> list[tuple[str, Path]]:
        asked: list[tuple[str, Path]] = []

        def demo(precision: Recipe, out: Path, progress: object) -> Iterator[Any]:
            asked.append((precision.name, out))
            yield from made_up(out)[:after]
            if error is not None:
                raise error

        monkeypatch.setattr(edgekit.demo, "demo", demo)
        return asked

    return install


def test_every_step_is_shown_and_what_to_do_next(steps: Install, capsys: Capture) -> None:
    asked = steps()
    assert main(["demo", "--recipe", "q8", "--out", "a folder/x"]) == 0
    assert asked == [("q8", Path("a folder/x"))]
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for line in (
        "Plan llava-phantom, 4.67 million parameters",
        "vision 2.00 MiB 96.0 KiB",
        "Build q4 for cpu in 1.3 s: 3.00 MiB, sealed, compiled, verified",
        "Check 47 of 50 right in 0.8 s: closed 28/30, open 19/20",
        "Python and libraries 30.0 MiB 20.0 MiB 50.0 MiB",
        "with the model loaded 40.0 MiB 25.0 MiB 65.0 MiB",
        "at its peak 50.0 MiB 27.0 MiB 77.0 MiB",
        "load 71 ms",
        "speed 802 tokens/s",
        "Is the heart enlarged? yes yes ✓",
        "Where is the nodule? on the right on the left ✗",
        "edgekit ask 'a folder/x/q4' --chat --image 'a folder/x/phantom.png'",
        "edgekit build CHECKPOINT --target cpu",
    ):
        assert line in lines
    assert " ".join(lines).endswith(NOTICE)


def test_figures_of_every_line_add_up(steps: Install, capsys: Capture) -> None:
    steps()
    main(["demo"])
    everything = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["all", "2.00", "MiB", "96.0", "KiB"] in everything


def test_no_line_is_wider_than_a_terminal(steps: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    steps()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["demo", "--no-chat"]) == 0
    lines = click.unstyle(terminal.getvalue()).splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) <= 80


def test_headings_and_marks_have_colours_where_they_are_seen(
    steps: Install, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    steps()
    main(["demo"])
    assert "\x1b" not in capsys.readouterr().out
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["demo", "--no-chat"])
    assert "\x1b[1mPlan" in terminal.getvalue()
    assert "\x1b[32m✓" in terminal.getvalue()
    assert "\x1b[31m✗" in terminal.getvalue()
    monkeypatch.setattr(sys, "stdout", plain := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    main(["demo", "--no-chat"])
    assert "\nBuild    q4" in plain.getvalue()
    assert "\x1b[3" not in plain.getvalue()


def test_json_is_what_every_step_found(steps: Install, capsys: Capture) -> None:
    steps()
    assert main(["demo", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == [*STEPS, "notice"]
    assert document["plan"]["weights"]["q4"] == {"vision": 96 * KIB}
    assert document["check"]["forms"]["open"] == {"right": 19, "total": 20}
    assert document["profile"]["peak"] == {"own_bytes": 50 * MIB, "mapped_bytes": 27 * MIB}
    assert document["ask"]["answers"][1]["answer"] == "on the right"
    assert document["notice"] == NOTICE


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(EdgeKitError("no space", "make room"), 1, "Error: no space"), (KeyboardInterrupt(), 130, "")],
)
def test_what_ends_a_step_begins_a_line(
    error: BaseException, code: int, said: str, steps: Install, capsys: Capture
) -> None:
    steps(error, after=2)
    assert main(["demo"]) == code
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].strip() == "Check"
    assert out.endswith("\n")
    assert said in err


@pytest.fixture
def chats(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Chats that were begun: their pictures."""
    begun: list[object] = []

    class Talk:
        def __init__(self, console: object, model: object, params: object, pictures: object) -> None:
            begun.append(pictures)

        def go_on(self) -> None: ...

    class Opened:
        def __enter__(self) -> None: ...
        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr(chat, "Chat", Talk)
    monkeypatch.setattr(Model, "open", lambda path, slots: Opened())
    monkeypatch.setattr("edgekit.inputs.images.load_image", lambda path: path)
    return begun


@pytest.mark.parametrize("flags", [[], ["--no-chat"], ["--json"]])
def test_the_demo_ends_by_itself_where_nobody_types(
    flags: list[str], steps: Install, chats: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps()
    monkeypatch.setattr(builtins, "input", lambda prompt: pytest.fail("it waits for an answer"))
    assert main(["demo", *flags]) == 0
    assert not chats


@pytest.mark.parametrize(("typed", "begun"), [("y", 1), (" Yes ", 1), ("", 0), ("n", 0), (EOFError(), 0)])
def test_at_a_terminal_it_offers_a_chat(
    typed: str | EOFError, begun: int, steps: Install, chats: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(prompt: str) -> str:
        assert "[y/N]" in prompt
        if isinstance(typed, EOFError):
            raise typed
        return typed

    steps()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(builtins, "input", answer)
    assert main(["demo"]) == 0
    assert len(chats) == begun


def test_chat_is_gone_into_without_a_question(
    steps: Install, chats: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps()
    monkeypatch.setattr(builtins, "input", lambda prompt: pytest.fail("it asks"))
    assert main(["demo", "--chat", "--out", "x"]) == 0
    assert chats == [(Path("x/phantom.png"),)]


def test_chat_is_no_json(steps: Install, capsys: Capture) -> None:
    assert not steps()
    assert main(["demo", "--chat", "--json"]) == 2


def test_a_folder_that_cant_be_written_is_an_error_that_names_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", "--out", str(tmp_path / "file" / "demo")]) == 1
    said = capsys.readouterr()
    assert (said.out.strip(), "--out FOLDER" in said.err, "file" in said.err) == ("", True, True)

    monkeypatch.setattr("os.access", lambda path, mode: False)  # for root, every folder can be written
    assert main(["demo", "--out", str(tmp_path / "locked")]) == 1
    assert "Permission denied" in capsys.readouterr().err
