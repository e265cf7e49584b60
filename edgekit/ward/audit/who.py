"""Who sits at a terminal, as the audit has it."""

from __future__ import annotations

import getpass
import os
import re

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def at_terminal() -> str:
    """Return "terminal USER"; behind sudo, the user who asked for it."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user whom the system doesn't know
        name = str(os.getuid())
    return f"terminal {_ODD.sub('-', name)[:100].strip() or os.getuid()}"
