from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.deploying import Site


@pytest.fixture
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal ends loses nothing that was written; what a power cut loses is for another test."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def site(tmp_path: Path, no_waiting_for_the_disk: None) -> Site:
    """An empty machine."""
    return Site(tmp_path)
