"""How much is kept, and whether it is whole: numbers alone, so that they may go to whoever helps from afar.

Nothing is made, changed or put in order: what is damaged stays as it is until somebody restores it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.errors import EdgeKitError
from edgekit.ward.backup.take_in import require_taken_in
from edgekit.ward.database import Damaged, Database
from edgekit.ward.keys import KEYS, WARD, Master, is_there, key_file, load
from edgekit.ward.schema import version
from edgekit.ward.wal import require_whole_log

MOST_FAULTS = 20


@dataclass(frozen=True)
class Kept:
    """Files and their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Census:
    """A census of what is kept.

    * ``files``: the databases, with their logs; ``pictures``, ``audit``: what lies in those folders
    * ``versions``: of the databases' tables; ``rows`` of each table, ``turns`` in each state, ``accounts`` by role,
      of tables that are whole
    * ``faults``: what is wrong with the databases' pages, a line each, so many at most
    """

    files: dict[str, Kept]
    pictures: Kept
    audit: Kept
    versions: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def census(state: Path) -> Census:
    """Count what the folder ``state`` keeps; without databases, there is nothing but files to count.

    :class:`~edgekit.errors.EdgeKitError` where they can't be read: a key that is missing, or another's, damage,
    one of the two that is lost, or a restore that was cut off.
    """
    files = {path.name: Kept(1, path.stat().st_size) for path in sorted(state.glob("*.db*"))}
    counted = Census(files=files, pictures=_below(state / "pictures"), audit=_below(state / "audit"))
    missing = [name for name in (WARD, KEYS) if not is_there(state / name)]
    if len(missing) == 2:
        return counted
    if missing:
        raise EdgeKitError(f"{state / missing[0]} is missing or empty", "Restore a backup (edgekit restore).")
    require_taken_in(state)
    for name in (KEYS, WARD):
        require_whole_log(state / name)  # opened over a damaged one, SQLite would do away with what it holds
    with closing(_opened(state, load(key_file()))) as database:
        return Census(
            files=files,
            pictures=counted.pictures,
            audit=counted.audit,
            versions={name: version(database, schema) for schema, name in _SCHEMAS.items()},
            rows=dict(_rows(database)),
            turns=_counts(database, "turns", "state"),
            accounts=_counts(database, "accounts", "role"),
            faults=tuple(_faults(database))[:MOST_FAULTS],
        )


_SCHEMAS = {"main": WARD, "keys": KEYS}


def _opened(state: Path, master: Master) -> Database:
    database = Database(state / WARD, master.derive(WARD))
    try:
        database.attach(state / KEYS, master.derive(KEYS), "keys")
    except BaseException:
        database.close()
        raise
    return database


def _tables(database: Database, schema: str) -> list[str]:
    statement = f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"
    return [str(name) for (name,) in database.rows(statement)]


def _rows(database: Database) -> Iterator[tuple[str, int]]:
    for schema in _SCHEMAS:
        for table in _tables(database, schema):
            with suppress(Damaged):
                ((count,),) = database.rows(f'SELECT count(*) FROM {schema}."{table}"')
                yield f"{schema}.{table}", int(count)


def _counts(database: Database, table: str, column: str) -> dict[str, int]:
    """How many rows of a table have each of a column's few words; nothing of a table that an older version lacks."""
    if table not in _tables(database, "main"):
        return {}
    with suppress(Damaged):
        rows = database.rows(f"SELECT {column}, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
        return {str(word): int(count) for word, count in rows}
    return {}


def _faults(database: Database) -> Iterator[str]:
    """Pages whose signature is wrong; where all are right, tables and indexes that contradict each other."""
    faults = database.faults()
    yield from faults
    if not faults:
        for schema in _SCHEMAS:
            yield from (line for (line,) in database.rows(f"PRAGMA {schema}.quick_check") if line != "ok")


def _below(folder: Path) -> Kept:
    sizes = []
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # deleted meanwhile
                sizes.append(os.stat(os.path.join(path, name)).st_size)
    return Kept(len(sizes), sum(sizes))
