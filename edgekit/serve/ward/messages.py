"""Questions in a conversation: asked, answered as it is written, taken up where a link broke, and stopped.

A question is on the disk before the first event of its answer. The answer goes on when its reader goes, and is stored
once it has ended.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from edgekit import config
from edgekit.errors import NotAllowed
from edgekit.inputs.prepared import PreparedPicture
from edgekit.runtime import SamplingParams
from edgekit.serve.answer import Order
from edgekit.serve.asgi import while_connected
from edgekit.serve.conversation import Conversation, Question, Source
from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.openai.wish import wish_of
from edgekit.serve.refusal import NEVER_RETRY, Refusal, invalid
from edgekit.serve.service import Wish
from edgekit.serve.ward.callers import caller_in
from edgekit.serve.ward.documents import TurnDocument
from edgekit.serve.ward.endpoint import DONE, Reply, Request, document
from edgekit.serve.ward.events import live, stored
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.reader import Reader
from edgekit.serve.ward.requests import NewQuestion
from edgekit.serve.ward.shown import conversation_of, show_turn, turn_of
from edgekit.serve.ward.writing import Asked, Written

if TYPE_CHECKING:
    from edgekit.ward.conversations import Conversation as Kept
    from edgekit.ward.turns import Turn

SEEDS = 2**31
"""A seed that nobody chose is one of so many: a number that every program can hold."""


async def ask(request: Request) -> Reply:
    """Ask a question, and have it answered."""
    desk, id, owner = request.desk, request.part("conversation"), request.owner
    desk.service.require_open()
    message = await request.read(NewQuestion)
    wish = _wish(request, message)
    with desk.writing.asking(id):
        most = desk.service.settings.keep.turns
        kept, before = await desk.keeper.call(partial(_open, owner, id, tuple(message.images), most), eases=False)
        talk = _talk(request, kept, before, message)
        caller = caller_in(request.visit.caller, kept.owner)
        orders, notes = await while_connected(request.receive, desk.service.orders(talk, wish, caller))
        exchange = desk.service.exchange(orders, notes)
        try:
            add = partial(_add, request, id, message, wish.params[0])
            turn = await desk.keeper.call(add, eases=False)
        except BaseException:
            desk.service.end(exchange)
            desk.forget(caller.id)  # it may have been deleted, or taken back, before the engine had it
            raise
        asked = _asked(request.who, kept, turn, orders[0])
        written = desk.writing.begin(turn, asked, exchange)
    if message.stream:
        return Reply(events=_live(request, written, 0))
    return document(await while_connected(request.receive, _whole(written)))


async def follow(request: Request) -> Reply:
    """Take an answer up behind what of it has come."""
    owner, id, turn = request.owner, request.part("conversation"), request.part("turn")
    offset = _offset(request)
    written = request.desk.writing.of(turn)
    running = written is not None and written.asked.conversation == id

    def look(store: Store) -> TurnDocument:
        return show_turn(store, turn_of(store, owner, id, turn))

    shown = await request.desk.keeper.call(look)
    if written is not None and running:
        return Reply(events=_live(request, written, offset))
    return Reply(events=stored(shown, offset))


async def stop(request: Request) -> Reply:
    """Stop an answer; what was written of it stays."""
    owner, id, turn, who = request.owner, request.part("conversation"), request.part("turn"), request.who

    def note(store: Store) -> None:
        turn_of(store, owner, id, turn)
        if conversation_of(store, owner, id).access == "read":
            raise NotAllowed("This conversation is another's, and may only be read", "Ask whose it is.")
        store.audit.note("stopped", who, conversation=id, turn=turn)

    await request.desk.keeper.call(note)
    written = request.desk.writing.of(turn)
    if written is not None:
        await request.desk.writing.stop(written)
    return DONE


def _wish(request: Request, message: NewQuestion) -> Wish:
    """How the answer is drawn; by a seed of its own, so that it can be had again."""
    if not message.text.strip():
        raise invalid("text", "is empty: there is nothing to answer.")
    seed = secrets.randbelow(SEEDS) if message.seed is None else message.seed
    chat = ChatRequest(
        messages=[], max_completion_tokens=message.max_tokens, temperature=message.temperature, seed=seed
    )
    return wish_of(chat, request.desk.service, 1)


def _open(owner: str, id: str, images: tuple[str, ...], most: int, store: Store) -> tuple[Kept, list[Turn]]:
    """The conversation, of ``most`` turns at most, and the turns before that the model is shown."""
    from edgekit.ward.history import is_shown

    conversation = conversation_of(store, owner, id)
    if conversation.access == "read":
        raise NotAllowed("This conversation is another's, and may only be read", "Ask whose it is.")
    store.room.require_spare()
    if conversation.turns >= most:
        message = f"This conversation has {conversation.turns} questions, as many as one may have: begin a new one."
        raise Refusal(409, message, "conversation_full", headers=NEVER_RETRY)
    if not set(images) <= {picture.id for picture in store.ward.pictures.of(owner, id)}:
        message = "A picture of this question is not in its conversation. Add it to the conversation first."
        raise Refusal(400, message, "picture_not_here", param="images")
    return conversation, [turn for turn in store.ward.turns.of(owner, id) if is_shown(turn)]


def _talk(request: Request, kept: Kept, before: list[Turn], message: NewQuestion) -> Conversation:
    caller = caller_in(request.visit.caller, kept.owner)

    def sources(pictures: tuple[str, ...]) -> tuple[Source, ...]:
        return tuple(partial(_picture, request, kept.id, caller.id, picture) for picture in pictures)

    questions = [Question(turn.question, sources(turn.pictures), turn.answer) for turn in before]
    return Conversation(None, (*questions, Question(message.text, sources(tuple(message.images)), None)))


async def _picture(request: Request, conversation: str, caller: str, picture: str) -> PreparedPicture:
    """A picture as the model looks at it: read and decoded only where that was not done for this caller before."""
    desk, owner = request.desk, request.owner

    async def prepare() -> PreparedPicture:
        async with desk.loading:
            file = await desk.keeper.call(lambda store: store.ward.pictures.file(owner, conversation, picture))
            return await desk.service.gallery.decode(file)

    return await desk.service.gallery.stored(caller, picture.encode(), prepare)


def _add(request: Request, id: str, message: NewQuestion, params: SamplingParams, store: Store) -> TurnDocument:
    """Keep the question."""
    with store.ward.database.transaction():
        turn = store.ward.turns.add(
            request.owner,
            id,
            message.text,
            message.images,
            config.dump(params),
            seed=params.seed or 0,
            bundle=request.desk.service.model.bundle.digest,
            language=message.language,
        )
        store.audit.note("asked", request.who, conversation=id, turn=turn.id, pictures=len(turn.pictures))
    return show_turn(store, turn, is_running=True)


def _asked(who: str, kept: Kept, turn: TurnDocument, order: Order) -> Asked:
    return Asked(
        who=who,
        owner=kept.owner,
        conversation=kept.id,
        turn=turn.id,
        keys=order.prompt.keys,
        pictures=[piece.picture.digest for piece in order.prompt.images],
        params=order.params,
    )


def _live(request: Request, written: Written, offset: int) -> AsyncIterator[bytes]:
    id, owner, writing = request.part("conversation"), request.owner, request.desk.writing

    def note(code: str) -> None:
        request.scope["state"]["failed"] = code  # for the log: the status is sent by then

    secret = request.visit.secret if request.visit.session else ""
    reader = Reader(lambda: writing.may_read(id, owner), request.desk.keeper, secret)
    return live(written, offset, reader, note)


async def _whole(written: Written) -> TurnDocument:
    turn = await asyncio.shield(written.kept)
    failure = written.exchange.failure()
    if turn.state == "failed" and failure is not None:
        raise failure
    return turn


def _offset(request: Request) -> int:
    request.require_only("offset")
    headers = [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"last-event-id"]
    text = request.word("offset") or (headers or ["0"])[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid("offset", "is the number of the last event that was read.")
    return int(text)
