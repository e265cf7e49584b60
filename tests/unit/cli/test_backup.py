"""`edgekit backup`: data and keys, each where it is said, and mistakes are messages."""

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


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    with Ward.open(tmp_path / "state", master_key(tmp_path / "state")) as ward:
        ward.conversations.create("account 1", label="one")
    return tmp_path / "state"


def test_data_and_keys_are_written(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "safe").mkdir()
    assert main(["backup", str(tmp_path / "data"), "--keys", str(tmp_path / "safe" / "keys")]) == 0
    out = capsys.readouterr().out
    assert "1 conversations" in out
    assert "Keep it apart" in out
    document = run("backup", str(tmp_path / "data.tar"))
    assert (document["backup"]["conversations"], document["keys"]) == (1, None)
    assert {path.name for path in tmp_path.iterdir()} == {"site", "state", "data", "safe", "data.tar"}


def test_a_mistake_is_a_message(tmp_path: Path, capsys: Capture) -> None:
    assert main(["backup"]) == 2
    assert "give a PLACE" in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    assert main(["backup", str(tmp_path / "data")]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["backup", str(tmp_path / "monday"), "--keys", str(tmp_path / "keys")]) == 1
    assert "keys beside what they lock protect nothing" in capsys.readouterr().err
    assert not (tmp_path / "monday").exists()


@pytest.mark.parametrize("words", [["backup", "data"], ["restore", "data", "--keys", "keys"]])
def test_what_is_missing_is_named(words: list[str]) -> None:
    script = """
import sys
sys.modules["sqlcipher3"] = None
from edgekit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "needs the extra 'serve'" in done.stderr
