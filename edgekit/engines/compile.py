"""What a device makes of a bundle for itself."""

from __future__ import annotations

from edgekit.bundle import Bundle
from edgekit.progress import Progress, silent


def compile_here(bundle: Bundle, progress: Progress = silent) -> bool:
    """Compile where this machine is of the target's kind; whether it was."""
    return False
