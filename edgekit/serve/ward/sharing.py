"""Conversations handed to a colleague, to read or to ask in, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.errors import InputError, NotAllowed, NotHere
from edgekit.serve.caller import Caller
from edgekit.serve.ward.callers import caller_in
from edgekit.serve.ward.documents import Colleagues
from edgekit.serve.ward.endpoint import DONE, Reply, Request, document
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.requests import Share
from edgekit.serve.ward.shown import conversation_of

if TYPE_CHECKING:
    from edgekit.ward.accounts import Account


async def colleagues(request: Request) -> Reply:
    """Name to whom a conversation can be shown."""
    owner, session = request.owner, request.visit.session
    if session is None:
        return document(Colleagues(names=[]))

    def look(store: Store) -> list[str]:
        return [
            account.name for account in store.ward.accounts.all() if account.owner != owner and not account.disabled
        ]

    return document(Colleagues(names=await request.desk.keeper.call(look)))


async def give(request: Request) -> Reply:
    """Share a conversation of one's own; given again, what the colleague may do changes."""
    owner, id, name, who = request.owner, request.part("conversation"), request.part("name"), request.who
    asked = await request.read(Share)

    def share(store: Store) -> Account:
        colleague = _colleague(store, owner, id, name)
        with store.ward.database.transaction():
            store.ward.shares.give(owner, id, colleague, asked.may_ask)
            store.audit.note("share_given", who, conversation=id, account=colleague.name, may_ask=asked.may_ask)
        return colleague

    colleague = await request.desk.keeper.call(share)
    request.desk.writing.give(id, colleague.owner)
    return DONE


async def withdraw(request: Request) -> Reply:
    """Take a conversation of one's own back from a colleague, at once: what he reads of it now, too."""
    owner, id, name, who = request.owner, request.part("conversation"), request.part("name"), request.who

    def take(store: Store) -> Account:
        colleague = _colleague(store, owner, id, name)
        with store.ward.database.transaction():
            if not store.ward.shares.withdraw(owner, id, colleague):
                raise NotHere("This conversation is not shared with him", "Look whom it is shared with.")
            store.audit.note("share_withdrawn", who, conversation=id, account=colleague.name)
        return colleague

    colleague = await request.desk.keeper.call(take)
    request.desk.writing.withdraw(id, colleague.owner)
    request.desk.forget(caller_in(Caller(colleague.owner), owner).id)
    return DONE


def _colleague(store: Store, owner: str, id: str, name: str) -> Account:
    """A colleague by his name; of whoever can't share the conversation, none is looked for."""
    if conversation_of(store, owner, id).access != "own":
        raise NotAllowed("This conversation is another's", "Its owner may share it.")
    try:
        return store.ward.accounts.named(name)
    except InputError as error:
        raise NotHere(error.message, error.hint) from error
