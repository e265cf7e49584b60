"""``POST api/feedback``: a doctor's word on an answer."""

from __future__ import annotations

from edgekit.errors import NotHere
from edgekit.serve.ward.endpoint import DONE, Reply, Request
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.requests import Feedback


async def give(request: Request) -> Reply:
    """Keep what one says of an answer, in the place of what one said before."""
    owner, who = request.owner, request.who
    asked = await request.read(Feedback)

    def keep(store: Store) -> None:
        conversation = store.ward.turns.conversation_of(owner, asked.turn)
        if conversation is None:
            raise NotHere("There is no such answer", "It may have been deleted.")
        with store.ward.database.transaction():
            store.ward.feedback.give(owner, asked.turn, asked.verdict, asked.answer)
            store.audit.note("feedback", who, conversation=conversation, turn=asked.turn, verdict=asked.verdict)

    await request.desk.keeper.call(keep)
    return DONE
