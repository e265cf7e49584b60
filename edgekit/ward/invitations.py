"""One-time links: who was given one chooses a password with it, once. Nobody else ever knows that password."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from edgekit.errors import InputError
from edgekit.ward.accounts import Account, Accounts
from edgekit.ward.database import Database
from edgekit.ward.limits import SignIn
from edgekit.ward.moments import Clock, Moment


class Invitations:
    """The one-time links that are out: one an account, whose secret the table knows by its SHA-256 alone."""

    def __init__(self, database: Database, accounts: Accounts, limits: SignIn, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._limits = limits
        self._clock = clock

    def make(self, account: Account) -> str:
        """Return the secret of a new link; an older one of the account is good no more."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        values = (digest(secret), account.id, now.boot, now.up_s, now.wall_s)
        self._database.change("INSERT OR REPLACE INTO invitations VALUES (?, ?, ?, ?, ?)", values)
        return secret

    def accept(
        self, secret: str, password: str, confirm: Callable[[Account], object] = lambda account: None
    ) -> Account:
        """Use a link up: its account has this password now. Sessions of the account end.

        ``confirm`` is called before that is so, and may raise to have nothing done.
        :class:`~edgekit.errors.InputError` for a secret that is wrong, used, or too old, without saying which; and for
        a password that is not good enough, where the link stays good.
        """
        account = self._invited(secret)
        self._accounts.set_password(account, password, lambda: confirm(self._invited(secret)))
        return self._accounts.of(account.id) or account

    def _invited(self, secret: str) -> Account:
        row = self._database.row(
            "SELECT account, boot, up_s, wall_s FROM invitations JOIN accounts ON accounts.id = account"
            " WHERE sha256 = ? AND NOT disabled",
            (digest(secret),),
        )
        passed = self._clock().since(Moment(*row[1:])) if row else None
        account = self._accounts.of(row[0]) if row else None
        if account is None or passed is None or passed > self._limits.invitation_s:
            hint = "Ask for a new one: edgekit user reset NAME shows it."
            raise InputError("This link is not good, or no longer", hint)
        return account


def digest(secret: str) -> bytes:
    """Return what a table keeps of a random secret: there is nothing to guess, so it needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
