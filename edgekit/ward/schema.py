"""The tables of what is kept, by version: a database that is older is brought up, one that is newer is refused.

``ward.db`` holds who may sign in, and conversations whose every text is sealed; ``keys.db`` the key of each
conversation, and which were deleted. Both name the ward that they are of.

Rows are ordered by ``place``, a number that grows with every change, and never by a time: clocks jump.
"""

from __future__ import annotations

import secrets

from edgekit.errors import EdgeKitError
from edgekit.ward.database import Database

WARD_TABLES = (
    """
    CREATE TABLE {0}.meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    -- A number is never given twice: what an account owned must not come to the next.
    CREATE TABLE {0}.accounts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL,
        language TEXT NOT NULL, created_s INTEGER NOT NULL, disabled INTEGER NOT NULL, password TEXT);

    CREATE TABLE {0}.invitations (
        sha256 BLOB PRIMARY KEY, account INTEGER NOT NULL UNIQUE REFERENCES accounts ON DELETE CASCADE,
        boot TEXT NOT NULL, up_s REAL NOT NULL, wall_s INTEGER NOT NULL);

    CREATE TABLE {0}.sessions (
        place INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, csrf TEXT NOT NULL, locked INTEGER NOT NULL,
        ended INTEGER NOT NULL, boot TEXT NOT NULL, begun_up_s REAL NOT NULL, begun_s INTEGER NOT NULL,
        seen_up_s REAL NOT NULL, seen_s INTEGER NOT NULL);
    CREATE INDEX {0}.sessions_account ON sessions (account);

    CREATE TABLE {0}.conversations (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, place INTEGER NOT NULL UNIQUE, created_s INTEGER NOT NULL,
        changed_s INTEGER NOT NULL, sealed BLOB NOT NULL);
    CREATE INDEX {0}.conversations_owner ON conversations (owner, place);

    CREATE TABLE {0}.turns (
        id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        number INTEGER NOT NULL, state TEXT NOT NULL, asked_by TEXT NOT NULL, created_s INTEGER NOT NULL,
        sealed BLOB NOT NULL, UNIQUE (conversation, number));

    CREATE TABLE {0}.pictures (
        id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
        file TEXT NOT NULL, place INTEGER NOT NULL, sealed BLOB NOT NULL, UNIQUE (conversation, file));

    CREATE TABLE {0}.turn_pictures (
        turn TEXT NOT NULL REFERENCES turns ON DELETE CASCADE,
        picture TEXT NOT NULL REFERENCES pictures DEFERRABLE INITIALLY DEFERRED, position INTEGER NOT NULL,
        PRIMARY KEY (turn, position)) WITHOUT ROWID;
    CREATE INDEX {0}.turn_pictures_picture ON turn_pictures (picture);

    CREATE TABLE {0}.shares (
        conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE, owner TEXT NOT NULL,
        may_ask INTEGER NOT NULL, PRIMARY KEY (conversation, owner)) WITHOUT ROWID;
    CREATE INDEX {0}.shares_owner ON shares (owner);

    CREATE TABLE {0}.feedback (
        turn TEXT NOT NULL REFERENCES turns ON DELETE CASCADE, owner TEXT NOT NULL, verdict TEXT NOT NULL,
        given_s INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (turn, owner)) WITHOUT ROWID;

    -- Since when a conversation stands at its place, by time that the device ran through.
    CREATE TABLE {0}.ages (
        conversation TEXT PRIMARY KEY REFERENCES conversations ON DELETE CASCADE, place INTEGER NOT NULL,
        since_ms INTEGER NOT NULL) WITHOUT ROWID;
    """,
)
"""A step for each version: the statements that lead to it from the one before."""

KEYS_TABLES = (
    """
    CREATE TABLE {0}.meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE {0}.keys (conversation TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE {0}.deleted (conversation TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
)


def prepare(database: Database, name: str, steps: tuple[str, ...]) -> None:
    """Bring the tables of the database ``name`` ("main", or one that is attached) to the last version.

    :class:`~edgekit.errors.EdgeKitError` where it is of a later one.
    """
    if version(database, name) == len(steps):
        return
    with database.transaction():
        start = version(database, name)
        if start > len(steps):
            raise EdgeKitError(
                f"{database.path.parent} is of a newer EdgeKit (format {start}; this one reads {len(steps)})",
                "Use the EdgeKit that wrote it, or a later one.",
            )
        for step in steps[start:]:
            for statement in step.format(name).split(";"):
                database.change(statement)
        database.change(f"PRAGMA {name}.user_version = {len(steps)}")


def version(database: Database, name: str = "main") -> int:
    """Return the version of a database's tables; 0 where it has none."""
    row = database.row(f"PRAGMA {name}.user_version")
    assert row
    return int(row[0])


def name_ward(database: Database) -> str:
    """Return the random name of the ward that both databases are of; one that has none gets the other's, or a new one.

    :class:`~edgekit.errors.EdgeKitError` where they are two wards'.
    """
    with database.transaction():
        names = {name: _meta(database, name, "ward") for name in ("keys", "main")}
        ward = names["keys"] or secrets.token_hex(16)
        if names["main"] not in (None, ward):
            folder = database.path.parent
            raise EdgeKitError(
                f"ward.db and keys.db in {folder} are of two different wards",
                "Put back the keys.db that belongs to this ward.db: edgekit restore takes both.",
            )
        for name, named in names.items():
            if named is None:
                database.change(f"INSERT INTO {name}.meta VALUES ('ward', ?)", (ward,))
    return ward


def _meta(database: Database, name: str, key: str) -> str | None:
    row = database.row(f"SELECT value FROM {name}.meta WHERE name = ?", (key,))
    return str(row[0]) if row else None
