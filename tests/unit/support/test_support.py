"""All topics together: each once, none in the way of the others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.support import Subject, Topic, support
from tests.unit.machine.recordings import NOW

Ask = Callable[..., Subject]
NAMES = [
    *("contents.txt", "versions.json", "doctor.json", "target.json", "memory.json", "disk.json", "bundle.json"),
    *("profiles.json", "checks.json", "store.json", "audit.json", "service.json", "errors.txt", "log.txt"),
]


def test_every_topic_is_there_whatever_is_missing(subject: Ask) -> None:
    steps: list[tuple[str, int, int]] = []
    archive = support(subject(), progress=lambda *step: steps.append(step))
    assert [part.name for part in archive.parts] == NAMES
    assert archive.gathered_s == NOW
    assert steps[0] == ("gather", 0, len(NAMES) - 1)
    assert steps[-1] == ("gather", len(NAMES) - 1, len(NAMES) - 1)
    for part in archive.parts:
        assert part.text.endswith("\n")
        assert not part.name.endswith(".json") or json.loads(part.text)


def test_what_a_service_knows_further_comes_last(subject: Ask) -> None:
    archive = support(subject(), [Topic("queue.json", "who waits", lambda of: {"state": of.state})])
    assert archive.parts[-1].name == "queue.json"
    assert json.loads(archive.parts[-1].text)["state"].endswith("/state")


@pytest.mark.parametrize(("library", "topic"), [("sqlcipher3", "store.json"), ("edgekit.bundle", "bundle.json")])
def test_a_library_that_is_missing_costs_its_own_topic(
    library: str, topic: str, subject: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of = subject()
    for name in [name for name in sys.modules if name.startswith(("edgekit.ward", "edgekit.support."))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    texts = {part.name: part.text for part in support(of).parts}
    assert "can't be used" in texts[topic]
    assert "AMD EPYC" in texts["versions.json"]
