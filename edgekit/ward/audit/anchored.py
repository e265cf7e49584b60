"""An audit beside its ward: how far it went stands in the ward's database, too, which nobody changes without its key.

So an audit that is taken away whole, or cut off together with its head, is missed by what the service writes next, and
by whoever verifies it. It is written down with the first line of each day, and of each process.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.config.state import state_folder
from edgekit.errors import EdgeKitError, InputError
from edgekit.ward.audit import syslog
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.head import NONE, Head
from edgekit.ward.audit.here import FOLDER, audit_key
from edgekit.ward.audit.verify import require_audit
from edgekit.ward.database import Database
from edgekit.ward.keys import WARD, Master, is_there, key_file, load

_NAME = "audit"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AuditHere:
    """This machine's audit: its ``folder``, its ``key``, and how far its ward says that it went."""

    folder: Path
    key: bytes = field(repr=False)
    anchor: Head

    @classmethod
    def find(cls) -> AuditHere:
        """Find it; :class:`~edgekit.errors.EdgeKitError` where there is none, or its key can't be read."""
        state = state_folder()
        require_audit(state / FOLDER)
        master = load(key_file())
        return cls(state / FOLDER, audit_key(master), anchor(state, master))


def open_audit(state: Path, database: Database, master: Master) -> Audit:
    """Open the audit in the folder ``state``, whose ward ``database`` says how far it went, and is told of it again.

    :class:`~edgekit.errors.EdgeKitError` where the folder can't be written.
    """

    def tell(head: Head, day: str) -> None:
        syslog.tell(head, day)
        try:
            database.change("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", (_NAME, str(head)))
        except EdgeKitError as error:  # the line itself is on the disk
            _log.warning("How far the audit goes could not be kept: %s", error.message)

    return Audit.open(state / FOLDER, audit_key(master), least=_anchor(database), tell=tell)


def open_audit_alone(state: Path, master: Master) -> Audit:
    """Open the audit in the folder ``state`` also where its ward is damaged, which is told nothing; errors as of
    :func:`open_audit`."""
    return Audit.open(state / FOLDER, audit_key(master), least=anchor(state, master))


def anchor(state: Path, master: Master) -> Head:
    """Return how far the audit went by the ward's database; none where there is none, or it can't be read."""
    if not is_there(state / WARD):
        return NONE
    try:
        with closing(Database(state / WARD, master.derive(WARD))) as database:
            return _anchor(database)
    except EdgeKitError:
        return NONE


def _anchor(database: Database) -> Head:
    row = database.row("SELECT value FROM main.meta WHERE name = ?", (_NAME,))
    try:
        return Head.parse(row[0]) if row else NONE
    except InputError:
        return NONE
