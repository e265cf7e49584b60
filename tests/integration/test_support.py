"""An archive for help from afar, of a site that is full of secrets and of people: none of them is in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.serve import tokens
from edgekit.ward.accounts import Account
from edgekit.ward.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests import specs
from tests.mirrored import ROOT
from tests.terminal import at_terminal
from tests.wards import Picture

PATIENT = "Quixwell"
"""Stands wherever a site lets somebody write something, and nowhere else."""
STAFF = "zarnecki"
LINES = (
    f"2026-10-01 12:00:00,123 INFO {'ab' * 16} POST /v1/chat/completions 200 1.2 s, token {STAFF}",
    "2026-10-01 12:00:01,000 ERROR The engine's thread ended by ValueError",
    f"terminate called: {PATIENT}, effusion on the left",
    "Traceback (most recent call last):",
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "site" / "budgets").mkdir(parents=True)
    return tmp_path


def fill(folder: Path) -> list[str]:
    """Write people and secrets wherever there is a place for something; the secrets."""
    site, state = folder / "site", folder / "state"
    secrets = [tokens.add(site / "tokens.toml", STAFF)]
    secrets += [line[:64] for line in (site / "tokens.toml").read_text().split('sha256 = "')[1:]]
    assert main(["tls", "make"]) == 0
    for file in (site / "tls").glob("*.pem"):
        secrets += [line for line in file.read_text().splitlines() if len(line) > 40 and "-" not in line]
    (site / "serve.toml").write_text(f'aliases = ["llava"]  # {PATIENT}\n')
    (site / "budgets" / "cpu.toml").write_text(f'static = "2 GiB"  # {PATIENT}\n')
    (site / "budgets" / f"{PATIENT}.toml").write_text('static = "2 GiB"\n')
    with Ward.open(state, master_key(state)) as ward:
        account = ward.accounts.add(STAFF, "doctor")
        ward.accounts.set_password(account, f"{PATIENT} is well")
        secrets += [ward.sessions.begin(account), ward.invitations.make(account)]
        secrets += converse(ward, account)
    Audit.open(state / "audit", audit_key(master_key(state))).note("sign_in", f"account {STAFF}")
    secrets.append((site / "ward.key").read_text().strip())
    (state / "pictures" / "ab").mkdir(parents=True)
    (state / "pictures" / "ab" / f"{PATIENT}.dcm").write_text(PATIENT)
    (state / f"{PATIENT}.txt").write_text(PATIENT)
    bundle = specs.manifest_alone(folder / "bundle").path
    for name in ("profiles", "engines", "engines/form"):
        (bundle / name).mkdir()
        (bundle / name / f"{PATIENT}.json").write_text(json.dumps({"question": PATIENT}))
    return secrets


def converse(ward: Ward, account: Account) -> list[str]:
    """Keep a conversation that says in each of its fields who the patient is; its ids, which are nobody's business."""
    other, owner = ward.accounts.add(f"{STAFF}2", "doctor"), account.owner
    case = ward.conversations.create(owner, PATIENT, f"What ails {PATIENT}?")
    ward.conversations.change(owner, case.id, report=PATIENT)
    picture = ward.pictures.add(owner, case.id, Picture(file=PATIENT.encode(), notes=(PATIENT,)))
    turn = ward.turns.add(owner, case.id, f"Is {PATIENT} well?", (picture.id,))
    ward.turns.finish(turn.id, f"{PATIENT} is well.", "whole", notes=(PATIENT,))
    ward.feedback.give(owner, turn.id, "answer", f"{PATIENT} is ill")
    ward.shares.give(owner, case.id, other, True)
    return [case.id, picture.id, turn.id]


def programs(folder: Path) -> Path:
    """A machine with systemd's journal, in which others have written, too."""
    (folder / "bin").mkdir()
    entries = "\n".join(json.dumps({"MESSAGE": line, "_PID": "9", "_HOSTNAME": PATIENT}) for line in LINES)
    (folder / "entries").write_text(entries)
    for name, text in (
        ("journalctl", f"cat '{folder / 'entries'}'"),
        ("systemctl", f"echo ActiveState=active; echo Environment={PATIENT}"),
    ):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"


def texts(archive: Path) -> Iterator[tuple[str, str]]:
    with tarfile.open(archive) as tar:
        for entry in tar:
            file = tar.extractfile(entry)
            assert file, "nothing but files"
            yield entry.name.partition("/")[2], file.read().decode("utf-8")


def test_nothing_of_patients_or_staff_and_no_secret_is_in_it(site: Path) -> None:
    secrets = fill(site)
    assert len(secrets) > 8
    home, here = site / STAFF, site / PATIENT
    home.mkdir()
    here.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("EDGEKIT_")},
        "PATH": f"{programs(site)}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "EDGEKIT_TOKEN": secrets[0],
        "USER": STAFF,
        "NOTE": PATIENT,
    }
    command = [sys.executable, "-m", "edgekit", "support", str(site / "bundle"), "--out", str(site / "a.tar.gz")]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    documents = dict(texts(site / "a.tar.gz"))
    for name, text in documents.items():
        for word in (PATIENT, STAFF, *secrets, "PRIVATE KEY"):
            assert word.lower() not in text.lower(), name
        assert all(letter.isprintable() or letter in "\n\t" for letter in text), name
    read = {name: json.loads(text) for name, text in documents.items() if name.endswith(".json")}
    assert read["store.json"]["accounts"] == {"doctor": 2}, "it was looked at, and counted"
    assert read["store.json"]["turns"] == {"whole": 1}
    assert read["store.json"]["faults"] == []
    assert (read["audit.json"]["ok"], read["audit.json"]["lines"]) == (True, 1)
    assert read["tokens.json"]["tokens"] == 1
    assert read["bundle.json"]["manifest"]["source"] == "toy"
    assert read["target.json"]["site_budgets"]["cpu"]["static_bytes"] == 2 * 2**30
    assert read["settings.json"]["aliases"] == ["llava"]
    assert read["certificates.json"]["leaf"]["not_after"]
    assert read["service.json"] == {"ActiveState": "active"}
    assert [line.partition("Z ")[2] for line in documents["errors.txt"].splitlines()[1:]] == [LINES[1][24:]]
    assert "2 lines of edgekit.service; 2 that" in documents["log.txt"]
    assert f"{'ab' * 16} POST /v1/chat/completions 200 1.2 s, token no. 1" in documents["log.txt"]


@pytest.mark.parametrize(("typed", "is_written"), [("y\n", True), ("n\n", False)])
def test_at_a_terminal_it_shows_what_is_in_it_and_asks(typed: str, is_written: bool, site: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name.startswith("EDGEKIT_")}
    with at_terminal("support", "--out", "a.tar.gz", cwd=site, variables=variables) as terminal:
        terminal.wait_for(r"Write this to a\.tar\.gz\? \[Y/n\]")
        assert "versions.json" in terminal.said
        assert not (site / "a.tar.gz").exists()
        terminal.type(typed)
        assert terminal.end() == 0
    assert (site / "a.tar.gz").exists() == is_written
    assert ("Nothing was written." in terminal.said) != is_written
