"""An answer as the page reads it: the turn, its place among those who wait, its text as it comes, and its end.

Each piece of text has for its number how many characters there are with it. So an answer can be taken up behind any of
them, from what is being written as from what is stored, also by a service that has started anew since.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from msgspec.structs import replace

from edgekit.serve.answer import Answer, Delta
from edgekit.serve.exchange import comment
from edgekit.serve.refusal import Refusal
from edgekit.serve.ward.documents import TurnDocument
from edgekit.serve.ward.reader import Reader
from edgekit.serve.ward.writing import Written


async def live(
    written: Written, offset: int, reader: Reader, note: Callable[[str], object] = lambda code: None
) -> AsyncIterator[bytes]:
    """Yield the events of an answer that is being written, behind the first ``offset`` characters of its text, as long
    as its ``reader`` may read it. ``note`` is told the code of what went wrong.
    """
    (answer,) = written.exchange.answers
    seen, at = position(answer.deltas, offset)
    place: tuple[int, float | None] | None = None
    yield event("turn", written.document())
    try:
        async for told in written.exchange.told([seen]):
            await reader.require()
            for _, first, last in told.deltas:
                text = "".join(delta.text for delta in answer.deltas[first:last])
                rest, at = text[max(0, offset - at) :], at + len(text)
                if rest:
                    yield event("text", {"text": rest}, at)
            if told.deltas or written.exchange.ended:
                continue
            now = _place(answer)
            if now is not None and now != place:
                place = now
                yield event("place", {"place": now[0], "wait_s": now[1]})
            else:
                yield f": {comment([answer])}\n\n".encode()
        await reader.require()
        turn = await asyncio.shield(written.kept)
        await reader.require()
    except Refusal as refusal:  # of the store: what was written is not kept; or it is for this reader no more
        note(refusal.code)
        yield failed(refusal)
        return
    failure = written.exchange.failure()
    if failure is not None and turn.state == "failed":
        note(failure.code)
    yield ending(turn, failure)


async def stored(turn: TurnDocument, offset: int) -> AsyncIterator[bytes]:
    """Yield the events of an answer that has ended, behind the first ``offset`` characters of its text."""
    yield event("turn", replace(turn, answer=""))  # its text comes behind it, as of one that is being written
    if rest := turn.answer[offset:]:
        yield event("text", {"text": rest}, len(turn.answer))
    yield ending(turn, None)


def ending(turn: TurnDocument, failure: Refusal | None) -> bytes:
    """Return the last event of an answer."""
    if turn.state != "failed":
        return event("end", turn)
    return failed(failure or Refusal(500, "The answer failed before it was whole.", "answer_failed"))


def failed(refusal: Refusal) -> bytes:
    """Return the event of an answer that there won't be."""
    return event("failure", {"message": refusal.message, "code": refusal.code})


def event(name: str, content: object, number: int | None = None) -> bytes:
    """Write a server-sent event."""
    id = b"" if number is None else b"id: %d\n" % number
    return b"event: %s\n%sdata: %s\n\n" % (name.encode(), id, msgspec.json.encode(content))


def position(deltas: Sequence[Delta], offset: int) -> tuple[int, int]:
    """Return how many deltas end within the first ``offset`` characters, and how many characters those have."""
    at = 0
    for index, delta in enumerate(deltas):
        if at + len(delta.text) > offset:
            return index, at
        at += len(delta.text)
    return len(deltas), at


def _place(answer: Answer) -> tuple[int, float | None] | None:
    """An answer's place, 0 once it has a slot, and how long it waits; None while nothing is known of it."""
    if answer.started:
        return 0, None
    return (answer.place, answer.wait_s) if answer.place else None
