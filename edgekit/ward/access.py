"""Whose a conversation is, asked in one place: every query for something of a conversation is made here.

A query names the caller, its ``owner``, in its WHERE: what is another's is not among its rows, however it was asked
for. It is joined with the conversation's key, so that what was deleted is not among them either, whatever a restored
backup brought back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgekit.errors import NotAllowed, NotHere
from edgekit.ward.database import Database

Access: TypeAlias = Literal["own", "ask", "read"]
ACCESS = "CASE WHEN c.owner = :owner THEN 'own' WHEN s.may_ask THEN 'ask' ELSE 'read' END"
"""The column that says what the caller may do: all, ask and write the report, or read."""


def reached(columns: str, join: str = "", rest: str = "") -> str:
    """Return the query for ``columns`` of what the caller ``:owner`` reaches: his own, and what was shared with him.

    ``c`` is the conversation, ``k`` its key, ``s`` the share; ``join`` adds tables, ``rest`` conditions and an order.
    """
    return (
        f"SELECT {columns} FROM main.conversations c JOIN keys.keys k ON k.conversation = c.id"
        f" LEFT JOIN main.shares s ON s.conversation = c.id AND s.owner = :owner {join}"
        f" WHERE (c.owner = :owner OR s.owner = :owner) {rest}"
    )


@dataclass(frozen=True)
class Reached:
    """A conversation that a caller reaches: its ``key``, and what he may do."""

    id: str
    key: bytes
    access: Access

    def require(self, *accesses: Access) -> None:
        """Refuse, by :class:`~edgekit.errors.NotAllowed`, what is for others alone."""
        if self.access not in accesses:
            raise NotAllowed("This conversation is another's, and can't be changed so", "Ask whose it is.")


def reach(database: Database, owner: str, conversation: str) -> Reached:
    """Return a conversation as ``owner`` reaches it; :class:`~edgekit.errors.NotHere` where he does not."""
    query = reached(f"c.id, k.key, {ACCESS}", rest="AND c.id = :conversation")
    row = database.row(query, {"owner": owner, "conversation": conversation})
    if row is None:
        raise NotHere("There is no such conversation", "It may have been deleted, or its owner took it back.")
    return Reached(*row)


def touch(database: Database, conversation: str, now_s: int) -> None:
    """Note that a conversation changed: it stands before all others now, whatever the clock says."""
    database.change(
        "UPDATE conversations SET changed_s = ?, place = (SELECT max(place) + 1 FROM conversations) WHERE id = ?",
        (now_s, conversation),
    )
