"""Opening what is kept: both databases by one connection, or one clear error, before anything is written.

``keys.db`` is made first: where ``ward.db`` holds something and it is missing, it was lost.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.config.state import make_private
from edgekit.errors import EdgeKitError
from edgekit.ward.backup.take_in import require_taken_in
from edgekit.ward.database import Damaged, Database
from edgekit.ward.keys import KEYS, WARD, Master, is_there
from edgekit.ward.schema import KEYS_TABLES, WARD_TABLES, name_ward, prepare, version
from edgekit.ward.wal import require_whole_log


def open_databases(state: Path, master: Master) -> Database:
    """Open ``ward.db`` in the folder ``state``, with ``keys.db`` attached as ``keys``; what is missing is made.

    :class:`~edgekit.errors.EdgeKitError` where the master key is another, a database is damaged, of a later version or
    of another ward, or where one of the two is lost.
    """
    make_private(state)
    require_taken_in(state)
    ward, keys = state / WARD, state / KEYS
    _require_keys(ward, keys)
    for path in (keys, ward):
        require_whole_log(path)
    try:
        return _open(ward, keys, master)
    except Damaged:
        _explain(ward, keys, master)
        raise


def _require_keys(ward: Path, keys: Path) -> None:
    if is_there(ward) and not is_there(keys):
        raise EdgeKitError(
            f"{keys} is missing, which holds the keys of what {ward} keeps",
            "Put back the copy that edgekit backup --keys made. Only where there is none: move ward.db and pictures/ "
            "aside, to begin anew.",
        )


def _open(ward: Path, keys: Path, master: Master) -> Database:
    ward_is_new = not is_there(ward)
    if ward_is_new and is_there(keys):
        _require_unused(ward, keys, master)
    if ward_is_new:
        make_keys(keys, master)
    database = Database(ward, master.derive(WARD))
    try:
        database.attach(keys, master.derive(KEYS), "keys")
        if version(database) == 0 and _is_used(database, "keys"):
            raise _lost(ward, keys)
        prepare(database, "keys", KEYS_TABLES)
        prepare(database, "main", WARD_TABLES)
        name_ward(database)
    except BaseException:
        database.close()
        raise
    return database


def make_keys(keys: Path, master: Master) -> None:
    """Make ``keys.db`` where it is missing, whole before anything else is."""
    database = Database(keys, master.derive(KEYS))
    try:
        prepare(database, "main", KEYS_TABLES)
    finally:
        database.close()


def _require_unused(ward: Path, keys: Path, master: Master) -> None:
    """Keys without a ward are a lost ward, unless a power cut came between the two at the first start."""
    database = Database(keys, master.derive(KEYS))
    try:
        if _is_used(database, "main"):
            raise _lost(ward, keys)
    finally:
        database.close()


def _is_used(database: Database, name: str) -> bool:
    statement = f"SELECT 1 FROM {name}.keys UNION ALL SELECT 1 FROM {name}.deleted"
    return version(database, name) > 0 and database.row(statement) is not None


def _lost(ward: Path, keys: Path) -> EdgeKitError:
    return EdgeKitError(
        f"{ward} is missing or empty, though {keys} holds keys of what it kept",
        "Restore a backup (edgekit restore). Only where there is none: move ward.db, keys.db and pictures/ aside, to "
        "begin anew.",
    )


def _explain(ward: Path, keys: Path, master: Master) -> None:
    """Say which of the two can't be read: neither can where the key is wrong."""
    readable = {path: _is_readable(path, master) for path in (ward, keys) if is_there(path)}
    if not any(readable.values()):
        raise EdgeKitError(
            f"What {ward.parent} keeps can't be read with this key: ward.key is another ward's, or every database is "
            "damaged",
            "Put back the ward.key that belongs to it; if it is the right one, restore a backup (edgekit restore).",
        )
    for path, is_readable in readable.items():
        if not is_readable:
            source = "edgekit backup --keys" if path == keys else "edgekit backup"
            raise Damaged(
                f"{path} is damaged: its first bytes are no longer what was written",
                f"Stop the service, and restore what {source} made (edgekit restore); it is left as it is.",
            )


def _is_readable(path: Path, master: Master) -> bool:
    try:
        Database(path, master.derive(path.name)).close()
    except Damaged:
        return False
    return True
