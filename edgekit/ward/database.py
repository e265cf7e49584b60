"""One connection to an encrypted SQLite database: rows in and out, transactions, and errors that people understand.

SQLCipher encrypts each page by AES-256 and signs it by HMAC-SHA512, so that a wrong key or a changed byte is an error
and never a wrong row. A commit is on the disk when it returns: write-ahead log, ``synchronous = FULL``.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlcipher3 import dbapi2

from edgekit.config.state import flush_folder
from edgekit.errors import DiskFull, EdgeKitError
from edgekit.files import give_to_owner_of_folder, open_private, writing

if TYPE_CHECKING:
    import sqlite3  # the module's model, whose types are known

Values: TypeAlias = "Sequence[object] | Mapping[str, object]"
Row: TypeAlias = tuple[Any, ...]
WAIT_S = 10.0
"""That another process's transaction is waited for; each lasts milliseconds."""

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_MAYBE_FULL = ("SQLITE_IOERR", "SQLITE_CANTOPEN")
_LEAST_BYTES = 128 * 1024
"""What opening a database takes of a disk, for its log and its index."""
_REFUSED = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")


class Damaged(EdgeKitError):
    """A database can't be read: its key is another, or its bytes were changed."""


class Database:
    """An encrypted database, with another that is attached to it, if need be. It is one thread's at a time."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open ``path``, which is made, its owner's alone, where it is missing.

        :class:`Damaged` where ``key`` (32 bytes) is not the one that it was written with.
        """
        self.path = path
        self._lock = threading.RLock()
        _make_file(path)
        with translated(path):
            connection = dbapi2.connect(
                str(path), timeout=WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            self.connection: sqlite3.Connection = connection
            try:
                self._begin(key)
            except BaseException:
                connection.close()
                raise

    def _begin(self, key: bytes) -> None:
        self.connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to stderr of what it can't decrypt
        self.connection.execute(f'PRAGMA key = "{_literal(key)}"')
        self.connection.execute("SELECT count(*) FROM sqlite_master")
        for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {setting}")

    def attach(self, path: Path, key: bytes, name: str) -> None:
        """Have another database's tables by ``name.table``; errors are those of opening it.

        A transaction that writes both is whole in each, and may be in one alone after a power cut.
        """
        _make_file(path)
        with translated(path):
            self.connection.execute(f'ATTACH DATABASE ? AS {name} KEY "{_literal(key)}"', (str(path),))
            self.connection.execute(f"SELECT count(*) FROM {name}.sqlite_master")
            for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self.connection.execute(f"PRAGMA {name}.{setting}")

    def rows(self, statement: str, values: Values = ()) -> list[Row]:
        """Execute a statement, and return all of its rows."""
        with self._lock, translated(self.path):
            return self.connection.execute(statement, values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Row | None:
        """Execute a statement, and return its first row; None where it has none."""
        with self._lock, translated(self.path):
            row: Row | None = self.connection.execute(statement, values).fetchone()
            return row

    def change(self, statement: str, values: Values = ()) -> int:
        """Execute a statement that writes, and return how many rows it changed. Alone, it is durable on return."""
        with self._lock, translated(self.path):
            return self.connection.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all that is done within, or none of it; on return it is durable. One within another is part of that."""
        with self._lock:
            if self._in_transaction():
                yield
                return
            self.change("BEGIN IMMEDIATE")
            try:
                yield
                self.change("COMMIT")
            finally:
                if self._in_transaction():  # on an error; a full disk may have ended it before
                    self.connection.execute("ROLLBACK")

    def _in_transaction(self) -> bool:
        return self.connection.in_transaction

    def faults(self) -> list[str]:
        """Read every page, and return what is wrong with them, a line each."""
        with self._lock, translated(self.path):
            names = [row[1] for row in self.connection.execute("PRAGMA database_list")]
            checks = (f"PRAGMA {name}.cipher_integrity_check" for name in names)
            return [line for check in checks for (line,) in self.connection.execute(check)]

    def forget(self, name: str) -> None:
        """Leave nothing of what was deleted in the log of the database ``name``, unless another process reads it or the
        disk is too full to move what the log holds: then a later one does.
        """
        with self._lock, suppress(DiskFull), translated(self.path):
            self.connection.execute(f"PRAGMA {name}.wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close it; what was committed is there, however it ends."""
        with self._lock, translated(self.path):
            self.connection.close()


def _literal(key: bytes) -> str:
    """A raw key as SQLCipher reads it: no password, whose slow hash would cost half a second an opening."""
    assert len(key) == 32
    return f"x'{key.hex()}'"


def _make_file(path: Path) -> None:
    """SQLite would make it readable for others; its log takes the mode from it, and root's the owner.

    One that is there is not opened: closing it would end the locks that this process's connections have on it.
    """
    if path.exists():
        return
    with writing(path), suppress(FileExistsError):
        with open(path, "xb", opener=open_private) as file:
            give_to_owner_of_folder(file.fileno(), path.parent)
        flush_folder(path.parent)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite says of ``path`` into an :class:`~edgekit.errors.EdgeKitError`; our own mistakes stay theirs."""
    try:
        yield
    except dbapi2.Error as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        refusal = _refusal(path, name)
        if refusal is None:
            raise
        raise refusal from error


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_BYTES
    except OSError:
        return False


def _refusal(path: Path, name: str) -> EdgeKitError | None:
    """The error of SQLite's code ``name``; extended codes begin with their kind's."""
    folder = path.parent
    if name.startswith(_DAMAGED):
        return Damaged(
            f"{path} is damaged, or its key is another's",
            f"Stop the service and restore a backup (edgekit restore); what is in {folder} is left as it is.",
        )
    if name.startswith("SQLITE_FULL") or (name.startswith(_MAYBE_FULL) and _is_full(folder)):
        return DiskFull(
            f"No space is left to write {path}", f"Make room on the disk of {folder}: what was kept before is whole."
        )
    if name.startswith(_BUSY):
        return EdgeKitError(f"{path} is held by another program", "Try again; if that stays so, see what has it open.")
    if name.startswith(_REFUSED):
        return EdgeKitError(f"{path} can't be opened for writing", f"Check {folder}, its owner and its permissions.")
    if name.startswith("SQLITE_IOERR"):
        return EdgeKitError(
            f"{path} can't be read or written: the disk reports an error", f"Check the disk of {folder} (dmesg)."
        )
    return None
