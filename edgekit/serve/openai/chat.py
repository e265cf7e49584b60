"""``POST /v1/chat/completions``: a conversation in, its next answer out, whole or as it comes.

The same answer is taken up again by ``GET /v1/chat/completions/{conversation}`` where its link broke.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from edgekit.serve.answer import Order
from edgekit.serve.asgi import apart, respond_events, respond_json, while_connected
from edgekit.serve.caller import Caller
from edgekit.serve.exchange import Exchange
from edgekit.serve.links import Links, conversation_id
from edgekit.serve.openai.answer import ChatForm
from edgekit.serve.openai.conversation import Conversation, conversation_of
from edgekit.serve.openai.request import ChatRequest, parse
from edgekit.serve.openai.sampling import params_of, require_served, schema_of
from edgekit.serve.refusal import invalid
from edgekit.serve.service import Service, Wish


@dataclass(frozen=True)
class Meant:
    """What a body says: a conversation, how its answers are to be drawn and written, and whether as they come."""

    conversation: Conversation
    wish: Wish
    form: ChatForm
    stream: bool


@dataclass(frozen=True)
class Asked:
    """A request that was understood: its orders, what is to be said of its pictures, and how it wants its answer."""

    orders: list[Order]
    notes: list[str]
    form: ChatForm
    stream: bool


class ChatCompletions:
    """The endpoint. A caller that goes ends its answers, in whatever phase they are, unless it named a conversation."""

    name = "chat/completions"

    def __init__(self, service: Service, links: Links) -> None:
        self._service = service
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._service.require_open()
        caller: Caller = scope["state"]["caller"]
        id = conversation_id(scope["headers"])
        asked = await self._understand(scope, receive)
        if id is not None and len(asked.orders) > 1:
            raise invalid("n", "is more than 1, and an answer that can be taken up is one.")
        with self._answered(caller, id, asked) as exchange:
            if asked.stream:
                await while_connected(receive, respond_events(send, asked.form.events(exchange)))
            else:
                await while_connected(receive, exchange.whole())
                work = partial(_written, asked.form, exchange)
                await respond_json(send, 200, await apart(asked.form.size_bytes(exchange), work))

    @contextmanager
    def _answered(self, caller: Caller, id: str | None, asked: Asked) -> Iterator[Exchange]:
        """Have it answered; what becomes of the exchange at the block's end is the link's matter, where it has one."""
        if id is None:
            exchange = self._service.exchange(asked.orders, asked.notes)
            try:
                yield exchange
            finally:
                self._service.end(exchange)
            return
        self._links.require_free(caller, id)
        exchange = self._service.exchange(asked.orders, asked.notes)
        kept = self._links.keep(caller, id, exchange, asked.form)
        with self._links.reading(caller, id, kept):
            yield exchange

    async def _understand(self, scope: Scope, receive: Receive) -> Asked:
        """Read a request; its body is let go at the end."""
        service = self._service
        caller: Caller = scope["state"]["caller"]
        async with service.bodies.reading(caller.name, scope, receive) as body:
            meant = await apart(len(body), lambda: self._read(body))
            body.clear()
            work = service.orders(meant.conversation, meant.wish, caller)
            orders, notes = await while_connected(receive, work)
        return Asked(orders, notes, meant.form, meant.stream)

    def _read(self, body: bytearray) -> Meant:
        service = self._service
        request = parse(body, ChatRequest)
        model = service.require_model(request.model)
        require_served(request, service.model.engine.slots)
        conversation = conversation_of(request.messages)
        wish = Wish(
            params=params_of(request, service.most_tokens, service.manifest.spec.decoder.vocab),
            batch=request.service_tier == "flex",
            schema=schema_of(request.response_format),
        )
        service.require_tokens(request)
        form = ChatForm(
            model=model,
            fingerprint=service.fingerprint,
            logprobs=bool(request.logprobs),
            usage=bool(request.stream_options and request.stream_options.include_usage),
        )
        return Meant(conversation, wish, form, bool(request.stream))


def _written(form: ChatForm, exchange: Exchange) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(form.whole(exchange)))


class TakenUp:
    """The endpoint of an answer whose link broke: its events behind ``offset``, or behind ``Last-Event-ID``."""

    name = "chat/completions/{conversation}"

    def __init__(self, links: Links) -> None:
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller = scope["state"]["caller"]
        id = scope["path_params"]["conversation"]
        kept = self._links.of(caller, id)
        offset = _offset(scope)
        if offset > len(kept.exchange.answers[0].deltas):
            raise invalid("offset", "is further than the answer has come.")
        with self._links.reading(caller, id, kept):
            await while_connected(receive, respond_events(send, kept.form.events(kept.exchange, offset)))


def _offset(scope: Scope) -> int:
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("offset", [])
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"]
    text = (asked or headers or ["0"])[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid("offset", "is the number of the last event that was read.")
    return int(text)
