"""What a service does before it serves what is kept: sees that it is whole, and puts in order what a crash left."""

from __future__ import annotations

import logging

from edgekit.errors import DiskFull
from edgekit.ward.conversations import Conversations
from edgekit.ward.database import Damaged, Database
from edgekit.ward.keyring import Keyring
from edgekit.ward.pictures import Pictures
from edgekit.ward.turns import Turns

_log = logging.getLogger(__name__)


def require_whole(database: Database) -> None:
    """Read every page once, and begin new logs.

    :class:`~edgekit.ward.database.Damaged` where a page is not what was written.
    """
    if faults := database.faults():
        pages = "1 page of its databases is" if len(faults) == 1 else f"{len(faults)} pages of its databases are"
        raise Damaged(
            f"What {database.path.parent} keeps is damaged: {pages} not what was written",
            "Restore a backup (edgekit restore); it is left as it is.",
        )
    for name in ("main", "keys"):
        database.forget(name)  # their logs begin anew: an end that a crash left is none of the next one's


def recover(keyring: Keyring, conversations: Conversations, turns: Turns, pictures: Pictures) -> None:
    """Finish deletions, call answers failed that nobody writes any more, and remove files without a row."""
    failed = swept = 0
    try:
        swept = pictures.sweep()  # first: it makes room
        conversations.remove_deleted()
        failed = turns.fail_running()
    except DiskFull as error:  # what is kept can still be read
        _log.error("%s. What a crash left is put in order at the next start", error.message)
    if failed or swept:
        _log.info("After a crash: %d answers were cut off, %d files of pictures belonged to nothing", failed, swept)
    if lost := keyring.lost():
        _log.warning("%d conversations can't be read: keys.db is older than they are. Put back its last copy", lost)
