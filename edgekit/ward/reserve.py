"""A little of the disk that is set aside while there is room, so that a full one still lets people in.

Signing in, reading and deleting write as well: a session, a line of the audit. Where the disk has no room for that, a
piece of what was set aside is let go before each. What is new (questions, pictures) never takes of it, and is refused
until all of it is set aside again.
"""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.files import give_to_owner_of_folder, open_private, writing
from edgekit.units import KIB, MIB, format_bytes

log = logging.getLogger("edgekit.ward")

NAME = ".reserve"
RESERVE_BYTES = 16 * MIB
PIECE_BYTES = 1 * MIB
"""What is let go at a time: another program that fills the disk gets no more of it at once."""
LOW_BYTES = 512 * KIB
"""Where less is free, a piece is let go: a sign-in takes a tenth, deleting a long conversation about all of it."""
LEFT_BYTES = 16 * MIB
"""What has to stay free beside it for it to be set aside."""


class Reserve:
    """What is set aside in the folder ``state``, a file of no content. It is whole, in use, or was never there."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._path = state / NAME

    @property
    def is_in_use(self) -> bool:
        """Whether some of it was let go, and is not set aside again."""
        size = self._size()
        return size is not None and size < RESERVE_BYTES

    def take(self) -> None:
        """Set it aside, where there is room for that; where there is none, or the folder is not there, nothing is
        changed."""
        size = self._size()
        if size == RESERVE_BYTES or _free_bytes(self._state) < RESERVE_BYTES - (size or 0) + LEFT_BYTES:
            return
        try:
            with writing(self._path):
                self._resize(RESERVE_BYTES, size)
        except EdgeKitError as error:  # somebody else was faster
            log.info("Nothing was set aside for a full disk: %s", error.message)
            return
        if size is not None:
            log.info("There is room on the disk of %s again", self._state)

    def ease(self) -> None:
        """Let a piece go where little is free, as far as there is one."""
        size = self._size()
        if not size or _free_bytes(self._state) >= LOW_BYTES:
            return
        with suppress(EdgeKitError), writing(self._path):
            self._resize(max(size - PIECE_BYTES, 0), size)
        log.error(
            "The disk of %s is full. Nothing new is kept, and signing in and deleting take of %s that are left for it. "
            "Make room: delete conversations (edgekit user remove NAME --with-conversations), or what else lies there",
            self._state,
            format_bytes(size),
        )

    def _size(self) -> int | None:
        try:
            return os.lstat(self._path).st_size
        except OSError:
            return None

    def _resize(self, size: int, before: int | None) -> None:
        file = open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            give_to_owner_of_folder(file, self._state)
            if size > (before or 0):
                os.posix_fallocate(file, 0, size)
            else:
                os.ftruncate(file, size)
            os.fsync(file)  # blocks that were let go are free only then
        except BaseException:
            if before is None:  # an empty one would say that all was let go
                self._path.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)


def _free_bytes(folder: Path) -> int:
    """What may be written to a disk; nothing where it can't be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
