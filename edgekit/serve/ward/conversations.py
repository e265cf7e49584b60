"""``api/conversations``: begun, listed, looked at, changed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from edgekit.serve.caller import Caller
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.callers import caller_in
from edgekit.serve.ward.documents import AccessDocument, ConversationDocument, ConversationList, WholeConversation
from edgekit.serve.ward.endpoint import DONE, Reply, Request, document
from edgekit.serve.ward.keeper import Keeper, Store
from edgekit.serve.ward.requests import ChangedConversation, NewConversation
from edgekit.serve.ward.shown import conversation_of, show, show_whole

if TYPE_CHECKING:
    from edgekit.ward.conversations import Conversation as Kept

PAGE, MOST = 30, 100
"""Conversations of one list, unless more are asked for, and at most."""
SEARCH = 200
"""Letters that are searched for."""


async def list_all(request: Request) -> Reply:
    """List one's conversations, and those that were shared, the last changed first."""
    request.require_only("search", "before", "limit")
    owner, limit = request.owner, request.number("limit", PAGE, 1, MOST)
    search, before = request.word("search")[:SEARCH], request.word("before")
    if not request.desk.keeper.is_there:
        return document(ConversationList(conversations=[], more=False))

    def look(store: Store) -> ConversationList:
        store.audit.note("conversations_listed", request.who, count=min(limit, len(chosen)))
        return ConversationList(conversations=[show(store, each) for each in chosen[:limit]], more=len(chosen) > limit)

    async with request.desk.listing.turn(request.visit.caller.share):
        chosen = await _listed(request.desk.keeper, owner, search, limit + 1, before)
    return document(await request.desk.keeper.call(look))


async def _listed(keeper: Keeper, owner: str, search: str, limit: int, before: str) -> list[Kept]:
    """A list of conversations, made part by part: whatever else is asked of the store comes between."""
    chosen, start = list["Kept"](), await keeper.call(lambda store: store.ward.conversations.start(owner, before))
    while start and len(chosen) < limit:
        more, start = await keeper.call(partial(_part, owner, search, start))
        chosen += more
    return chosen


def _part(owner: str, search: str, start: int, store: Store) -> tuple[Sequence[Kept], int]:
    return store.ward.conversations.part(owner, search, start)


async def create(request: Request) -> Reply:
    """Begin a conversation."""
    owner, who, most = request.owner, request.who, request.desk.service.settings.keep.conversations
    asked = await request.read(NewConversation)

    def make(store: Store) -> ConversationDocument:
        store.room.require_spare()
        require_fewer(store.ward.conversations.count(owner), most, "conversations")
        note = partial(store.audit.note, "conversation_made", who)
        made = store.ward.conversations.create(
            owner, asked.label, asked.referring_question, confirm=lambda id: note(conversation=id)
        )
        return show(store, made)

    return document(await request.desk.keeper.call(make, eases=False), 201)


async def look_at(request: Request) -> Reply:
    """Show a conversation with all that is in it."""
    owner, id, who, desk = request.owner, request.part("conversation"), request.who, request.desk
    running = desk.writing.in_conversation(id)

    def look(store: Store) -> WholeConversation:
        whole = show_whole(store, owner, id)
        store.audit.note("conversation_read", who, conversation=id)
        return whole

    whole = await desk.keeper.call(look)
    if running is not None:
        whole.turns = [running.document() if turn.id == running.turn.id else turn for turn in whole.turns]
    return document(whole)


async def access(request: Request) -> Reply:
    """Say what one may do in a conversation, for a page that shows it; nothing in it is looked at, and no line of the
    audit says that it was."""
    owner, id = request.owner, request.part("conversation")

    def look(store: Store) -> AccessDocument:
        from edgekit.ward.access import reach

        return AccessDocument(access=reach(store.ward.database, owner, id).access)

    return document(await request.desk.keeper.call(look, eases=False))


async def change(request: Request) -> Reply:
    """Change texts of a conversation."""
    owner, id, who = request.owner, request.part("conversation"), request.who
    asked = await request.read(ChangedConversation)

    def write(store: Store) -> ConversationDocument:
        with store.ward.database.transaction():
            changed = store.ward.conversations.change(
                owner, id, label=asked.label, referring_question=asked.referring_question, report=asked.report
            )
            store.audit.note("conversation_changed", who, conversation=id)
        return show(store, changed)

    return document(await request.desk.keeper.call(write))


async def delete(request: Request) -> Reply:
    """Delete a conversation for good; an answer that is being written in it ends first."""
    owner, id, who, desk = request.owner, request.part("conversation"), request.who, request.desk
    conversation = await desk.keeper.call(lambda store: conversation_of(store, owner, id))
    running = desk.writing.in_conversation(id)
    if running is not None and conversation.access == "own":
        await desk.writing.stop(running)

    def remove(store: Store) -> set[str]:
        others = {share.owner for share in store.ward.shares.of(owner, id)}
        note = partial(store.audit.note, "conversation_deleted", who, conversation=id)
        store.ward.conversations.delete(owner, id, confirm=note)
        return others

    others = await desk.keeper.call(remove)
    if (running := desk.writing.in_conversation(id)) is not None:  # asked meanwhile
        await desk.writing.stop(running)
    for other in others:
        desk.writing.withdraw(id, other)
        desk.forget(caller_in(Caller(other), owner).id)
    desk.forget(owner)
    return DONE


def require_fewer(count: int, most: int, name: str) -> None:
    """Refuse, with status 409, one more of what there are as many of as may be."""
    if count >= most:
        message = f"There are {count} {name}, as many as may be kept: delete some that are not needed any more."
        raise Refusal(409, message, "too_many_kept")
