"""What the service keeps: how much, and whether it and its audit are whole. No name, no label and no text of it."""

from __future__ import annotations

from typing import Any

from edgekit import config
from edgekit.support.topic import Subject
from edgekit.ward.audit.here import FOLDER, audit_key
from edgekit.ward.audit.verify import require_audit, verify
from edgekit.ward.census import census
from edgekit.ward.keys import key_file, load


def store(subject: Subject) -> dict[str, Any]:
    """Return the census of what is kept, with where it lies; errors as of reading it."""
    return {"folder": str(subject.state), **config.dump(census(subject.state))}


def audit(subject: Subject) -> dict[str, Any]:
    """Return what `edgekit audit verify` says; errors as of that, and of a key that is missing."""
    folder = subject.state / FOLDER
    require_audit(folder)
    return verify(folder, audit_key(load(key_file()))).document()
