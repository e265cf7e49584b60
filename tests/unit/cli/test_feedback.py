"""`edgekit feedback export`: a new folder, or one clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.commands import run
from tests.mirrored import ROOT

Capture = pytest.CaptureFixture[str]
ME = "this machine"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_what_was_judged_is_written_while_the_service_runs(state: Path, tmp_path: Path, capsys: Capture) -> None:
    with Ward.open(state, master_key(state), serving=True) as ward:
        turn = ward.turns.add(ME, ward.conversations.create(ME).id, "What is it?").id
        ward.turns.finish(turn, "A phantom.", "whole")
        ward.feedback.give(ME, turn, "right")
        folder = tmp_path / "out"
        assert run("feedback", "export", str(folder)) == {
            "folder": str(folder),
            "rows": 1,
            "undecided": 0,
            "pictures": 0,
        }
        assert main(["feedback", "export", str(folder)]) == 1
        assert "exists already" in capsys.readouterr().err


def test_where_nothing_is_kept_it_says_so(tmp_path: Path, state: Path, capsys: Capture) -> None:
    assert main(["feedback", "export", str(tmp_path / "out")]) == 1
    assert "Nothing is kept in" in capsys.readouterr().err
    assert not state.exists()


def test_without_the_extra_it_says_which(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['sqlcipher3'] = None; from edgekit.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "feedback", "export", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'edgekit[serve]'" in done.stderr
