"""Where a ward's audit lies in its folder, and the key that its lines are written with."""

from __future__ import annotations

from edgekit.ward.keys import Master

FOLDER, PURPOSE = "audit", "audit"


def audit_key(master: Master) -> bytes:
    """Return the master key's subkey for the audit."""
    return master.derive(PURPOSE)
