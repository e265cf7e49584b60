"""All that is kept, by one object: opened once, asked by one thread at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from edgekit.ward.accounts import Accounts
from edgekit.ward.database import Database
from edgekit.ward.invitations import Invitations
from edgekit.ward.keyring import Keyring
from edgekit.ward.keys import Master
from edgekit.ward.limits import SignIn
from edgekit.ward.lock import ServingLock
from edgekit.ward.moments import Clock, now
from edgekit.ward.opening import open_databases
from edgekit.ward.sessions import Sessions


class Ward:
    """What a service keeps in the folder ``state``. A context that closes it."""

    def __init__(self, state: Path, database: Database, limits: SignIn, clock: Clock) -> None:
        self.state = state
        self.database = database
        self.keyring = Keyring(database)
        self.accounts = Accounts(database)
        self.invitations = Invitations(database, self.accounts, limits, clock)
        self.sessions = Sessions(database, self.accounts, limits, clock)
        self._lock: ServingLock | None = None

    @classmethod
    def open(
        cls, state: Path, master: Master, *, serving: bool = False, limits: SignIn | None = None, clock: Clock = now
    ) -> Ward:
        """Open what is kept in ``state``; where there is nothing, it is made.

        With ``serving``, no other service may serve it meanwhile, every page is read once, and what a crash left is
        put in order. :class:`~edgekit.errors.EdgeKitError` says what is damaged, missing, or in the way.
        """
        lock = ServingLock(state) if serving else None
        try:
            ward = cls(state, open_databases(state, master), limits or SignIn(), clock)
        except BaseException:
            if lock:
                lock.release()
            raise
        ward._lock = lock
        return ward

    def close(self) -> None:
        """Close it. What was acknowledged is on the disk already."""
        self.database.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Ward:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
