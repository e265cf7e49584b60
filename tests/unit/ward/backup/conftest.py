"""A ward with something in it, and a second machine to bring it back to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.backup.keys import copy_keys
from edgekit.ward.backup.make import Backup, back_up
from edgekit.ward.backup.restore import Restored, restore
from edgekit.ward.keys import master_key
from edgekit.ward.ward import Ward
from tests.audits import silent
from tests.wards import Clock

OWNER = "account 1"


def kept(content: bytes) -> Any:
    """A picture's file that nobody looks into."""
    return SimpleNamespace(file=content, media_type="image/png", facts={}, notes=(), warnings=())


@dataclass
class Site:
    """A machine: its service's folder and its settings'."""

    folder: Path
    use: Callable[[Path], None]

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def open(self, serving: bool = True) -> Ward:
        self.use(self.folder)
        return Ward.open(self.state, master_key(self.state), serving=serving, clock=Clock())

    def audit(self) -> Audit:
        self.use(self.folder)
        return Audit.open(self.state / "audit", audit_key(master_key(self.state)), tell=silent)

    def talk(self, ward: Ward, name: str, pictures: int = 1) -> str:
        """A conversation of one question about so many pictures, whole."""
        id = ward.conversations.create(OWNER, label=name).id
        files = [ward.pictures.add(OWNER, id, kept(f"{name} {at}".encode() * 100)).id for at in range(pictures)]
        turn = ward.turns.add(OWNER, id, f"{name}?", files)
        ward.turns.finish(turn.id, f"{name}!", "whole")
        return id

    def back_up(self, place: Path) -> Backup:
        self.use(self.folder)
        return back_up(self.state, master_key(self.state), place, "terminal root")

    def copy_keys(self, path: Path) -> Path:
        self.use(self.folder)
        copy_keys(self.state, master_key(self.state), path, "terminal root")
        return path

    def restore(self, place: Path, keys: Path) -> Restored:
        self.use(self.folder)
        return restore(place, keys, self.state, "terminal root")


def content(ward: Ward, owner: str = OWNER) -> dict[str, tuple[str, str, bytes]]:
    """All that is kept of an owner's conversations, by their labels: a question, its answer, its pictures."""
    found = {}
    for conversation in ward.conversations.list(owner, limit=10_000):
        for turn in ward.turns.of(owner, conversation.id):
            files = b"".join(ward.pictures.file(owner, conversation.id, picture) for picture in turn.pictures)
            found[conversation.label] = (turn.question, turn.answer, files)
    return found


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Site, Site]:
    """Two machines; what is done at one is done with its settings."""

    def use(folder: Path) -> None:
        monkeypatch.setenv("EDGEKIT_SITE", str(folder / "site"))
        monkeypatch.setenv("EDGEKIT_STATE", str(folder / "state"))

    return Site(tmp_path / "one", use), Site(tmp_path / "two", use)
