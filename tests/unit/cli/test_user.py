"""`edgekit user`: a link is shown once, and each change is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.serve.here import ServiceHere, telling
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.commands import run
from tests.mirrored import ROOT
from tests.wards import PASSWORD

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_from_the_link_to_the_end(state: Path, capsys: Capture) -> None:
    assert main(["user", "list"]) == 0
    assert "edgekit user add NAME" in capsys.readouterr().out
    assert main(["user", "add", "ada", "--admin", "--url", "https://ward7.example"]) == 0
    link, _, rest = capsys.readouterr().out.partition("\n")
    assert link.startswith("https://ward7.example/#invitation=")
    assert "'ada'" in rest
    assert "this once" in rest
    assert "█" not in rest, "no code where nobody looks at it"
    with Ward.open(state, master_key(state)) as ward:
        ward.invitations.accept(link.partition("=")[2], PASSWORD)
    for arguments, words in (
        (["list"], "by password"),
        (["role", "ada", "doctor"], "'ada' is a doctor"),
        (["disable", "ada"], "no, disabled"),
        (["enable", "Ada"], "by password"),
        (["reset", "ada"], "#invitation="),
        (["remove", "ada"], "'ada' is gone."),
    ):
        assert main(["user", *arguments]) == 0
        assert words in capsys.readouterr().out


def test_a_program_gets_the_same(state: Path) -> None:
    added = run("user", "add", "ada")
    assert added == {"name": "ada", "role": "doctor", "link": added["link"], "days": 7.0}
    assert added["link"].startswith("http://127.0.0.1:8080/#invitation=")
    (account,) = run("user", "list")["accounts"]
    assert account == {
        "name": "ada",
        "role": "doctor",
        "created": account["created"],
        "disabled": False,
        "has_password": False,
    }
    assert run("user", "role", "ada", "admin")["role"] == "admin"
    assert run("user", "disable", "ada")["disabled"]
    assert not run("user", "enable", "ada")["disabled"]
    assert run("user", "reset", "ada")["link"] != added["link"]
    assert run("user", "remove", "ada", "--with-conversations") == {"name": "ada", "conversations": 0}


def test_a_link_begins_as_the_service_that_runs_says(state: Path, capsys: Capture) -> None:
    state.mkdir(mode=0o700)
    with telling(state, ServiceHere("https://127.0.0.1:9000/", ("https://ward7.local:9000/",))):
        assert main(["user", "add", "ada"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("https://ward7.local:9000/#invitation=")
    assert not told.err
    assert main(["user", "reset", "ada"]) == 0
    guessed = capsys.readouterr()
    assert guessed.out.startswith("http://127.0.0.1:8080/#invitation=")
    assert "If that isn't http://127.0.0.1:8080/," in guessed.err
    assert "in place of that at the link's beginning" in guessed.err
    assert main(["user", "reset", "ada", "--url", "http://127.0.0.1:8080"]) == 0
    assert not capsys.readouterr().err, "what was given is no guess"


@pytest.mark.parametrize("arguments", [["list"], ["add", "ada"], ["enable", "ada"]])
def test_without_the_extra_it_says_which(arguments: list[str]) -> None:
    script = "import sys; sys.modules.update(dict.fromkeys(('sqlcipher3', 'argon2', 'cryptography')));"
    script += "from edgekit.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "user", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "pip install 'edgekit[serve]'" in done.stderr


def test_a_mistake_is_a_message(capsys: Capture) -> None:
    assert main(["user", "remove", "ada"]) == 1
    assert main(["user", "add", "a b"]) == 1
    assert main(["user", "add", "ada", "--url", "ward7"]) == 1
    assert main(["user", "role", "ada", "nurse"]) == 2
    err = capsys.readouterr().err
    for words in ("no accounts in", "no name for an account", "no address of a page", "nurse"):
        assert words in err
