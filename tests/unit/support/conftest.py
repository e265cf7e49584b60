"""A recorded machine without a site, whose service keeps nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit.support import Subject
from tests.unit.machine.recordings import VM, Recording

Ask = Callable[..., Subject]


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What help is for: a recording, with a bundle or without."""
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def make(recording: Recording = VM, bundle: Path | None = None) -> Subject:
        return Subject(host=recording.at(tmp_path / "machine"), state=tmp_path / "state", bundle=bundle)

    return make
