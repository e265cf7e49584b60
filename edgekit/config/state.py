"""Where this machine's service keeps what it is told: accounts, conversations, pictures, the audit.

The folder is the one that EDGEKIT_STATE names; else systemd's STATE_DIRECTORY; else /var/lib/edgekit, where that exists
or root asks; else $XDG_STATE_HOME/edgekit (~/.local/state/edgekit without it): who tries a service at his desk needs no
root. It is its owner's alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from edgekit.files import give_to_owner_of_folder, writing

_SYSTEM = Path("/var/lib/edgekit")


def state_folder() -> Path:
    """Return the folder of what is kept, whether it exists or not."""
    if named := os.environ.get("EDGEKIT_STATE"):
        return Path(named)
    if given := os.environ.get("STATE_DIRECTORY", "").partition(":")[
        0
    ]:  # systemd.exec(5): several stand between colons
        return Path(given)
    if os.geteuid() == 0 or _SYSTEM.is_dir():
        return _SYSTEM
    home = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(home):  # XDG Base Directory Specification: one that is not absolute is ignored
        return Path(home) / "edgekit"
    try:
        return Path.home() / ".local" / "state" / "edgekit"
    except RuntimeError:  # a user whom the system doesn't know, without HOME
        return _SYSTEM


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, durably; each new one is its owner's alone, and its upper one's owner's.

    One that is there stays as it is. :class:`~edgekit.errors.EdgeKitError` where the system refuses.
    """
    if folder.is_dir():
        return
    make_private(folder.parent)
    with writing(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            give_to_owner_of_folder(descriptor, folder.parent)
        finally:
            os.close(descriptor)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Have the disk hold which names a folder has: what was made, renamed or removed in it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
