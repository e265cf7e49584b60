"""`edgekit restore`: what is brought back is said, and nothing is while a service runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.commands import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    with Ward.open(tmp_path / "state", master_key(tmp_path / "state")) as ward:
        for label in ("one", "two"):
            ward.conversations.create("account 1", label=label)
    (tmp_path / "safe").mkdir()
    run("backup", str(tmp_path / "data"), "--keys", str(tmp_path / "safe" / "keys"))
    return tmp_path / "state"


def test_what_was_deleted_since_is_counted(state: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ["restore", str(tmp_path / "data"), "--keys", str(tmp_path / "safe" / "keys")]
    with Ward.open(state, master_key(state), serving=True) as ward:
        ward.conversations.delete("account 1", ward.conversations.list("account 1")[0].id)
        assert main(words) == 1
        assert "A service is running" in capsys.readouterr().err
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "Restored: 1 conversations" in out
    assert "1 conversations were deleted since" in out
    document = run(*words)
    assert (document["conversations"], document["deleted"], document["key"]) == (1, 1, None)
    assert document["replaced"] == str(state / "replaced-2")


def test_a_mistake_is_a_message(tmp_path: Path, capsys: Capture) -> None:
    assert main(["restore", str(tmp_path / "data")]) == 2
    assert main(["restore", str(tmp_path / "nowhere"), "--keys", str(tmp_path / "safe" / "keys")]) == 1
    assert "no backup" in capsys.readouterr().err
    assert main(["restore", str(tmp_path / "data"), "--keys", str(tmp_path / "nowhere")]) == 1
    assert "can't be read" in capsys.readouterr().err
