"""`edgekit tls`: an authority is made, kept and shown, and its commands are there without what they need."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.mirrored import ROOT

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    return tmp_path / "tls"


def test_an_authority_is_made_kept_and_made_anew(folder: Path, capsys: Capture) -> None:
    assert main(["tls", "show"]) == 1
    assert "Run: edgekit tls make" in capsys.readouterr().err
    given = ("--name", "ward7.example", "--name", "ward7", "--address", "10.0.4.0/24")
    first = run("tls", "make", *given)
    assert first["made"] == ["authority", "leaf"]
    assert {"ward7.example", "ward7", "10.0.4.0/24"} <= set(first["authority"]["names"])
    assert run("tls", "make", *given)["made"] == []
    assert run("tls", "show")["authority"] == first["authority"]
    assert main(["tls", "make", "--name", "ward8.example"]) == 1
    assert "--force" in capsys.readouterr().err
    again = run("tls", "make", "--force", "--name", "ward8.example")
    assert again["authority"]["fingerprint"] != first["authority"]["fingerprint"]
    assert "ward7.example" in " ".join(again["notes"])


def test_a_person_compares_the_fingerprint_of_the_file_to_hand_out(folder: Path, capsys: Capture) -> None:
    assert main(["tls", "make"]) == 0
    out = capsys.readouterr().out
    certificate = ssl.PEM_cert_to_DER_cert((folder / "ca.crt").read_text(encoding="utf-8"))
    assert hashlib.sha256(certificate).hexdigest().upper() in out.replace(":", "")
    assert "made just now" in out
    assert "Hand out" in out


@pytest.mark.parametrize("arguments", [["--name", "a b"], ["--address", "ward7"]])
def test_a_mistake_is_a_message(folder: Path, arguments: list[str], capsys: Capture) -> None:
    assert main(["tls", "make", *arguments]) == 1
    assert "Error:" in capsys.readouterr().err
    assert not folder.exists()


WITHOUT = """
import sys
sys.modules["cryptography"] = None
from edgekit.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("argument", "code", "words"), [("--help", 0, "Usage"), ("show", 1, "needs the extra 'serve'")]
)
def test_what_is_missing_is_named(argument: str, code: int, words: str) -> None:
    command = [sys.executable, "-c", WITHOUT, "tls", argument]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
