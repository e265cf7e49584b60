"""How an endpoint asks: a conversation becomes orders, these an exchange, and that an answer, whole or as events.

In: what an API's reader makes of a request's body, or a conversation from anywhere else, and who asks. Out: the answer
in that API's form. A caller that goes ends its answers, in whatever phase they are, unless it named a conversation.
:meth:`Asking.serve` is the whole of it for a request; whoever has a conversation already takes its steps one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit.serve.answer import Order
from edgekit.serve.asgi import apart, respond_events, respond_json, while_connected
from edgekit.serve.caller import Caller
from edgekit.serve.conversation import Conversation
from edgekit.serve.exchange import Exchange, Form
from edgekit.serve.links import Links, conversation_id
from edgekit.serve.refusal import invalid, naming
from edgekit.serve.service import Service, Wish


def unchanged(param: str) -> str:
    """Return a field's name: a conversation's fields are the request's own."""
    return param


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What is asked: a conversation, how its answers are drawn, how they are written, and whether as they come.

    ``own_name`` says what the request calls a field of a chat completion ("messages[0].content"), for what is refused.
    """

    conversation: Conversation
    wish: Wish
    form: Form
    stream: bool
    own_name: Callable[[str], str] = unchanged


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question that is ready for a slot: its orders, what is to be said of its pictures, and how it is answered."""

    orders: Sequence[Order]
    notes: Sequence[str]
    form: Form
    stream: bool


class Asking:
    """Asks a service for its callers; with ``links``, an answer whose conversation is named outlives its link."""

    def __init__(self, service: Service, links: Links | None = None) -> None:
        self._service = service
        self._links = links

    async def serve(self, scope: Scope, receive: Receive, send: Send, read: Callable[[bytearray], Meant]) -> None:
        """Answer a request, of whose body ``read`` says what it means; it runs on another thread where that is long.

        :class:`~edgekit.serve.refusal.Refusal` and errors as of the service's ``orders`` and ``exchange``;
        :class:`~edgekit.serve.asgi.Gone` where the caller goes.
        """
        self._service.require_open()
        caller: Caller = scope["state"]["caller"]
        id = conversation_id(scope["headers"]) if self._links else None
        asked = await self._understand(scope, receive, read)
        with self.answered(asked, caller, id) as exchange:
            if asked.stream:
                await respond_stream(scope, receive, send, asked.form, exchange)
            else:
                await respond_whole(receive, send, asked.form, exchange)

    async def ready(self, meant: Meant, caller: Caller) -> Asked:
        """Make a question ready; errors as of :meth:`~edgekit.serve.service.Service.orders`."""
        with naming(meant.own_name):
            orders, notes = await self._service.orders(meant.conversation, meant.wish, caller)
        return Asked(orders=orders, notes=notes, form=meant.form, stream=meant.stream)

    @contextmanager
    def answered(self, asked: Asked, caller: Caller, id: str | None = None) -> Iterator[Exchange]:
        """Have a question answered. At the block's end its answers end, or are kept where its conversation has an
        ``id``; errors as of :meth:`~edgekit.serve.service.Service.exchange` and
        :meth:`~edgekit.serve.links.Links.require_free`.
        """
        links = self._links
        if id is None or links is None:
            exchange = self._service.exchange(asked.orders, asked.notes)
            try:
                yield exchange
            finally:
                self._service.end(exchange)
            return
        if len(asked.orders) > 1:
            raise invalid("n", "is more than 1, and an answer that can be taken up is one.")
        links.require_free(caller, id)
        exchange = self._service.exchange(asked.orders, asked.notes)
        kept = links.keep(caller, id, exchange, asked.form)
        with links.reading(caller, id, kept):
            yield exchange

    async def _understand(self, scope: Scope, receive: Receive, read: Callable[[bytearray], Meant]) -> Asked:
        """Read a request; its body and the files of its pictures are let go at the end."""
        caller: Caller = scope["state"]["caller"]
        async with self._service.bodies.reading(caller.share, scope, receive) as body:
            meant = await apart(len(body), lambda: read(body))
            body.clear()
            return await while_connected(receive, self.ready(meant, caller))


async def respond_whole(receive: Receive, send: Send, form: Form, exchange: Exchange) -> None:
    """Send an answer in one piece; :class:`~edgekit.serve.refusal.Refusal` where it failed."""
    await while_connected(receive, exchange.whole())
    document = await apart(form.size_bytes(exchange), lambda: msgspec.Raw(msgspec.json.encode(form.whole(exchange))))
    await respond_json(send, 200, document)


async def respond_stream(
    scope: Scope, receive: Receive, send: Send, form: Form, exchange: Exchange, seen: int = 0
) -> None:
    """Send an answer as it comes, from delta ``seen`` on; where it fails, its last event says so, and
    ``scope["state"]["failed"]`` its code: the status was sent before.
    """
    await while_connected(receive, respond_events(send, form.events(exchange, seen)))
    if (failure := exchange.failure()) is not None:
        scope["state"]["failed"] = failure.code
