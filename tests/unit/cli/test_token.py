"""`edgekit token`: a secret is shown once, and what follows is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.serve.tokens import Tokens
from tests.commands import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    return tmp_path / "tokens.toml"


def test_a_token_is_added_listed_and_removed(file: Path, capsys: Capture) -> None:
    assert main(["token", "list"]) == 0
    assert "edgekit token add NAME" in capsys.readouterr().out
    assert main(["token", "add", "ward-7"]) == 0
    secret, _, rest = capsys.readouterr().out.partition("\n")
    match = Tokens.load(file).match(secret)
    assert match
    assert match.name == "ward-7"
    assert "this once" in rest
    assert main(["token", "list"]) == 0
    out = capsys.readouterr().out
    assert "ward-7" in out
    assert secret not in out
    assert match.sha256 not in out
    assert main(["token", "remove", "ward-7"]) == 0
    assert "asks for none on loopback" in capsys.readouterr().err
    assert Tokens.load(file).match(secret) is None


def test_a_program_gets_the_secret_and_where_it_counts(file: Path) -> None:
    added = run("token", "add", "night", "--batch")
    match = Tokens.load(file).match(added["secret"])
    assert match
    assert added == {"name": "night", "batch": True, "secret": added["secret"], "file": str(file)}
    listed = run("token", "list")
    assert listed == {"file": str(file), "tokens": [{"name": "night", "batch": True, "created": match.created}]}
    assert run("token", "remove", "night") == {"file": str(file), "tokens": []}


def test_a_mistake_is_a_message(capsys: Capture) -> None:
    assert main(["token", "add", "a b"]) == 1
    assert main(["token", "remove", "nobody"]) == 1
    err = capsys.readouterr().err
    assert "no name for a token" in err
    assert "There are none at all." in err
