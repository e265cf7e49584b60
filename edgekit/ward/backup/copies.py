"""A copy of a database that others write to: whole, of one moment, encrypted by the same key, and read once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.ward.database import Database, translated


def copy_database(source: Path, target: Path, key: bytes) -> None:
    """Copy a database to ``target`` by SQLite's backup API, and see that every page of the copy is right.

    :class:`~edgekit.errors.EdgeKitError` where ``source`` is damaged, or ``target`` can't be written.
    """
    with closing(Database(source, key)) as database, closing(Database(target, key)) as copy:
        with translated(source):
            database.connection.backup(copy.connection)
        faults = copy.faults() + [line for (line,) in copy.rows("PRAGMA integrity_check(10)") if line != "ok"]
        if faults:
            pages = "one of its pages is" if len(faults) == 1 else f"{len(faults)} of its pages are"
            raise EdgeKitError(
                f"{source} is damaged: {pages} not what was written",
                "Stop the service and restore the last backup (edgekit restore).",
            )
        settle(copy)


def settle(database: Database) -> None:
    """Have a database be one file, with nothing beside it once it is closed."""
    database.rows("PRAGMA main.journal_mode = DELETE")
