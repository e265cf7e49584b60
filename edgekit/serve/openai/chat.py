"""``POST /v1/chat/completions``: a conversation in, its next answer out, whole or as it comes.

The same answer is taken up again by ``GET /v1/chat/completions/{conversation}`` where its link broke.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from edgekit.serve.asking import Asking, Meant, respond_stream
from edgekit.serve.caller import Caller
from edgekit.serve.links import Links
from edgekit.serve.openai.answer import ChatForm
from edgekit.serve.openai.conversation import conversation_of
from edgekit.serve.openai.request import ChatRequest, parse
from edgekit.serve.openai.wish import wish_of
from edgekit.serve.refusal import invalid
from edgekit.serve.service import Service


class ChatCompletions:
    """The endpoint."""

    name = "chat/completions"

    def __init__(self, service: Service, links: Links) -> None:
        self._service = service
        self._asking = Asking(service, links)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asking.serve(scope, receive, send, self._read)

    def _read(self, body: bytearray) -> Meant:
        service = self._service
        request = parse(body, ChatRequest)
        form = ChatForm(
            model=service.require_model(request.model),
            fingerprint=service.fingerprint,
            logprobs=bool(request.logprobs),
            usage=bool(request.stream_options and request.stream_options.include_usage),
        )
        wish = wish_of(request, service, service.model.engine.slots)
        conversation = conversation_of(request.messages)
        return Meant(conversation=conversation, wish=wish, form=form, stream=bool(request.stream))


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
            await respond_stream(scope, receive, send, kept.form, kept.exchange, offset)


def _offset(scope: Scope) -> int:
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("offset", [])
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"]
    text = (asked or headers or ["0"])[0]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid("offset", "is the number of the last event that was read.")
    return int(text)
