from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit import __version__
from edgekit.child import Overdue, environment, listen, python


def test_a_child_finds_the_modules_that_its_parent_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    done = subprocess.run(python("edgekit", "--version"), capture_output=True, env=environment(), cwd=tmp_path)
    assert done.stdout.decode() == f"edgekit {__version__}\n"


def test_a_child_keeps_the_rest_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert environment()["OMP_NUM_THREADS"] == "7"


def test_a_child_imports_nothing_from_the_working_directory(tmp_path: Path) -> None:
    for name in ("edgekit", "runpy", "json", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of somebody else's')")
    environ = environment()
    environ.pop("PYTHONSAFEPATH")  # as on Python 3.10, which does not know it
    done = subprocess.run(python("edgekit", "--version"), capture_output=True, env=environ, cwd=tmp_path)
    assert done.stdout.decode() == f"edgekit {__version__}\n"


def test_a_child_gets_its_arguments_as_they_are(tmp_path: Path) -> None:
    arguments = ["evaluate", "--questions", "a b"]
    done = subprocess.run(python("edgekit", *arguments), capture_output=True, env=environment(), cwd=tmp_path)
    assert done.returncode == 2
    assert "'a b' is not a valid integer" in done.stderr.decode()


def test_a_child_gets_variables_that_this_process_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "telling.py").write_text("import json, os\nprint(json.dumps(['done', os.environ['EDGEKIT_TOLD']]))\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert listen(python("telling"), "Telling", variables={"EDGEKIT_TOLD": "a word"}) == ["a word"]
    assert "EDGEKIT_TOLD" not in os.environ


def test_a_child_that_takes_too_long_is_ended() -> None:
    """It would wait for as long as this process runs."""
    with pytest.raises(Overdue, match="Waiting took longer than 0 s") as error:
        listen([sys.executable, "-c", "import sys; sys.stdin.read()"], "Waiting", seconds=0.2)
    assert error.value.signal == signal.SIGKILL


def test_a_child_that_has_time_enough_gives_its_result() -> None:
    assert listen([sys.executable, "-c", "print('[\"done\", 1]')"], "Waiting", seconds=600) == [1]
