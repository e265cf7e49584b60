from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from edgekit import __version__
from edgekit.child import environment, python


def test_a_child_finds_the_modules_that_its_parent_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    done = subprocess.run(python("edgekit", "--version"), capture_output=True, env=environment(), cwd=tmp_path)
    assert done.stdout.decode() == f"edgekit {__version__}\n"


def test_a_child_keeps_the_rest_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert environment()["OMP_NUM_THREADS"] == "7"
