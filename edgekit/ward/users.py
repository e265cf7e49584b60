"""What ``edgekit user`` does to this machine's accounts: each change stands in the audit before it is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.config.state import state_folder
from edgekit.errors import EdgeKitError, InputError
from edgekit.ward.accounts import Account, Role
from edgekit.ward.audit.anchored import open_audit
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.who import at_terminal
from edgekit.ward.keys import KEYS, WARD, is_there, master_key
from edgekit.ward.limits import SignIn
from edgekit.ward.reserve import Reserve
from edgekit.ward.ward import Ward


@dataclass(frozen=True)
class Invited:
    """An account with the one-time ``link`` that lets its user choose a password, within ``days``."""

    account: Account
    link: str
    days: float

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"name": self.account.name, "role": self.account.role, "link": self.link, "days": self.days}


@dataclass(frozen=True)
class ListedAccounts:
    """The accounts that the folder ``state`` holds."""

    state: Path
    accounts: tuple[Account, ...]

    def document(self) -> dict[str, Any]:
        """Return a list of accounts as JSON has it."""
        return {"state": str(self.state), "accounts": [account.document() for account in self.accounts]}


@dataclass(frozen=True)
class RemovedAccount:
    """The ``name`` of an account that is gone, and how many ``conversations`` went with it."""

    name: str
    conversations: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"name": self.name, "conversations": self.conversations}


@dataclass(frozen=True)
class WardHere:
    """What this machine keeps, with its audit, and ``who`` sits at the terminal."""

    ward: Ward
    audit: Audit
    who: str


class Users:
    """The accounts of a ward, changed by ``who``. A service that runs sees each change at once."""

    def __init__(self, ward: Ward, audit: Audit, who: str, limits: SignIn) -> None:
        self._ward = ward
        self._audit = audit
        self._who = who
        self._days = limits.invitation_s / 86400

    def add(self, name: str, role: Role, url: str) -> Invited:
        """Add an account, and invite its user to ``url``; :class:`~edgekit.errors.InputError` for a name that is
        taken or none.
        """
        with self._ward.database.transaction():
            account = self._ward.accounts.add(name, role)
            self._audit.note("account_added", self._who, account=account.name, role=role)
            return self._invite(account, url)

    def reset(self, name: str, url: str) -> Invited:
        """Invite an account's user again: until the link is used, the old password stays good."""
        with self._ward.database.transaction():
            account = self._ward.accounts.named(name)
            if account.disabled:
                raise InputError(f"'{account.name}' is disabled", f"Run first: edgekit user enable {account.name}")
            self._audit.note("account_invited", self._who, account=account.name)
            return self._invite(account, url)

    def disable(self, name: str) -> Account:
        """Let an account in no more; what it keeps stays."""
        with self._ward.database.transaction():
            account = self._ward.accounts.named(name)
            self._ward.accounts.disable(account)
            self._audit.note("account_disabled", self._who, account=account.name)
            return self._ward.accounts.named(name)

    def enable(self, name: str) -> Account:
        """Let an account in again."""
        with self._ward.database.transaction():
            account = self._ward.accounts.named(name)
            self._ward.accounts.enable(account)
            self._audit.note("account_enabled", self._who, account=account.name)
            return self._ward.accounts.named(name)

    def set_role(self, name: str, role: Role) -> Account:
        """Make a doctor an admin, or the other way round."""
        with self._ward.database.transaction():
            account = self._ward.accounts.named(name)
            self._ward.accounts.set_role(account, role)
            self._audit.note("account_role", self._who, account=account.name, role=role)
            return self._ward.accounts.named(name)

    def remove(self, name: str, *, with_conversations: bool = False) -> RemovedAccount:
        """Remove an account; :class:`~edgekit.errors.InputError` where it owns conversations that are not to go."""
        account = self._ward.accounts.named(name)
        count = self._ward.conversations.count(account.owner)
        if count and not with_conversations:
            raise InputError(
                f"'{account.name}' has {count} conversation{'s' if count > 1 else ''}",
                f"edgekit user disable {account.name} keeps them and lets nobody in; --with-conversations deletes "
                "them for good, in all backups too.",
            )
        self._audit.note("account_removed", self._who, account=account.name, count=count)
        return RemovedAccount(account.name, self._ward.remove_account(account, with_conversations=with_conversations))

    def _invite(self, account: Account, url: str) -> Invited:
        return Invited(account, f"{url}#invitation={self._ward.invitations.make(account)}", self._days)


def list_accounts() -> ListedAccounts:
    """List the accounts of this machine; none where nothing is kept yet."""
    state = state_folder()
    _require_ours(state)
    if not _is_kept(state):
        return ListedAccounts(state, ())
    with Ward.open(state, master_key(state)) as ward:
        return ListedAccounts(state, ward.accounts.all())


@contextmanager
def users_here(limits: SignIn, *, make: bool = False) -> Iterator[Users]:
    """Open the accounts of this machine to change them; with ``make``, what is kept begins with them.

    :class:`~edgekit.errors.EdgeKitError` where there is nothing, or it can't be opened.
    """
    if not make and not _is_kept(state_folder()):
        raise InputError(f"There are no accounts in {state_folder()}", "One is made by: edgekit user add NAME")
    with _opened(limits) as here:
        yield Users(here.ward, here.audit, here.who, limits)


@contextmanager
def ward_here() -> Iterator[WardHere]:
    """Open what this machine keeps, for a command; :class:`~edgekit.errors.EdgeKitError` where that is nothing, or it
    can't be opened.
    """
    if not _is_kept(state_folder()):
        raise InputError(f"Nothing is kept in {state_folder()} yet", "It begins with the service's first conversation.")
    with _opened(SignIn()) as here:
        yield here


@contextmanager
def _opened(limits: SignIn) -> Iterator[WardHere]:
    state = state_folder()
    _require_ours(state)
    master = master_key(state)
    Reserve(state).ease()
    with Ward.open(state, master, limits=limits) as ward:
        yield WardHere(ward, open_audit(state, ward.database, master), at_terminal())


def _is_kept(state: Path) -> bool:
    return any(is_there(state / name) for name in (WARD, KEYS))


def _require_ours(state: Path) -> None:
    if state.is_dir() and not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        raise EdgeKitError(f"{state} is another user's", "Run this as root, or as the user that the service runs as.")
