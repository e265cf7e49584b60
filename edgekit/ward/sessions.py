"""Sessions: who is signed in, by a random secret of which the table keeps the SHA-256.

How long one lasts is told by the time since the device started, which nobody sets: a clock that jumps ends none and
prolongs none. After a restart of the device everybody signs in again; after one of the service nobody has to.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from edgekit.errors import EdgeKitError
from edgekit.ward.accounts import Account, Accounts
from edgekit.ward.database import Database, Row
from edgekit.ward.invitations import digest
from edgekit.ward.limits import SignIn
from edgekit.ward.moments import Clock, Moment

_SEEN_S = 30.0
"""A session is written as seen that often, and not for every request, each of which would wait for the disk."""
_KEPT = 20
"""Ended sessions of an account by which its devices are still told from strangers'."""
_COLUMNS = "sha256, account, csrf, locked, boot, begun_up_s, begun_s, seen_up_s, seen_s"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A sign-in. ``csrf`` is what the page sends with whatever changes something; ``id`` is the secret's hash."""

    id: str
    account: Account
    csrf: str
    locked: bool
    begun_s: int
    seen_s: int


class Sessions:
    """The sessions of a ward."""

    def __init__(self, database: Database, accounts: Accounts, limits: SignIn, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._limits = limits
        self._clock = clock

    def begin(self, account: Account) -> str:
        """Begin a session, and return its secret of 256 bits."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        statement = f"INSERT INTO sessions ({_COLUMNS}, ended) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, 0)"
        values = (digest(secret), account.id, secrets.token_urlsafe(24), now.boot, now.up_s, now.wall_s)
        with self._database.transaction():
            self._database.change(statement, (*values, now.up_s, now.wall_s))
            self._forget_old(account)
        return secret

    def of(self, secret: str, *, seen: bool = True) -> Session | None:
        """Return the session of a secret; None where it ended, or its account is let in no more.

        It counts as ``seen`` just now, unless nobody need be there who asks. A locked one is seen by nothing but
        :meth:`unlock`.
        """
        now = self._clock()
        row = self._database.row(f"SELECT {_COLUMNS} FROM sessions WHERE sha256 = ? AND NOT ended", (digest(secret),))
        if row is None or not self._lasts(row, now):
            return None
        session = self._session(row)
        if seen and session and not session.locked and now.up_s - row[7] >= _SEEN_S:
            with suppress(EdgeKitError):  # on a full disk, what is kept can still be read
                self._see(secret, now)
        return session

    def lock(self, secret: str) -> None:
        """Lock a session: it is there, and opens nothing until its account's password is given."""
        self._database.change("UPDATE sessions SET locked = 1 WHERE sha256 = ?", (digest(secret),))

    def unlock(self, secret: str, password: str, confirm: Callable[[], object] = lambda: None) -> Session | None:
        """Unlock a session by its account's password; None where that is wrong, or the session ended.

        ``confirm`` is called once the password is right, before it opens: where it raises, it stays locked.
        """
        session = self.of(secret)
        if session is None or self._accounts.verify(session.account.name, password) is None:
            return None
        confirm()
        self._database.change("UPDATE sessions SET locked = 0 WHERE sha256 = ? AND NOT ended", (digest(secret),))
        self._see(secret, self._clock())
        return self.of(secret)

    def end(self, secret: str) -> None:
        """End a session."""
        self._database.change("UPDATE sessions SET ended = 1 WHERE sha256 = ?", (digest(secret),))

    def end_all(self, account: Account) -> None:
        """End all sessions of an account."""
        self._database.change("UPDATE sessions SET ended = 1 WHERE account = ?", (account.id,))

    def active(self) -> tuple[Session, ...]:
        """Return every session that lasts, the newest first."""
        now = self._clock()
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM sessions WHERE NOT ended ORDER BY place DESC")
        sessions = (self._session(row) for row in rows if self._lasts(row, now))
        return tuple(session for session in sessions if session)

    def has_been(self, secret: str, name: str) -> bool:
        """Say whether a secret was ever of a session of the account called ``name``: whoever has it has signed in
        here before, and is no stranger who guesses.
        """
        statement = "SELECT 1 FROM sessions JOIN accounts ON accounts.id = account WHERE sha256 = ? AND name = ?"
        return self._database.row(statement, (digest(secret), name)) is not None

    def _lasts(self, row: Row, now: Moment) -> bool:
        boot, idle_s, whole_s = row[4], now.up_s - row[7], now.up_s - row[5]
        return bool(boot == now.boot and 0 <= idle_s <= self._limits.idle_s and whole_s <= self._limits.longest_s)

    def _session(self, row: Row) -> Session | None:
        account = self._accounts.of(row[1])
        if account is None or account.disabled:
            return None
        return Session(
            id=row[0].hex(), account=account, csrf=row[2], locked=bool(row[3]), begun_s=row[6], seen_s=row[8]
        )

    def _see(self, secret: str, now: Moment) -> None:
        statement = "UPDATE sessions SET seen_up_s = ?, seen_s = ? WHERE sha256 = ?"
        self._database.change(statement, (now.up_s, now.wall_s, digest(secret)))

    def _forget_old(self, account: Account) -> None:
        """Delete what an account's devices are told by no more; those that may last are kept, however many."""
        self._database.change(
            "DELETE FROM sessions WHERE account = ?1 AND (ended OR boot != ?2 OR begun_up_s < ?3) AND place NOT IN"
            " (SELECT place FROM sessions WHERE account = ?1 ORDER BY place DESC LIMIT ?4)",
            (account.id, self._clock().boot, self._clock().up_s - self._limits.longest_s, _KEPT),
        )
