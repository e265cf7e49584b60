"""Answers as OpenAI's API writes them: a chat completion in one piece, or as the chunks of a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from edgekit.runtime import Completion
from edgekit.runtime.logprobs import Alternative, TokenLogprob
from edgekit.serve.answer import Answer
from edgekit.serve.asgi import apart
from edgekit.serve.exchange import Exchange, comment
from edgekit.serve.openai.documents import (
    AnswerMessage,
    AnswerToken,
    AnswerTokens,
    Aside,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    Logprobs,
    PromptTokens,
    Reason,
    Token,
    Usage,
)

DONE = b"data: [DONE]\n\n"
TOKEN_BYTES = 60
"""What a token of ``logprobs`` takes as JSON, and each of its alternatives."""
NEVER = -9999.0
"""JSON has no −∞: OpenAI writes this for a token that can't come."""


@dataclass(frozen=True, kw_only=True)
class ChatForm:
    """How a chat completion is written.

    * ``model``: the name that was asked for; ``fingerprint``: which bundle answered
    * ``logprobs``, ``usage``: whether they were asked for (``usage`` in a stream)
    """

    model: str
    fingerprint: str
    logprobs: bool
    usage: bool

    def whole(self, exchange: Exchange) -> ChatCompletion:
        """Write a completion that has ended well."""
        choices = [
            Choice(
                index=index,
                message=AnswerMessage(content="".join(delta.text for delta in answer.deltas)),
                logprobs=self._logprobs(answer, 0, len(answer.deltas)),
                finish_reason=_reason(answer),
            )
            for index, answer in enumerate(exchange.answers)
        ]
        return ChatCompletion(**self._head(exchange), choices=choices, usage=usage(exchange), edgekit=aside(exchange))

    def size_bytes(self, exchange: Exchange) -> int:
        """Return about how long the probabilities of a completion are, which are most of one that has them."""
        return sum(self._size_bytes(answer, 0, len(answer.deltas)) for answer in exchange.answers)

    async def events(self, exchange: Exchange, seen: int = 0) -> AsyncIterator[bytes]:
        """Write a stream: each event of the answer has its number, from which the stream can be taken up again.

        ``seen`` is that number. While nothing is new, a comment says why; what goes wrong comes as an event of its own.
        """
        begun = set(range(len(exchange.answers))) if seen else set()
        async for told in exchange.told([seen] * len(exchange.answers)):
            for index, first, last in told.deltas:
                answer = exchange.answers[index]
                if index not in begun:
                    begun.add(index)
                    opening = ChunkChoice(index=index, delta=Delta(role="assistant"))
                    yield event(self._chunk(exchange, opening))
                work = partial(self._part, exchange, index, first, last)
                yield await apart(self._size_bytes(answer, first, last), work)
            if not told.deltas and not exchange.ended:
                yield f": {comment(exchange.answers)}\n\n".encode()
        failure = exchange.failure()
        if failure is not None:
            yield event(failure.document())
            return
        for chunk in self._ends(exchange, begun):
            yield chunk

    def _part(self, exchange: Exchange, index: int, first: int, last: int) -> bytes:
        answer = exchange.answers[index]
        text = "".join(delta.text for delta in answer.deltas[first:last])
        choice = ChunkChoice(index=index, delta=Delta(content=text), logprobs=self._logprobs(answer, first, last))
        return event(self._chunk(exchange, choice), last)

    def _ends(self, exchange: Exchange, begun: set[int]) -> Iterator[bytes]:
        for index, answer in enumerate(exchange.answers):
            delta = Delta() if index in begun else Delta(role="assistant")
            chunk = self._chunk(exchange, ChunkChoice(index=index, delta=delta, finish_reason=_reason(answer)))
            chunk.edgekit = aside(exchange)
            yield event(chunk, len(answer.deltas))
        if self.usage:
            chunk = self._chunk(exchange)
            chunk.usage = usage(exchange)
            yield event(chunk)
        yield DONE

    def _chunk(self, exchange: Exchange, *choices: ChunkChoice) -> ChatCompletionChunk:
        chunk = ChatCompletionChunk(**self._head(exchange), choices=list(choices))
        if self.usage:
            chunk.usage = None
        return chunk

    def _head(self, exchange: Exchange) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{exchange.id}",
            "created": exchange.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "service_tier": "flex" if exchange.batch else "default",
        }

    def _size_bytes(self, answer: Answer, first: int, last: int) -> int:
        if not self.logprobs:
            return 0
        tokens = (token for delta in answer.deltas[first:last] for token in delta.logprobs)
        return TOKEN_BYTES * sum(1 + len(token.top) for token in tokens)

    def _logprobs(self, answer: Answer, first: int, last: int) -> Logprobs | None:
        if not self.logprobs:
            return None
        tokens = [token for delta in answer.deltas[first:last] for token in delta.logprobs]
        return Logprobs(content=[answer_token(token) for token in tokens])


def event(document: object, number: int | None = None) -> bytes:
    """Write a server-sent event, with its number where it has one."""
    id = b"" if number is None else b"id: %d\n" % number
    return b"%sdata: %s\n\n" % (id, msgspec.json.encode(document))


def usage(exchange: Exchange) -> Usage:
    """Count tokens."""
    completions = _completions(exchange.answers)
    first = completions[0]
    written = sum(completion.tokens for completion in completions)
    return Usage(
        prompt_tokens=first.prompt_tokens,
        completion_tokens=written,
        total_tokens=first.prompt_tokens + written,
        prompt_tokens_details=PromptTokens(cached_tokens=first.reused_tokens, image_tokens=exchange.image_tokens),
        completion_tokens_details=AnswerTokens(),
    )


def aside(exchange: Exchange) -> Aside:
    """Tell the seeds, and what pictures lost."""
    return Aside(seeds=[completion.seed for completion in _completions(exchange.answers)], notes=list(exchange.notes))


def answer_token(token: TokenLogprob) -> AnswerToken:
    """Write a token of an answer with its alternatives."""
    return AnswerToken(**_facts(token), top_logprobs=[Token(**_facts(alternative)) for alternative in token.top])


def _facts(token: TokenLogprob | Alternative) -> dict[str, Any]:
    return {"token": token.text, "logprob": max(token.logprob, NEVER), "bytes": list(token.bytes)}


def _completions(answers: Sequence[Answer]) -> list[Completion]:
    return [answer.completion for answer in answers if answer.completion is not None]


def _reason(answer: Answer) -> Reason:
    assert answer.completion is not None, "an exchange that ended well has whole answers"
    return "length" if answer.completion.reason == "length" else "stop"
