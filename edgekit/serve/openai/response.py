"""Answers as the newer of OpenAI's APIs writes them: a response, or the events of its becoming."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from edgekit.serve.exchange import Exchange, comment
from edgekit.serve.openai.answer import aside, usage
from edgekit.serve.openai.documents import Aside
from edgekit.serve.refusal import Refusal

Status = Literal["in_progress", "completed", "incomplete", "failed"]


class OutputText(Struct, kw_only=True):
    """A text of an answer."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: list[None] = field(default_factory=list)
    logprobs: list[None] = field(default_factory=list)


class OutputMessage(Struct, kw_only=True):
    """An answer."""

    type: Literal["message"] = "message"
    id: str
    status: Status
    role: Literal["assistant"] = "assistant"
    content: list[OutputText]


class InputTokens(Struct, kw_only=True):
    """Of a prompt's tokens, those that had been read before, for this caller."""

    cached_tokens: int


class OutputTokens(Struct, kw_only=True):
    """Of the answer's tokens, those that nobody sees: none."""

    reasoning_tokens: int = 0


class ResponseUsage(Struct, kw_only=True):
    """Tokens that a request took."""

    input_tokens: int
    input_tokens_details: InputTokens
    output_tokens: int
    output_tokens_details: OutputTokens
    total_tokens: int


class Incomplete(Struct, kw_only=True):
    """Why an answer is not whole."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class ResponseError(Struct, kw_only=True):
    """Why there is no answer."""

    code: str
    message: str


class Response(Struct, kw_only=True):
    """A response."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Status
    error: ResponseError | None = None
    incomplete_details: Incomplete | None = None
    instructions: str | None
    max_output_tokens: int | None
    model: str
    output: list[OutputMessage]
    parallel_tool_calls: bool = False
    previous_response_id: None = None
    store: bool = False
    temperature: float
    tool_choice: Literal["none"] = "none"
    tools: list[None] = field(default_factory=list)
    top_p: float
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    edgekit: Aside | None = None


@dataclass(frozen=True)
class ResponseForm:
    """How a response is written: under the ``model``'s name that was asked for, with what else the request said."""

    model: str
    instructions: str | None
    max_output_tokens: int | None

    def whole(self, exchange: Exchange) -> Response:
        """Write a response that has ended well."""
        answer = exchange.answers[0]
        assert answer.completion is not None, "an exchange that ended well has whole answers"
        cut = answer.completion.reason == "length"
        response = self._response(exchange, "incomplete" if cut else "completed")
        response.output = [self._message(exchange, "incomplete" if cut else "completed")]
        response.incomplete_details = Incomplete() if cut else None
        counts = usage(exchange)
        response.usage = ResponseUsage(
            input_tokens=counts.prompt_tokens,
            input_tokens_details=InputTokens(cached_tokens=counts.prompt_tokens_details.cached_tokens),
            output_tokens=counts.completion_tokens,
            output_tokens_details=OutputTokens(),
            total_tokens=counts.total_tokens,
        )
        response.edgekit = aside(exchange)
        return response

    def size_bytes(self, exchange: Exchange) -> int:
        """Return 0: a response has no probabilities, which make answers long."""
        return 0

    async def events(self, exchange: Exchange, seen: int = 0) -> AsyncIterator[bytes]:
        """Write a stream; what goes wrong comes as an event of its own. ``seen`` deltas are left out."""
        events = _Events()
        for kind in ("response.created", "response.in_progress"):
            yield events.write(kind, response=self._response(exchange, "in_progress"))
        message = self._message(exchange, "in_progress")
        place = {"output_index": 0, "item_id": message.id, "content_index": 0}
        message.content = []
        yield events.write("response.output_item.added", output_index=0, item=message)
        yield events.write("response.content_part.added", part=OutputText(text=""), **place)
        async for told in exchange.told([seen]):
            for _, first, last in told.deltas:
                text = "".join(delta.text for delta in exchange.answers[0].deltas[first:last])
                yield events.write("response.output_text.delta", delta=text, logprobs=[], **place)
            if not told.deltas and not exchange.ended:
                yield f": {comment(exchange.answers)}\n\n".encode()
        failure = exchange.failure()
        if failure is not None:
            yield events.write("response.failed", response=self._failed(exchange, failure))
            return
        response = self.whole(exchange)
        message = response.output[0]
        text = message.content[0].text
        yield events.write("response.output_text.done", text=text, logprobs=[], **place)
        yield events.write("response.content_part.done", part=message.content[0], **place)
        yield events.write("response.output_item.done", output_index=0, item=message)
        yield events.write(f"response.{response.status}", response=response)

    def _failed(self, exchange: Exchange, failure: Refusal) -> Response:
        response = self._response(exchange, "failed")
        response.error = ResponseError(code=failure.code, message=failure.message)
        return response

    def _response(self, exchange: Exchange, status: Status) -> Response:
        params = exchange.answers[0].params
        return Response(
            id=f"resp_{exchange.id}",
            created_at=exchange.created,
            status=status,
            instructions=self.instructions,
            max_output_tokens=self.max_output_tokens,
            model=self.model,
            output=[],
            temperature=params.temperature,
            top_p=params.top_p,
        )

    def _message(self, exchange: Exchange, status: Status) -> OutputMessage:
        text = "".join(delta.text for delta in exchange.answers[0].deltas)
        return OutputMessage(id=f"msg_{exchange.id}", status=status, content=[OutputText(text=text)])


class _Events:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._count = 0

    def write(self, kind: str, **fields: Any) -> bytes:
        document = {"type": kind, "sequence_number": self._count, **fields}
        self._count += 1
        return b"event: %s\ndata: %s\n\n" % (kind.encode(), msgspec.json.encode(document))
