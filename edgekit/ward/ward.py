"""All that is kept, by one object: opened once, asked by one thread at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from edgekit.ward.accounts import Account, Accounts
from edgekit.ward.conversations import Conversations
from edgekit.ward.database import Database
from edgekit.ward.feedback import Feedback
from edgekit.ward.invitations import Invitations
from edgekit.ward.keyring import Keyring
from edgekit.ward.keys import Master
from edgekit.ward.limits import SignIn
from edgekit.ward.lock import ServingLock
from edgekit.ward.moments import Clock, now
from edgekit.ward.opening import open_databases
from edgekit.ward.pictures import FOLDER, PictureFiles, Pictures
from edgekit.ward.recovery import recover, require_whole
from edgekit.ward.reserve import Reserve
from edgekit.ward.sessions import Sessions
from edgekit.ward.shares import Shares
from edgekit.ward.turns import Turns


class Ward:
    """What a service keeps in the folder ``state``. A context that closes it."""

    def __init__(self, state: Path, database: Database, files: PictureFiles, limits: SignIn, clock: Clock) -> None:
        self.state = state
        self.database = database
        self.files = files
        self.keyring = Keyring(database)
        self.accounts = Accounts(database)
        self.invitations = Invitations(database, self.accounts, limits, clock)
        self.sessions = Sessions(database, self.accounts, limits, clock)
        self.conversations = Conversations(database, self.keyring, files, clock)
        self.turns = Turns(database, clock)
        self.pictures = Pictures(database, files, clock)
        self.shares = Shares(database, self.accounts)
        self.feedback = Feedback(database, clock)
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
            database = open_databases(state, master)
            files = PictureFiles(state / FOLDER, master.derive("picture names"))
            ward = cls(state, database, files, limits or SignIn(), clock)
        except BaseException:
            if lock:
                lock.release()
            raise
        ward._lock = lock
        try:
            if serving:
                require_whole(database)
                recover(ward.keyring, ward.conversations, ward.turns, ward.pictures)
        except BaseException:
            ward.close()
            raise
        return ward

    def remove_account(self, account: Account, *, with_conversations: bool = False) -> int:
        """Remove an account, and for good the conversations that it owns; how many those were.

        :class:`~edgekit.errors.InputError` where it owns some and they are not to go.
        """
        ease = Reserve(self.state).ease
        deleted = self.conversations.delete_all(account.owner, ease) if with_conversations else 0
        ease()
        self.accounts.remove(account)
        return deleted

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
