"""A key for each conversation, all of them in ``keys.db`` alone, which backups of the data never take.

A conversation's key is there before anything of it is, and its deletion is the deletion of its key: whatever copy of
its texts and pictures lies anywhere can't be read any more. That it was deleted is remembered, so that a backup from
before does not bring back the rows.
"""

from __future__ import annotations

import secrets

from edgekit.ward.database import Database


class Keyring:
    """The keys in the database that is attached as ``keys``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, conversation: str) -> bytes:
        """Make the key of a conversation, durably."""
        key = secrets.token_bytes(32)
        self._database.change("INSERT INTO keys.keys VALUES (?, ?)", (conversation, key))
        return key

    def destroy(self, conversation: str) -> None:
        """Delete a conversation's key for good, and remember that it was deleted."""
        with self._database.transaction():
            self._database.change("DELETE FROM keys.keys WHERE conversation = ?", (conversation,))
            self._database.change("INSERT OR IGNORE INTO keys.deleted VALUES (?)", (conversation,))
        self._database.forget("keys")

    def lost(self) -> int:
        """Count the conversations that have no key and were not deleted: ``keys.db`` is older than they are."""
        row = self._database.row(
            "SELECT count(*) FROM main.conversations WHERE id NOT IN (SELECT conversation FROM keys.keys)"
            " AND id NOT IN (SELECT conversation FROM keys.deleted)"
        )
        assert row
        return int(row[0])
