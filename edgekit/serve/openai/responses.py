"""``POST /v1/responses``: the part of OpenAI's newer API that one question to a model of this kind needs.

Text and pictures in, text out, whole or as events; nothing is kept between requests, so a conversation is sent whole.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.types import Receive, Scope, Send

from edgekit.serve.asking import Asking, Meant
from edgekit.serve.openai.conversation import conversation_of
from edgekit.serve.openai.request import ChatRequest, JsonSchema, Message, Part, ResponseFormat, Role, parse
from edgekit.serve.openai.response import ResponseForm
from edgekit.serve.openai.wish import wish_of
from edgekit.serve.refusal import invalid, naming, unsupported
from edgekit.serve.service import Service


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


def _own_name(request: ResponseRequest, param: str) -> str:
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


class Responses:
    """The endpoint."""

    name = "responses"

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asking = Asking(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asking.serve(scope, receive, send, self._read)

    def _read(self, body: bytearray) -> Meant:
        service = self._service
        request = parse(body, ResponseRequest)
        request.require_served()
        form = ResponseForm(service.require_model(request.model), request.instructions, request.max_output_tokens)
        own_name = partial(_own_name, request)
        with naming(own_name):
            chat = request.chat()
            wish = wish_of(chat, service, 1)
            conversation = conversation_of(chat.messages)
        request.input = request.input[:0]  # its pictures would be held twice
        stream = bool(request.stream)
        return Meant(conversation=conversation, wish=wish, form=form, stream=stream, own_name=own_name)
