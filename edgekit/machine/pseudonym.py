"""A machine's name in reports: the same each time, another on every machine, and nothing that tells who it is."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

from edgekit.machine.system import read_text


def pseudonym(root: Path = Path("/")) -> str:
    """Make it from /etc/machine-id, which machine-id(5) wants hashed before it is shown, and the machine's name, since
    images of systems and containers may have one and the same."""
    identity = f"edgekit report {read_text(root / 'etc/machine-id').strip()} {platform.node()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
