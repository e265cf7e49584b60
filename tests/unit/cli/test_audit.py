"""`edgekit audit`: a head is shown and found again, and what is not whole ends with 3 and says which line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.ward.audit import replay
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.replay import Replayed
from edgekit.ward.audit.segments import segments
from edgekit.ward.audit.verify import lines
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.audits import silent
from tests.commands import run
from tests.mirrored import ROOT

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    opened = Audit.open(tmp_path / "state" / "audit", audit_key(master_key(tmp_path / "state")), tell=silent)
    for name in ("anna", "ben", "carl"):
        opened.note("sign_in", f"account {name}")
    return opened


def test_a_head_that_was_written_down_is_found_again(audit: Audit, capsys: Capture) -> None:
    head = run("audit", "head")["head"]
    assert main(["audit", "head"]) == 0
    assert head in capsys.readouterr().out
    audit.note("sign_out", "account anna")
    verified = run("audit", "verify", "--head", head)
    assert (verified["ok"], verified["lines"], verified["fault"]) == (True, 4, None)


def test_what_is_wrong_ends_with_3_and_is_named(tmp_path: Path, capsys: Capture) -> None:
    (path,) = segments(tmp_path / "state" / "audit")
    path.write_bytes(path.read_bytes().replace(b"ben", b"eve"))
    assert main(["audit", "verify"]) == 3
    captured = capsys.readouterr()
    assert "Line 2 is not what was written (000000000001.jsonl)" in captured.err
    assert captured.out.startswith("Not whole: 1 lines")
    document = run("audit", "verify", codes=(3,))
    assert (document["ok"], document["lines"]) == (False, 1)
    assert (document["fault"]["what"], document["fault"]["line"]) == ("changed", 2)
    assert main(["audit", "head"]) == 3, "the head of what isn't whole is worth nothing"


@pytest.mark.parametrize(("code", "ends"), [("", 0), ("answer", 3), ("deleted", 1)])
def test_an_answer_is_given_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture, code: str, ends: int
) -> None:
    def stand_in(ward: Ward, folder: Path, key: bytes, turn: str, bundle: Path) -> Replayed:
        assert (folder, bundle, turn) == (tmp_path / "state" / "audit", Path("bundle"), "t1")
        return replay.result(turn, next(lines(folder, key)), code, tokens=3)

    monkeypatch.setattr(replay, "replay", stand_in)
    assert main(["audit", "replay", "t1", "bundle"]) == ends
    captured = capsys.readouterr()
    assert "Line 1 of the audit: an answer of 3 tokens" in captured.out
    assert ("Equal." in captured.out) == (ends == 0)
    assert ("was deleted" in captured.err) == (ends == 1)
    document = run("audit", "replay", "t1", "bundle", codes=(ends,))
    assert (document["turn"], document["code"], document["line"]) == ("t1", code, 1)


def test_a_mistake_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert main(["audit", "verify", "--head", "12"]) == 1
    assert "no head of an audit" in capsys.readouterr().err
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "elsewhere"))
    assert main(["audit", "verify"]) == 1
    assert "EDGEKIT_STATE" in capsys.readouterr().err


def test_what_is_missing_is_named() -> None:
    script = """
import sys
sys.modules["cryptography"] = None
from edgekit.cli.main import main
sys.exit(main(["audit", "verify"]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "needs the extra 'serve'" in done.stderr
