from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from edgekit.console import Console, log_lines
from edgekit.errors import EdgeKitError
from edgekit.target import Budget


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def quiet_logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("edgekit")
    level, handlers = logger.level, logger.handlers[:]
    logger.handlers.clear()
    yield logger
    logger.setLevel(level)
    logger.handlers[:] = handlers


def test_people_get_text_and_scripts_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    for console in (Console(), Console(json=True)):
        console.print("hello")
        console.table(("a", "b"), [("1", "[INST] x"), ("22", "y" * 150)], right=("a",))
        console.fields([("name", "value"), ("longer name", "")])
        console.document({"budget": Budget(static_bytes=5), "sizes": (1, 2)})
        out = capsys.readouterr().out
        if console.json:
            document = json.loads(out)
            assert document["budget"]["static_bytes"] == 5
            assert document["sizes"] == [1, 2]
        else:
            rows = [line.rstrip() for line in out.splitlines()]
            assert rows == ["hello", " a  b", " 1  [INST] x", "22  " + "y" * 150, "name         value", "longer name"]


def test_a_streamed_answer_has_no_line_ends_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    for piece in ("The ", "heart."):
        console.print(piece, end="")
    assert capsys.readouterr().out == "The heart."


def test_names_from_files_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.print("a\x1b[2Jb")
    console.table(("c",), [("a\x1b[2Jb",)])
    console.note("a\x9bb")
    console.error(EdgeKitError("a\x07b", "c\x1bd"))
    captured = capsys.readouterr()
    assert not set(captured.out + captured.err) & {"\x1b", "\x07", "\x9b"}


def test_a_code_is_for_who_looks_at_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Console().code(lambda: ["█▀"])
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys, "stdout", Terminal())
    Console(json=True).code(lambda: ["█▀"])
    Console().code(lambda: ["█▀"])
    assert isinstance(sys.stdout, Terminal)
    assert sys.stdout.getvalue() == "\x1b[97m\x1b[40m█▀\x1b[0m\n"


def test_an_error_is_its_message_then_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Console(json=True).error(EdgeKitError("it broke", "mend it"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Error: it broke\nmend it\n")


def test_progress_in_a_log_is_plain_lines() -> None:
    lines: list[str] = []
    times = iter([0.0, 6.0, 11.0, 18.0, 22.0, 30.0, 31.5])
    progress = log_lines(lines.append, lambda: next(times))
    for done in (0, 10, 20, 30, 40, 100):
        progress("decoder", done, 100)
    progress("vision", 7, 7)
    assert lines == [
        "decoder: 20 %, about 44 s left",
        "decoder: 40 %, about 33 s left",
        "decoder: done in 30.0 s",
        "vision: done in 0.0 s",
    ]


def test_what_goes_on_from_the_middle_is_not_as_fast_as_it_seems() -> None:
    lines: list[str] = []
    times = iter([0.0, 5.0, 200.0])
    progress = log_lines(lines.append, lambda: next(times))
    for done in (40, 45, 50):
        progress("calibrating", done, 100)
    assert lines == ["calibrating: 50 %, about 17 min left"]


def test_a_stage_with_nothing_to_do_is_done() -> None:
    lines: list[str] = []
    log_lines(lines.append)("empty", 0, 0)
    assert len(lines) == 1


def test_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(json=True).progress() as progress:
        progress("decoder", 5, 5)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("decoder: done")


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Console().progress() as progress:
        for done in range(6):
            progress("[decoder]", done, 5)
        progress("vision", 1, 2)
    drawn = terminal.getvalue()
    assert "[decoder]" in drawn
    assert "100%" in drawn
    assert "50%" in drawn


@pytest.mark.usefixtures("quiet_logger")
@pytest.mark.parametrize(
    ("console", "seen"), [(Console(verbose=True), ["kept"]), (Console(debug=True), ["kept", "detail"])]
)
def test_logs_go_to_stderr(console: Console, seen: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    console.show_logs()
    console.show_logs()  # a flag may stand before and after the command's name
    logging.getLogger("edgekit.quantize").info("kept")
    logging.getLogger("edgekit.quantize").debug("detail")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.rsplit(": ", 1)[1] for line in captured.err.splitlines()] == seen
