"""What the demo prints and decides, with steps made up; that the steps are true is for the integration test."""

from __future__ import annotations

import builtins
import io
import json
import logging
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
from edgekit.cli.show.demo import show_page
from edgekit.console import Console
from edgekit.demo import STEPS, browser, page
from edgekit.errors import EdgeKitError
from edgekit.phantom.embedded import NOTICE
from edgekit.recipe import Recipe
from edgekit.runtime.model import Model
from edgekit.serve.server import Announcement
from edgekit.units import KIB, MIB
from tests.unit.cli.steps import made_up
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]
Install = Callable[..., list[tuple[str, Path]]]


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


def test_every_step_is_shown_in_its_order_and_then_the_notice(steps: Install, capsys: Capture) -> None:
    asked = steps()
    assert main(["demo", "--recipe", "q8", "--out", "a folder/x"]) == 0
    assert asked == [("q8", Path("a folder/x"))]
    out = capsys.readouterr().out
    headings = [out.index(f"{name} ") for name in ("Plan", "Build", "Check", "Profile", "Ask")]
    assert headings == sorted(headings)
    assert out.index("Next") > headings[-1]
    assert " ".join(out.split()).endswith(NOTICE)


def test_no_line_is_wider_than_a_terminal(steps: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    steps()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["demo", "--no-chat"]) == 0
    lines = click.unstyle(terminal.getvalue()).splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) <= 80


def test_json_is_what_every_step_found(steps: Install, capsys: Capture) -> None:
    steps()
    assert main(["demo", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == [*STEPS, "notice"]
    assert document["plan"]["weights"]["q4"] == {"vision": 96 * KIB, "decoder": 160 * KIB}
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
    flags: list[str],
    steps: Install,
    chats: list[object],
    pages: list[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps()
    monkeypatch.setattr(builtins, "input", lambda prompt: pytest.fail("it waits for an answer"))
    assert main(["demo", *flags]) == 0
    assert not chats
    assert not pages


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path]]:
    """Pages that were served, each announced and then ended: the bundle and the demo's folder."""
    served: list[tuple[Path, Path]] = []

    def serve_page(bundle: Path, out: Path, announce: Callable[[Announcement], None]) -> None:
        served.append((bundle, out))
        announcement = Announcement(
            url="http://127.0.0.1:8081/", model="toy", bundle="b", slots=2, context=9, tokens=False, loaded_s=0.5
        )
        announce(announcement)

    monkeypatch.setattr(page, "serve_page", serve_page)
    monkeypatch.setattr(browser, "open_page", lambda url, variables: False)
    return served


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(builtins, "input", lambda prompt: pytest.fail("it asks"))
    return screen


@pytest.mark.parametrize("is_opened", [True, False])
def test_at_a_terminal_it_ends_with_the_page(
    is_opened: bool, steps: Install, pages: list[tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_page(url: str, variables: object) -> bool:
        opened.append(url)
        return is_opened

    steps()
    screen = at_a_terminal(monkeypatch)
    monkeypatch.setattr(browser, "open_page", open_page)
    assert main(["demo", "--out", "a/x"]) == 0
    assert pages == [(Path("a/x/q4"), Path("a/x"))]
    assert opened == ["http://127.0.0.1:8081/"]
    said = click.unstyle(screen.getvalue())
    assert said.index("Next") < said.index("Serve    http://127.0.0.1:8081/\n") < said.index("The service has ended")
    assert ("opens in your browser" in said) == is_opened
    assert "a/x/service" in said


def test_no_line_of_the_page_s_is_wider_than_a_terminal(capsys: Capture) -> None:
    for is_opened in (True, False):
        show_page(Console(), "http://127.0.0.1:65535/", Path("build/out/demo"), is_opened=is_opened)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("flags", [["--no-chat"], ["--json"], ["--chat"]])
def test_it_serves_no_page_where_something_else_is_asked_for(
    flags: list[str],
    steps: Install,
    chats: list[object],
    pages: list[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps()
    at_a_terminal(monkeypatch)
    assert main(["demo", *flags]) == 0
    assert not pages
    assert len(chats) == ("--chat" in flags)


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_half_a_terminal_is_none(
    stream: str, steps: Install, pages: list[tuple[Path, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps()
    at_a_terminal(monkeypatch)
    monkeypatch.setattr(sys, stream, io.StringIO())
    assert main(["demo"]) == 0
    assert not pages


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "msgspec"])
def test_without_the_extra_it_says_how_to_get_the_page_and_ends_well(
    library: str, steps: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps()
    screen = at_a_terminal(monkeypatch)
    for name in [name for name in sys.modules if name.startswith(("edgekit.serve", "edgekit.demo.page", library))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    assert main(["demo"]) == 0
    assert "pip install 'edgekit[serve]'" in screen.getvalue()


@pytest.mark.parametrize(
    ("flags", "level"), [([], logging.WARNING), (["--verbose"], logging.INFO), (["--debug"], logging.DEBUG)]
)
def test_a_request_is_no_line_at_the_terminal_unless_it_is_asked_for(
    flags: list[str],
    level: int,
    steps: Install,
    pages: list[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps()
    at_a_terminal(monkeypatch)
    assert main(["demo", *flags]) == 0
    assert logging.getLogger("edgekit").level == level


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
