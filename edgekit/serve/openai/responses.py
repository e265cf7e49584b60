"""``POST /v1/responses``: the part of OpenAI's newer API that one question to a model of this kind needs.

Text and pictures in, text out, whole or as events; nothing is kept between requests, so a conversation is sent whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.types import Receive, Scope, Send

from edgekit.errors import InputError
from edgekit.serve.answer import Order
from edgekit.serve.asgi import apart, respond_events, respond_json, while_connected
from edgekit.serve.caller import Caller
from edgekit.serve.openai.conversation import Conversation, conversation_of
from edgekit.serve.openai.request import ChatRequest, JsonSchema, Message, Part, ResponseFormat, Role, parse
from edgekit.serve.openai.response import ResponseForm
from edgekit.serve.openai.sampling import params_of, require_served, schema_of
from edgekit.serve.refusal import Refusal, invalid, refusal_of, unsupported
from edgekit.serve.service import Service, Wish


class Item(Struct):
    """Something that was said; only messages are served."""

    role: Role | None = None
    content: str | list[Part] | None = None
    type: str | None = None


class TextFormat(Struct):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextOptions(Struct):
    """How the text of the answer is to be."""

    format: TextFormat | None = None


class ResponseRequest(Struct, kw_only=True):
    """A response that is asked for.

    * ``input``, ``instructions``, ``model``: the conversation, a system text before it, and by whom it is continued
    * ``max_output_tokens``, ``temperature``, ``top_p``, ``text``, ``stream``, ``service_tier``: as of a chat completion
    * the rest: known, and refused where they ask for anything
    """

    input: str | list[Item]
    instructions: str | None = None
    model: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    text: TextOptions | None = None
    stream: bool | None = None
    service_tier: str | None = None
    tools: list[Any] | None = None
    previous_response_id: str | None = None
    conversation: Any = None
    prompt: Any = None
    background: bool | None = None
    top_logprobs: int | None = None
    response_format: Any = None

    def require_served(self) -> None:
        """Refuse what this endpoint does not do (:class:`Refusal` of status 400)."""
        for name in ("tools", "previous_response_id", "conversation", "prompt", "background"):
            if getattr(self, name):
                raise unsupported(name, "nothing is kept between requests, and no tool is called.")
        if self.top_logprobs:
            raise unsupported("top_logprobs", "v1/chat/completions tells probabilities.")
        if self.response_format is not None:
            raise unsupported("response_format", "ask for a form by 'text.format' here.")

    def chat(self) -> ChatRequest:
        """Return the chat completion that asks for the same; :class:`Refusal` of status 400 for an item that is no
        message.
        """
        messages = [Message(role="system", content=self.instructions)] if self.instructions else []
        if isinstance(self.input, str):
            messages.append(Message(role="user", content=self.input))
        else:
            messages += [_message(item, number) for number, item in enumerate(self.input)]
        form = self.text.format if self.text else None
        return ChatRequest(
            messages=messages,
            model=self.model,
            max_completion_tokens=self.max_output_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            response_format=ResponseFormat(form.type, JsonSchema(form.schema)) if form else None,
            stream=self.stream,
            service_tier=self.service_tier,
        )


def _message(item: Item, number: int) -> Message:
    if item.type not in (None, "message") or item.role is None:
        raise invalid(f"input[{number}]", "is no message; nothing else is served.")
    return Message(role=item.role, content=item.content)


@contextmanager
def _by_own_names(request: ResponseRequest) -> Iterator[None]:
    """Have what is refused of the chat completion name the response's own fields: no caller knows the others."""
    try:
        yield
    except (Refusal, InputError) as error:
        refusal = refusal_of(error)
        param = refusal.param and _own_name(refusal.param, request)
        if param is None or param == refusal.param:
            raise
        message = refusal.message.replace(f"'{refusal.param}'", f"'{param}'")
        raise Refusal(
            refusal.status, message, refusal.code, param=param, headers=refusal.headers, more=refusal.more
        ) from error


def _own_name(param: str, request: ResponseRequest) -> str:
    """What a field of the chat completion is called in the response's request."""
    for name, own in (("response_format", "text.format"), ("max_completion_tokens", "max_output_tokens")):
        if param.startswith(name):
            return own
    place = re.fullmatch(r"messages(?:\[(\d+)\])?(.*)", param)
    if place is None:
        return param
    number, rest = place.groups()
    if number is None or isinstance(request.input, str):
        return "input"
    return f"input[{int(number) - bool(request.instructions)}]{rest}"


@dataclass(frozen=True)
class Meant:
    """What a body says: its ``request`` without the input, the conversation that this is, and how it is answered."""

    request: ResponseRequest
    conversation: Conversation
    wish: Wish
    form: ResponseForm


@dataclass(frozen=True)
class Asked:
    """A request that was understood: its order, what is to be said of its pictures, and how it wants its answer."""

    orders: list[Order]
    notes: list[str]
    form: ResponseForm
    stream: bool


class Responses:
    """The endpoint. A caller that goes ends its answer."""

    name = "responses"

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        service = self._service
        service.require_open()
        asked = await self._understand(scope, receive)
        exchange = service.exchange(asked.orders, asked.notes)
        try:
            if asked.stream:
                await while_connected(receive, respond_events(send, asked.form.events(exchange)))
            else:
                await while_connected(receive, exchange.whole())
                await respond_json(send, 200, asked.form.whole(exchange))
        finally:
            service.end(exchange)

    async def _understand(self, scope: Scope, receive: Receive) -> Asked:
        """Read a request; its body and the files of its pictures are let go at the end."""
        service = self._service
        caller: Caller = scope["state"]["caller"]
        async with service.bodies.reading(caller.name, scope, receive) as body:
            meant = await apart(len(body), lambda: self._read(body))
            body.clear()
            with _by_own_names(meant.request):
                work = service.orders(meant.conversation, meant.wish, caller)
                orders, notes = await while_connected(receive, work)
        return Asked(orders, notes, meant.form, bool(meant.request.stream))

    def _read(self, body: bytearray) -> Meant:
        service = self._service
        request = parse(body, ResponseRequest)
        request.require_served()
        form = ResponseForm(service.require_model(request.model), request.instructions, request.max_output_tokens)
        with _by_own_names(request):
            chat = request.chat()
            require_served(chat, 1)
            service.require_tokens(chat)
            wish = Wish(
                params=params_of(chat, service.most_tokens, service.manifest.spec.decoder.vocab),
                batch=chat.service_tier == "flex",
                schema=schema_of(chat.response_format),
            )
            conversation = conversation_of(chat.messages)
        request.input = request.input[:0]  # its pictures would be held twice
        return Meant(request, conversation, wish, form)
