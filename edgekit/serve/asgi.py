"""What an endpoint does with a connection: read a body within bounds, work while the caller is there, answer.

A caller that goes is noticed at once, since every answer, streamed or not, is worked on beside a wait for the
connection's end. Starlette's own streaming would notice at the next send, and a plain endpoint not at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.units import format_bytes

T = TypeVar("T")
STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would else keep events until it has a buffer full of them
}
INLINE_BYTES = 2**18
"""What is read in a millisecond: to have another thread do it takes a part of that."""
DRAINED = 2
"""So many bodies' worth of a body that is too large are read and dropped: a caller still sending could not read why."""


class Gone(Exception):
    """The caller has closed the connection."""


class Bodies:
    """Bounds the bodies of requests, one alone and all together, in bytes."""

    def __init__(self, most_bytes: int, most_together_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._most_together_bytes = most_together_bytes
        self._held_bytes: Counter[str] = Counter()

    @asynccontextmanager
    async def reading(self, caller: str, scope: Scope, receive: Receive) -> AsyncIterator[bytearray]:
        """Yield the whole body of a ``caller``'s request, to be cleared once it is understood; its bytes count as held
        until the end of the block, since its pictures are.

        :class:`Refusal` of status 413 where it is larger than one may be, 503 where all together are, 429 where its
        caller's are half of that; :class:`Gone` where the caller goes before its end.
        """
        announced = _content_length(scope)
        if announced > self._most_bytes and any(name == b"expect" for name, _ in scope["headers"]):
            raise self._too_large()  # it asked before it sends
        held = 0
        try:
            body = bytearray()
            parts = _parts(receive)
            async for part in parts:
                too_large = max(announced, len(body) + len(part)) > self._most_bytes
                refusal = self._too_large() if too_large else self._without_room(caller, len(part))
                if refusal is not None:
                    await self._drain(parts, len(body) + len(part))
                    raise refusal
                self._held_bytes[caller] += len(part)
                held += len(part)
                body += part
            yield body
        finally:
            self._held_bytes[caller] -= held
            if not self._held_bytes[caller]:
                del self._held_bytes[caller]

    def _without_room(self, caller: str, size_bytes: int) -> Refusal | None:
        """Why so many bytes more can't be held, where they can't."""
        own = max(self._most_bytes, self._most_together_bytes // 2)
        if self._held_bytes[caller] + size_bytes > own:
            return _too_many(429, "Requests of yours hold half of the memory that there is for them. Try again soon.")
        if self._held_bytes.total() + size_bytes > self._most_together_bytes:
            return _too_many(503, "The service holds as many requests as its memory allows. Try again soon.")
        return None

    async def _drain(self, parts: AsyncIterator[bytes], read: int) -> None:
        with suppress(Gone):
            async for part in parts:
                read += len(part)
                if read > DRAINED * self._most_bytes:
                    return

    def _too_large(self) -> Refusal:
        message = f"The request is larger than {format_bytes(self._most_bytes)}: send smaller pictures, or fewer."
        return Refusal(413, message, "request_too_large", headers={"connection": "close", **NEVER_RETRY})


def _too_many(status: int, message: str) -> Refusal:
    headers = {"retry-after": "2", "connection": "close", **NEVER_RETRY}
    return Refusal(status, message, "too_many_requests_in_memory", headers=headers)


def _content_length(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


async def _parts(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def apart(size_bytes: int, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which has so much to go through: on another thread where others would wait."""
    return work() if size_bytes < INLINE_BYTES else await asyncio.to_thread(work)


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; where the caller goes before, ``work`` is cancelled and :class:`Gone` raised.

    The request's body has been read: what ``receive`` tells next is the end of the connection.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def respond(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Send a whole answer."""
    lines = {"content-length": str(len(body)), **headers}
    await send({"type": "http.response.start", "status": status, "headers": _encoded(lines)})
    await send({"type": "http.response.body", "body": body})


async def respond_json(send: Send, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
    """Send a JSON document."""
    kind = {"content-type": "application/json", "cache-control": "no-store"}
    await respond(send, status, msgspec.json.encode(document), kind | dict(headers or {}))


async def respond_events(send: Send, events: AsyncIterator[bytes], headers: Mapping[str, str] | None = None) -> None:
    """Send server-sent events, each as soon as it is there."""
    lines = STREAM_HEADERS | dict(headers or {})
    await send({"type": "http.response.start", "status": 200, "headers": _encoded(lines)})
    async for event in events:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
