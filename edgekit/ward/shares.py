"""Conversations handed to a colleague: to read, or to read and ask. Whose it is may take it back at any time."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.errors import InputError
from edgekit.ward.access import reach, reached
from edgekit.ward.accounts import Account, Accounts
from edgekit.ward.database import Database


@dataclass(frozen=True)
class Share:
    """Whom a conversation is shared with: his ``owner``, what he is called, and whether he may ask."""

    owner: str
    name: str
    may_ask: bool


class Shares:
    """The shares of a ward."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._database = database
        self._accounts = accounts

    def give(self, owner: str, conversation: str, account: Account, may_ask: bool) -> None:
        """Share a conversation of one's own; given again, what he may do changes.

        :class:`~edgekit.errors.NotHere`, :class:`~edgekit.errors.NotAllowed`; :class:`~edgekit.errors.InputError` where
        the account is one's own or is let in no more.
        """
        with self._database.transaction():
            reach(self._database, owner, conversation).require("own")
            if account.owner == owner or account.disabled:
                raise InputError(f"'{account.name}' can't be given this conversation", "Choose a colleague.")
            self._database.change(
                "INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", (conversation, account.owner, int(may_ask))
            )

    def withdraw(self, owner: str, conversation: str, account: Account) -> bool:
        """Take a conversation of one's own back from a colleague, at once; False where he did not have it.

        :class:`~edgekit.errors.NotHere`, :class:`~edgekit.errors.NotAllowed`.
        """
        with self._database.transaction():
            reach(self._database, owner, conversation).require("own")
            statement = "DELETE FROM shares WHERE conversation = ? AND owner = ?"
            return self._database.change(statement, (conversation, account.owner)) > 0

    def of(self, owner: str, conversation: str) -> tuple[Share, ...]:
        """Return whom a conversation is shared with; nobody where ``owner`` does not reach it."""
        query = reached("o.owner, o.may_ask", "JOIN shares o ON o.conversation = c.id", "AND c.id = :conversation")
        rows = self._database.rows(query, {"owner": owner, "conversation": conversation})
        shares = (Share(other, self._accounts.name_of(other), bool(may_ask)) for other, may_ask in rows)
        return tuple(sorted(shares, key=lambda share: share.name))
