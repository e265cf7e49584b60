"""uvicorn's protocol on h11, with what it lacks: a deadline until a request is complete, a limit of connections and of
what a message costs to take apart, and errors of its own in the form that clients of the API read.

uvicorn bounds headers (h11), but neither the time that a request takes to arrive nor what counts as a connection: a few
callers that send a byte a minute would hold all of them. It is measured from a connection's beginning, or from the
first byte of its next request, so that no byte in between lengthens it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from edgekit.serve.address import counted_as
from edgekit.serve.headers import with_safe
from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.units import KIB

log = logging.getLogger("edgekit.serve")

HEAD_BYTES = 16 * KIB
"""What has come of a request line with its headers is looked at so often, and twice as long a one refused: 30,000 empty
headers take h11 a tenth of a second, in which nobody else is answered."""
PARTS, LEAST_PART_BYTES = 1024, 64
"""So many parts may a body have of any length; more have so many bytes on average. h11 takes as long for a byte sent by
itself as for thousands sent together."""


class Connection(h11.Connection):
    """h11's own, which refuses a body in parts too small."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, HEAD_BYTES)
        self._parts = self._part_bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Take the next event; :class:`h11.RemoteProtocolError` where a body's parts cost more than they bring."""
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._parts += 1
            self._part_bytes += len(event.data)
            if self._parts > PARTS and self._part_bytes < LEAST_PART_BYTES * self._parts:
                raise h11.RemoteProtocolError("A body in parts too small")
        elif isinstance(event, h11.EndOfMessage):
            self._parts = self._part_bytes = 0
        return event


def protocol(
    request_s: float, connections: int, is_proxy: Callable[[str], bool] = lambda address: False
) -> type[H11Protocol]:
    """Return the protocol's class for ``uvicorn.Config(http=…)``.

    A request arrives within ``request_s`` seconds, and what is sent to a caller is taken within as many. So many
    ``connections`` are open at once, and half as many from one address or network of IPv6, unless that ``is_proxy``.
    """

    class Bounded(DeadlineProtocol):
        pass

    Bounded.request_s, Bounded.most_connections, Bounded.is_proxy = request_s, connections, staticmethod(is_proxy)
    return Bounded


class DeadlineProtocol(H11Protocol):
    """One connection. A request that is not complete in time is answered by 408, as far as that can still be said; a
    caller that does not take what it is sent is let go."""

    request_s: float
    most_connections: int
    is_proxy: Callable[[str], bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._untaken: asyncio.TimerHandle | None = None
        self._counted = ""
        self.conn = Connection()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection, or end it at once where there are enough."""
        super().connection_made(transport)
        self._counted = counted_as(self._address)
        if self._are_too_many():
            headers = {"retry-after": "2", **NEVER_RETRY}
            self._answer(Refusal(503, "Too many connections are open.", "too_many_connections", headers=headers))
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the connection."""
        self._disarm()
        self._take()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a caller to take what was sent, and not for ever."""
        super().pause_writing()
        self._abort_later()

    def resume_writing(self) -> None:
        """Go on: it was taken."""
        self._take()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Take bytes; the deadline of the request that they belong to goes on, or ends with it."""
        for start in range(0, len(data), HEAD_BYTES):
            self._take_piece(data[start : start + HEAD_BYTES])

    def _take_piece(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._arm()
        super().data_received(data)
        if self._is_within_request():
            return
        self._disarm()
        if self.conn.their_state is h11.IDLE:  # that was the rest of a request which had been answered before
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Wait for the next request: uvicorn's own limit holds until its first byte, which may be there already."""
        self._disarm()
        super().on_response_complete()
        if self._is_within_request():
            self._arm()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP."""
        self._answer(Refusal(400, "This is no valid HTTP request.", "invalid_http"))

    def _are_too_many(self) -> bool:
        if len(self.connections) > self.most_connections:
            return True
        own = sum(isinstance(other, DeadlineProtocol) and other._counted == self._counted for other in self.connections)
        return own > max(1, self.most_connections // 2) and not self.is_proxy(self._address)

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _abort_later(self) -> None:
        if self._untaken is None:
            self._untaken = self.loop.call_later(self.request_s, self.transport.abort)

    def _take(self) -> None:
        if self._untaken is not None:
            self._untaken.cancel()
            self._untaken = None

    def _is_within_request(self) -> bool:
        """Whether a request has begun to arrive, and is not complete."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_s, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        cycle = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self._close()
            return
        message = f"The request was not complete within {self.request_s:g} seconds."
        self._answer(Refusal(408, message, "request_timeout", headers=NEVER_RETRY))

    def _answer(self, refusal: Refusal) -> None:
        """Say why, and end the connection."""
        id = secrets.token_hex(16)
        log.info("%s refused before it was complete: %s", id, refusal.code)
        body = msgspec.json.encode(refusal.document())
        headers = [(b"content-type", b"application/json"), (b"connection", b"close"), (b"x-request-id", id.encode())]
        headers.append((b"content-length", str(len(body)).encode()))
        headers += [(name.encode(), value.encode()) for name, value in refusal.headers.items()]
        headers = with_safe(headers)
        reason = HTTPStatus(refusal.status).phrase.encode()
        try:
            for event in (
                h11.Response(status_code=refusal.status, headers=headers, reason=reason),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # the connection is past the point at which anything could be said
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._close()

    def _close(self) -> None:
        """End the connection once the caller has what was sent, or does not take it."""
        self.transport.close()
        self._abort_later()
