"""What the service adds for help from afar: settings, the number of tokens, dates of certificates; no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli.main import main
from edgekit.serve import bundle, support, tokens
from edgekit.serve.support import TOPICS, support_here
from edgekit.support import Archive, Subject
from edgekit.support.topic import part
from tests.unit.machine.recordings import VM


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def told(tmp_path: Path) -> dict[str, Any]:
    subject = Subject(host=VM.at(tmp_path / "machine"), state=tmp_path / "state", bundle=None)
    return {topic.name: json.loads(part(topic, subject).text) for topic in TOPICS}


def test_without_a_site_there_are_defaults_and_no_tokens(site: Path, tmp_path: Path) -> None:
    documents = told(tmp_path)
    assert documents["settings.json"]["limits"]["request_s"] == 30
    assert documents["tokens.json"] == {"tokens": 0, "batch_tokens": 0}
    assert "edgekit tls make" in documents["certificates.json"]["hint"]


def test_a_site_is_told_without_its_secrets(site: Path, tmp_path: Path) -> None:
    secret = tokens.add(site / "tokens.toml", "dr-nobody")
    tokens.add(site / "tokens.toml", "night", batch=True)
    assert main(["tls", "make", "--name", "ward7.example"]) == 0
    (site / "serve.toml").write_text('hosts = ["ward7.example"]  # of Dr. Nobody\n')
    documents = told(tmp_path)
    assert documents["tokens.json"] == {"tokens": 2, "batch_tokens": 1}
    assert documents["settings.json"]["hosts"] == ["ward7.example"]
    assert "ward7.example" in documents["certificates.json"]["leaf"]["names"]
    text = json.dumps(documents)
    digests = (site / "tokens.toml").read_text().split('sha256 = "')[1:]
    for word in (secret, *(line[:64] for line in digests), "obody", "PRIVATE", "BEGIN"):
        assert word not in text


def test_what_is_wrong_with_settings_is_told(site: Path, tmp_path: Path) -> None:
    (site / "serve.toml").write_text("[limits]\nbody = 5\n")
    assert "body" in told(tmp_path)["settings.json"]["error"]


def test_damaged_tokens_are_told_without_their_names(site: Path, tmp_path: Path) -> None:
    file = site / "tokens.toml"
    file.write_text('format = 1\n[tokens."dr-nobody"]\nsha256 = "none"\nbatch = 7\n')
    file.chmod(0o600)
    document = told(tmp_path)["tokens.json"]
    assert "edgekit token list" in document["hint"]
    assert "nobody" not in json.dumps(document)


def test_the_bundle_is_the_one_that_is_named_else_the_one_that_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subjects: list[Subject] = []

    def gather(subject: Subject, topics: object, progress: object) -> Archive:
        subjects.append(subject)
        assert topics is TOPICS
        return Archive((), 0)

    monkeypatch.setattr(support, "support", gather)
    monkeypatch.setattr(bundle, "bundle_that_is_here", lambda: tmp_path / "here")
    support_here(tmp_path / "state")
    support_here(tmp_path / "state", tmp_path / "named")
    assert [subject.bundle for subject in subjects] == [tmp_path / "here", tmp_path / "named"]
    assert {subject.state for subject in subjects} == {tmp_path / "state"}
