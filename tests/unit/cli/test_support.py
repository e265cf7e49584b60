"""``edgekit support``: what is shown before it is written, and when it asks."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from edgekit.cli.main import main
from edgekit.serve import support
from edgekit.support import Archive
from edgekit.support.topic import Part
from tests.unit.test_console import Terminal

Capture = pytest.CaptureFixture[str]
NAME = "edgekit-support-20261001T120000Z.tar.gz"


class Typed(Terminal):
    """A terminal at which somebody has typed this."""


@pytest.fixture
def gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Path | None]]:
    """An archive that is there at once; what was asked for: the state's folder and the bundle."""
    asked: list[tuple[Path, Path | None]] = []

    def support_here(state: Path, bundle: Path | None, progress: Callable[[str, int, int], None]) -> Archive:
        asked.append((state, bundle))
        progress("gather", 1, 1)
        return Archive.of([Part("versions.json", "what runs here", '{"edgekit": "0.1.0"}\n')], 1_790_856_000)

    monkeypatch.setattr(support, "support_here", support_here)
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return asked


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Terminal]:
    def install(text: str) -> Terminal:
        screen = Terminal()
        monkeypatch.setattr(sys, "stdin", Typed(text))
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt: sys.stdin.readline().strip())
        return screen

    return install


def test_the_list_is_shown_and_the_archive_lies_here(
    gathered: list[tuple[Path, Path | None]], tmp_path: Path, capsys: Capture
) -> None:
    assert main(["support"]) == 0
    out, err = capsys.readouterr()
    assert out.index("versions.json") < out.index(f"{NAME}: ")
    assert "readable for you alone" in out
    assert f"tar -xzOf {NAME} | less" in out
    assert "gather: done" in err
    assert gathered == [(tmp_path / "state", None)]
    with tarfile.open(tmp_path / NAME) as tar:
        assert (tar.extractfile(tar.getmembers()[1]) or io.BytesIO()).read() == b'{"edgekit": "0.1.0"}\n'


def test_a_script_gets_one_document(gathered: list[tuple[Path, Path | None]], tmp_path: Path, capsys: Capture) -> None:
    assert main(["support", "some/bundle", "--out", "x.tar.gz", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"file", "bytes", "sha256", "files"}
    assert [file["name"] for file in document["files"]] == ["contents.txt", "versions.json"]
    assert (document["file"], document["bytes"]) == ("x.tar.gz", (tmp_path / "x.tar.gz").stat().st_size)
    assert gathered == [(tmp_path / "state", Path("some/bundle"))]


@pytest.mark.parametrize(("typed", "is_written"), [("y\n", True), ("\n", True), ("n\n", False)])
def test_at_a_terminal_it_asks_first(
    typed: str, is_written: bool, gathered: object, tmp_path: Path, type_in: Callable[[str], Terminal]
) -> None:
    screen = type_in(typed)
    assert main(["support"]) == 0
    said = click.unstyle(screen.getvalue())
    assert (tmp_path / NAME).exists() == is_written
    assert ("Nothing was written." in said) != is_written
    assert "versions.json" in said


def test_a_terminal_that_closes_writes_nothing(
    gathered: object, tmp_path: Path, type_in: Callable[[str], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(prompt: str) -> str:
        raise EOFError

    type_in("")
    monkeypatch.setattr("click.termui.visible_prompt_func", gone)
    assert main(["support"]) == 130
    assert not (tmp_path / NAME).exists()


def test_json_asks_nothing_at_a_terminal(gathered: object, tmp_path: Path, type_in: Callable[[str], Terminal]) -> None:
    screen = type_in("n\n")
    assert main(["support", "--json"]) == 0
    assert json.loads(screen.getvalue())["file"] == NAME
    assert (tmp_path / NAME).exists()


def test_nothing_is_gathered_for_a_file_that_is_there(
    gathered: list[tuple[Path, Path | None]], tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "x").write_text("before")
    assert main(["support", "--out", "x"]) == 1
    assert "x exists already" in capsys.readouterr().err
    assert not gathered
