"""One service serves what is kept: a second one, and a restore beneath a running one, are refused.

The lock is that of a file and ends with the process, however it ends. Commands that only add or read need none.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edgekit.config.state import make_private
from edgekit.errors import EdgeKitError
from edgekit.files import give_to_owner_of_folder, open_private, writing

NAME = ".serving.lock"


class ServingLock:
    """Holds the folder ``state`` until :meth:`release`; :class:`~edgekit.errors.EdgeKitError` where another does."""

    def __init__(self, state: Path) -> None:
        path = state / NAME
        make_private(state)
        with writing(path):
            self._file = open_private(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with writing(path):
                give_to_owner_of_folder(self._file, state)
            _lock(self._file, state)
        except BaseException:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self._file)


def _lock(file: int, state: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EdgeKitError(
            f"A service is running that serves {state}", "Stop it first (systemctl stop edgekit), then try again."
        ) from None
    except OSError:
        return  # this file system has no locks
