"""This machine's backups: what is kept here, written where the command says, and brought back from there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.config.state import state_folder
from edgekit.errors import EdgeKitError
from edgekit.progress import Progress, silent
from edgekit.ward.audit.who import at_terminal
from edgekit.ward.backup.keys import copy_keys, require_apart
from edgekit.ward.backup.make import Backup, back_up
from edgekit.ward.backup.restore import Restored, restore
from edgekit.ward.keys import KEYS, WARD, Master, is_there, key_file, load


@dataclass(frozen=True)
class BackedUp:
    """What was written: a ``backup`` of the data, and the file that the ``keys`` were copied to; None for neither."""

    backup: Backup | None
    keys: Path | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        backup = self.backup.document() if self.backup else None
        return {"backup": backup, "keys": str(self.keys) if self.keys else None}


def back_up_here(place: Path | None, keys: Path | None, progress: Progress = silent) -> BackedUp:
    """Back up what this machine keeps into ``place``, and its keys into the file ``keys``, as far as they are given.

    :class:`~edgekit.errors.EdgeKitError` where nothing is kept, something of it is damaged, a place can't be written,
    or the keys would lie beside what they lock.
    """
    state = state_folder()
    master, who = _master(state), at_terminal()
    if keys is not None:
        require_apart(keys, state, place, master)
    backup = None if place is None else back_up(state, master, place, who, progress)
    if keys is not None:
        copy_keys(state, master, keys, who)
    return BackedUp(backup, keys)


def restore_here(source: Path, keys: Path, progress: Progress = silent) -> Restored:
    """Bring a backup back to this machine; errors as of :func:`~edgekit.ward.backup.restore.restore`."""
    return restore(source, keys, state_folder(), at_terminal(), progress)


def _master(state: Path) -> Master:
    """The key of what is kept, which looking for it never makes."""
    if not any(is_there(state / name) for name in (WARD, KEYS)):
        raise EdgeKitError(f"Nothing is kept in {state}", "Set EDGEKIT_STATE where the service's folder is another.")
    return load(key_file())
