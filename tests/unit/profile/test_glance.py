"""The process that measures: whatever ends it, there is one clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit import child
from edgekit.errors import ConfigError, EdgeKitError, EngineError
from edgekit.profile import glance as look

MODULE = sys.modules[look.__module__]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any folder passes for a bundle here: what is measured is a stand-in, too."""
    manifest = SimpleNamespace(target=SimpleNamespace(slots=2))
    monkeypatch.setattr(MODULE, "open_bundle", lambda path: SimpleNamespace(manifest=manifest))


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="is not a bundle") as error:
        look(tmp_path, "What?", tmp_path / "none.png")
    assert "edgekit build" in error.value.hint


@pytest.mark.usefixtures("opened")
def test_what_the_child_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="is not a bundle"):
        look(tmp_path, "What?", tmp_path / "none.png")


@pytest.mark.parametrize(
    ("script", "error", "what"),
    [
        ("import os; os.kill(os.getpid(), 9)", EngineError, "was ended by SIGKILL"),
        ("raise MemoryError('no memory left')", EngineError, "no memory left"),
        ("print('{}')", EngineError, "no answer"),
        ('print(\'["done", {"load_s": 1}]\')', ConfigError, "profile"),
    ],
)
@pytest.mark.usefixtures("opened")
def test_a_child_that_dies_or_says_nonsense_is_one_error(
    script: str, error: type[EdgeKitError], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "python", lambda *arguments: [sys.executable, "-c", script])
    with pytest.raises(error, match=what):
        look(tmp_path, "What?", tmp_path / "none.png")


@pytest.mark.usefixtures("opened")
def test_the_child_ends_with_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)  # type: ignore[call-overload]
            started.append(self)

    def interrupt(line: str) -> object:
        raise KeyboardInterrupt

    script = "print('[]', flush=True); import time; time.sleep(60)"
    monkeypatch.setattr(MODULE, "python", lambda *arguments: [sys.executable, "-c", script])
    monkeypatch.setattr(subprocess, "Popen", Noted)
    monkeypatch.setattr(child, "_words", interrupt)
    with pytest.raises(KeyboardInterrupt):
        look(tmp_path, "What?", tmp_path / "none.png")
    assert started[0].wait(timeout=10) != 0
