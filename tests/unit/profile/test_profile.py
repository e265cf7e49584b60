"""The process that measures: whatever ends it, there is one clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.errors import ConfigError, EdgeKitError, EngineError
from edgekit.profile import profile as measured

MODULE = sys.modules[measured.__module__]


def test_what_the_child_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError, match="is not a bundle") as error:
        measured(tmp_path, "What?", tmp_path / "none.png")
    assert "edgekit build" in error.value.hint


@pytest.mark.parametrize(
    ("script", "error", "what"),
    [
        ("import os; os.kill(os.getpid(), 9)", EngineError, "ended by SIGKILL"),
        ("raise MemoryError('no memory left')", EngineError, "no memory left"),
        ("print('{}')", EngineError, "no answer"),
        ('print(\'["done", {"load_s": 1}]\')', ConfigError, "profile"),
    ],
)
def test_a_child_that_dies_or_says_nonsense_is_one_error(
    script: str, error: type[EdgeKitError], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "python", lambda *arguments: [sys.executable, "-c", script])
    with pytest.raises(error, match=what):
        measured(tmp_path, "What?", tmp_path / "none.png")


def test_the_child_ends_with_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Interrupted(subprocess.Popen):  # type: ignore[type-arg]
        def communicate(self, *arguments: object, **named: object) -> tuple[str, str]:
            started.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(MODULE, "python", lambda *arguments: [sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path, "What?", tmp_path / "none.png")
    assert started[0].wait(timeout=10) != 0
