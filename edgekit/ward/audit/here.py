"""This machine's audit: its folder, and the key that its lines were written with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edgekit.config.state import state_folder
from edgekit.ward.audit.verify import require_audit
from edgekit.ward.keys import Master, key_file, load

FOLDER, PURPOSE = "audit", "audit"


@dataclass(frozen=True)
class AuditHere:
    """An audit's ``folder``, and its ``key``."""

    folder: Path
    key: bytes = field(repr=False)

    @classmethod
    def find(cls) -> AuditHere:
        """Find it; :class:`~edgekit.errors.EdgeKitError` where there is none, or its key can't be read."""
        folder = state_folder() / FOLDER
        require_audit(folder)
        return cls(folder, audit_key(load(key_file())))


def audit_key(master: Master) -> bytes:
    """Return the master key's subkey for the audit."""
    return master.derive(PURPOSE)
