"""Who may sign in: doctors, and admins, who see how the service fares; neither sees another's conversations.

Accounts are made at a terminal (``edgekit user``), never by whoever comes first. A name is for signing in; what an
account owns is by its number, which no other ever gets.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

from edgekit import config
from edgekit.errors import InputError
from edgekit.ward import passwords
from edgekit.ward.database import Database, Row

Role: TypeAlias = Literal["doctor", "admin"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LANGUAGE = re.compile(r"([a-z]{2,3}(-[A-Za-z0-9]{2,8})?)?")
_COLUMNS = "id, name, role, language, created_s, disabled, password IS NOT NULL"
_OWNER = "account "


@dataclass(frozen=True, kw_only=True)
class Account:
    """``language``: of the page, "" until it is chosen; ``has_password``: False until a one-time link was used."""

    id: int
    name: str
    role: Role
    language: str
    created_s: int
    disabled: bool
    has_password: bool

    @property
    def owner(self) -> str:
        """What its conversations are owned by, whatever it is called."""
        return f"{_OWNER}{self.id}"

    def document(self) -> dict[str, Any]:
        """Return an account as JSON has it."""
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.created_s))
        return {
            "name": self.name,
            "role": self.role,
            "created": created,
            "disabled": self.disabled,
            "has_password": self.has_password,
        }


class Accounts:
    """The accounts of a ward."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exist(self) -> bool:
        """Say whether there is any account: the page is closed to others then, also where each is disabled."""
        return self._database.row("SELECT 1 FROM accounts") is not None

    def add(self, name: str, role: Role) -> Account:
        """Add an account without a password; :class:`~edgekit.errors.InputError` where the name is none, or taken."""
        if not _NAME.fullmatch(name):
            message = f"{name[:40]!r} is no name for an account"
            raise InputError(message, "Use letters, digits, '-', '_' and '.', a letter or a digit first, 64 at most.")
        with self._database.transaction():
            if self._database.row("SELECT 1 FROM accounts WHERE name = ?", (name,)):
                raise InputError(
                    f"There is an account called '{name}' already",
                    f"Choose another name, or show a new link for this one: edgekit user reset {name}",
                )
            statement = "INSERT INTO accounts (name, role, language, created_s, disabled) VALUES (?, ?, '', ?, 0)"
            self._database.change(statement, (name, _role(role), int(time.time())))
            return self.named(name)

    def all(self) -> tuple[Account, ...]:
        """Return every account, by name."""
        return tuple(map(_account, self._database.rows(f"SELECT {_COLUMNS} FROM accounts ORDER BY name")))

    def named(self, name: str) -> Account:
        """Return the account called ``name``, in capitals or not; :class:`~edgekit.errors.InputError` where none is."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM accounts WHERE name = ?", (name,))
        if row is None:
            names = [account.name for account in self.all()]
            hint = (
                config.did_you_mean(name, names) if names else "There are none. One is made by: edgekit user add NAME"
            )
            raise InputError(f"There is no account called {name[:40]!r}", hint)
        return _account(row)

    def of(self, id: int) -> Account | None:
        """Return the account of a number; None where it is gone."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM accounts WHERE id = ?", (id,))
        return None if row is None else _account(row)

    def name_of(self, owner: str) -> str:
        """Return what an owner, or who asked, is called: an account's name; what is no account is its own name."""
        if not owner.startswith(_OWNER):
            return owner
        account = self.of(int(owner.removeprefix(_OWNER)))
        return account.name if account else "an account that is gone"

    def hash_of(self, name: str) -> str | None:
        """Return what is kept of the password of the account called ``name``, for
        :func:`~edgekit.ward.passwords.matches`, which takes None too; None where nobody is let in by that name.
        """
        row = self._database.row("SELECT password FROM accounts WHERE name = ? AND NOT disabled", (name,))
        return None if row is None else row[0]

    def verify(self, name: str, password: str) -> Account | None:
        """Return whom a name and a password let in; None, after as long a time, where they let nobody in."""
        return self.named(name) if passwords.matches(self.hash_of(name), password) else None

    def set_password(self, account: Account, password: str, confirm: Callable[[], object] = lambda: None) -> None:
        """Set an account's password, and end all of its sessions; :class:`~edgekit.errors.InputError` for a bad one.

        ``confirm`` is called in the transaction, and may raise to have nothing done.
        """
        passwords.require_good(password, account.name)
        kept = passwords.hash_password(password)  # slow: no transaction waits for it
        with self._database.transaction():
            confirm()
            self._set("password", kept, account)
            self._lock_out(account)

    def set_role(self, account: Account, role: Role) -> None:
        """Make a doctor an admin, or the other way round; its sessions are so at once."""
        self._set("role", _role(role), account)

    def set_language(self, account: Account, language: str) -> None:
        """Choose the page's language: "fr", "pt-BR"; "" for the browser's. InputError for what is none."""
        if not _LANGUAGE.fullmatch(language):
            raise InputError(f"{language[:20]!r} is no language", "Give its code, as fr or pt-BR.")
        self._set("language", language, account)

    def disable(self, account: Account) -> None:
        """Let an account in no more: its sessions end, its one-time link too, what it keeps stays."""
        with self._database.transaction():
            self._set("disabled", 1, account)
            self._lock_out(account)

    def enable(self, account: Account) -> None:
        """Let an account in again, by its password."""
        self._set("disabled", 0, account)

    def remove(self, account: Account) -> None:
        """Remove an account; :class:`~edgekit.errors.InputError` as long as it owns conversations."""
        with self._database.transaction():
            row = self._database.row("SELECT count(*) FROM conversations WHERE owner = ?", (account.owner,))
            if row and row[0]:
                raise InputError(f"'{account.name}' has {row[0]} conversations", "Delete them first, or disable it.")
            self._database.change("DELETE FROM shares WHERE owner = ?", (account.owner,))
            self._database.change("DELETE FROM accounts WHERE id = ?", (account.id,))

    def _set(self, column: str, value: object, account: Account) -> None:
        self._database.change(f"UPDATE accounts SET {column} = ? WHERE id = ?", (value, account.id))

    def _lock_out(self, account: Account) -> None:
        self._database.change("UPDATE sessions SET ended = 1 WHERE account = ?", (account.id,))
        self._database.change("DELETE FROM invitations WHERE account = ?", (account.id,))


def _role(role: str) -> Role:
    if role not in get_args(Role):
        raise InputError(f"{role[:20]!r} is no role", "It is 'doctor' or 'admin'.")
    return cast(Role, role)


def _account(row: Row) -> Account:
    id, name, role, language, created_s, disabled, has_password = row
    return Account(
        id=id,
        name=name,
        role=role,
        language=language,
        created_s=created_s,
        disabled=bool(disabled),
        has_password=bool(has_password),
    )
