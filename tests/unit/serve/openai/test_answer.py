"""Chat completions as they are written: in one piece, or as the events of a stream, from any of them on."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from edgekit.errors import EngineError
from edgekit.runtime import Alternative, SamplingParams, TokenLogprob
from edgekit.serve import asgi
from edgekit.serve import exchange as exchanges
from edgekit.serve.answer import Order
from edgekit.serve.exchange import Exchange
from edgekit.serve.openai import answer as module
from edgekit.serve.openai.answer import DONE, NEVER, TOKEN_BYTES, ChatForm, answer_token, aside, event, usage
from edgekit.serve.openai.documents import ChatCompletion, ChatCompletionChunk
from edgekit.serve.settings import Limits
from tests.asgi import on_loop, until
from tests.fake_engine import IMAGE_ROWS, image_prompt
from tests.toy_service import TEXT, Talking, thread

PLAIN = ChatForm(model="toy", fingerprint="edgekit-1", logprobs=False, usage=False)


@asynccontextmanager
async def exchanging(engine: Talking | None = None, count: int = 1, **params: Any) -> AsyncIterator[Exchange]:
    prompt = image_prompt("look ", 7, " what?")
    drawn = [SamplingParams(**{"max_tokens": 50, "seed": 3 + number} | params) for number in range(count)]
    orders = [Order(prompt=prompt, params=each, caller="ward") for each in drawn]
    async with thread(engine or Talking()) as running:
        exchange = Exchange(running, orders, Limits(), ["A note."])
        try:
            yield exchange
        finally:
            exchange.cancel()


def parsed(events: list[bytes]) -> list[ChatCompletionChunk]:
    lines = [line for each in events for line in each.splitlines() if line.startswith(b"data: {")]
    return [msgspec.json.decode(line[6:], type=ChatCompletionChunk, strict=True) for line in lines]


def numbers(events: list[bytes]) -> list[int]:
    return [int(line[4:]) for each in events for line in each.splitlines() if line.startswith(b"id: ")]


def text(chunks: list[ChatCompletionChunk], index: int = 0) -> str:
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content for choice in choices if isinstance(choice.delta.content, str))


async def stream(form: ChatForm, exchange: Exchange, seen: int = 0) -> list[bytes]:
    return [each async for each in form.events(exchange, seen)]


async def token_by_token(form: ChatForm, exchange: Exchange, engine: Talking) -> list[bytes]:
    """A stream of which each event is read before the next token is written."""
    events: list[bytes] = []
    async for each in form.events(exchange):
        events.append(each)
        if len(events) == 1 or each.startswith(b"id: "):
            engine.let()
    return events


@on_loop
async def test_an_answer_in_one_piece() -> None:
    async with exchanging() as exchange:
        await exchange.whole()
        document = PLAIN.whole(exchange)
        assert msgspec.json.decode(msgspec.json.encode(document), type=ChatCompletion, strict=True) == document
        assert document.id == f"chatcmpl-{exchange.id}"
        assert (document.object, document.model, document.system_fingerprint) == ("chat.completion", "toy", "edgekit-1")
        assert document.service_tier == "default"
        (choice,) = document.choices
        assert (choice.index, choice.message.content, choice.finish_reason) == (0, TEXT, "stop")
        assert choice.logprobs is None
        assert (document.edgekit.seeds, document.edgekit.notes) == ([3], ["A note."])
        counts = document.usage
        assert counts.prompt_tokens == len("look ") + IMAGE_ROWS + len(" what?")
        assert counts.completion_tokens == len(TEXT)
        assert counts.total_tokens == counts.prompt_tokens + counts.completion_tokens
        assert counts.prompt_tokens_details.image_tokens == IMAGE_ROWS
        assert counts.prompt_tokens_details.cached_tokens == 0


@on_loop
async def test_an_answer_that_is_cut_says_so() -> None:
    async with exchanging(max_tokens=4) as exchange:
        await exchange.whole()
        (choice,) = PLAIN.whole(exchange).choices
        assert (choice.message.content, choice.finish_reason) == (TEXT[:4], "length")
        assert [chunk.choices[0].finish_reason for chunk in parsed(await stream(PLAIN, exchange))][-1] == "length"


@on_loop
async def test_several_answers_share_their_prompt() -> None:
    async with exchanging(count=2) as exchange:
        await exchange.whole()
        document = PLAIN.whole(exchange)
        assert [choice.index for choice in document.choices] == [0, 1]
        assert document.usage.completion_tokens == 2 * len(TEXT)
        assert document.usage.total_tokens == document.usage.prompt_tokens + 2 * len(TEXT)
        assert aside(exchange).seeds == [3, 4]
        assert usage(exchange) == document.usage


@on_loop
async def test_a_stream_has_a_role_first_and_a_reason_last_and_null_between() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        events = await token_by_token(PLAIN, exchange, engine)
        assert events.pop() == DONE
        chunks = parsed(events)
        first, *parts, last = [chunk.choices[0] for chunk in chunks]
        assert (first.delta.role, first.delta.content, first.finish_reason) == ("assistant", msgspec.UNSET, None)
        assert [part.delta.content for part in parts] == list(TEXT)
        assert {part.finish_reason for part in parts} == {None}
        assert {part.delta.role for part in parts} == {msgspec.UNSET}
        assert (last.finish_reason, last.delta.content) == ("stop", msgspec.UNSET)
        assert b'"finish_reason":null' in events[1]
        assert b'"usage"' not in b"".join(events)
        assert {chunk.id for chunk in chunks} == {f"chatcmpl-{exchange.id}"}
        aside_of_last = chunks[-1].edgekit
        assert aside_of_last == aside(exchange)


@on_loop
async def test_events_are_numbered_by_what_has_come() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        events = await token_by_token(PLAIN, exchange, engine)
        assert numbers(events) == [*range(1, len(TEXT) + 1), len(TEXT)]


@pytest.mark.parametrize("seen", [0, 1, 5, len(TEXT)])
@on_loop
async def test_a_stream_is_taken_up_behind_any_event(seen: int) -> None:
    async with exchanging() as exchange:
        await exchange.whole()
        events = await stream(PLAIN, exchange, seen)
        chunks = parsed(events)
        assert text(chunks) == TEXT[seen:]
        assert numbers(events)[-1] == len(TEXT)
        roles = [chunk.choices[0].delta.role for chunk in chunks]
        assert ("assistant" in roles) == (seen == 0), "who took it up has heard who speaks"
        assert chunks[-1].choices[0].finish_reason == "stop"
        assert events[-1] == DONE


@on_loop
async def test_usage_comes_last_and_alone_and_is_null_before() -> None:
    async with exchanging() as exchange:
        events = await stream(replace(PLAIN, usage=True), exchange)
        *chunks, last = parsed(events)
        assert last.choices == []
        assert last.usage == usage(exchange)
        assert {chunk.usage for chunk in chunks} == {None}
        assert events[-1] == DONE


@on_loop
async def test_several_answers_stream_by_their_numbers() -> None:
    async with exchanging(count=2) as exchange:
        chunks = parsed(await stream(PLAIN, exchange))
        assert [text(chunks, index) for index in (0, 1)] == [TEXT, TEXT]
        for index in (0, 1):
            own = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
            assert own[0].delta.role == "assistant"
            assert [choice.finish_reason for choice in own] == [None] * (len(own) - 1) + ["stop"]


@on_loop
async def test_an_answer_of_no_words_has_a_role_all_the_same() -> None:
    async with exchanging(Talking("")) as exchange:
        (chunk,) = parsed(await stream(PLAIN, exchange))
        assert (chunk.choices[0].delta.role, chunk.choices[0].delta.content) == ("assistant", msgspec.UNSET)
        assert chunk.choices[0].finish_reason == "stop"
        assert PLAIN.whole(exchange).choices[0].message.content == ""


@on_loop
async def test_logprobs_join_to_the_text_whole_and_in_each_event() -> None:
    words = "Größe 5 µm"
    form = replace(PLAIN, logprobs=True)
    engine = Talking(words, held=True)
    async with exchanging(engine, logprobs=2) as exchange:
        events = []
        async for each in form.events(exchange):
            events.append(each)
            engine.let(2)  # a character may take two tokens
        tokens = []
        for chunk in parsed(events):
            (choice,) = chunk.choices
            if isinstance(choice.delta.content, str) and choice.delta.content:
                assert choice.logprobs is not None
                assert "".join(token.token for token in choice.logprobs.content) == choice.delta.content
                tokens += choice.logprobs.content
        whole = form.whole(exchange).choices[0]
        assert whole.logprobs is not None
        assert whole.logprobs.content == tokens
        assert "".join(token.token for token in tokens) == whole.message.content == words
        assert bytes(byte for token in tokens for byte in token.bytes).decode() == words
        assert all(len(token.top_logprobs) == 2 for token in tokens)


@on_loop
async def test_many_probabilities_at_once_are_written_apart_from_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def written(document: object, number: int | None = None) -> bytes:
        threads.append(threading.get_ident())
        return event(document, number)

    monkeypatch.setattr(module, "event", written)
    monkeypatch.setattr(asgi, "INLINE_BYTES", 3 * TOKEN_BYTES * len(TEXT))
    form = replace(PLAIN, logprobs=True)
    async with exchanging(logprobs=2) as exchange:
        await exchange.whole()
        whole = parsed(await stream(form, exchange))  # a role, all of its text, and its end
        assert [thread == threading.get_ident() for thread in threads] == [True, False, True]
        assert text(whole) == TEXT
        threads.clear()
        assert text(parsed(await stream(form, exchange, 1))) == TEXT[1:]
        assert set(threads) == {threading.get_ident()}, "less of it is written at once"


@on_loop
async def test_while_nothing_comes_a_comment_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "KEEP_ALIVE_S", 0.01)
    engine = Talking(slots=1, held=True)
    async with exchanging(engine, count=2) as exchange:
        events = PLAIN.events(exchange)
        assert await anext(events) == b": queued\n\n"
        exchange.answers[1].place, exchange.answers[1].wait_s = 4, 9.0
        exchange.answers[0].started = True
        assert await anext(events) == b": queued 4, about 9 s\n\n"
        await events.aclose()  # type: ignore[attr-defined]


@on_loop
async def test_what_goes_wrong_in_a_stream_is_its_last_event() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        events = PLAIN.events(exchange)
        engine.let(2)
        seen = [await anext(events), await anext(events), await anext(events)]
        exchange.answers[0].error = EngineError("a patient's name", "")
        exchange.answers[0].news.tell()
        seen += [each async for each in events]
        assert seen[-1].startswith(b'data: {"error":')
        error = json.loads(seen[-1][6:])["error"]
        assert (error["code"], error["type"]) == ("engine_failed", "server_error")
        assert DONE not in seen
        assert b"patient" not in b"".join(seen)
        assert b'"finish_reason":"' not in b"".join(seen)


@on_loop
async def test_a_stop_in_the_middle_is_told_and_is_no_end_of_an_answer() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        engine.let(2)
        await until(lambda: exchange.answers[0].deltas)
        exchange.cancel()
        engine.go()
        events = await stream(PLAIN, exchange)
        assert json.loads(events[-1][6:])["error"]["code"] == "answer_ended"
        assert DONE not in events


def test_a_token_that_cant_come_has_openais_number() -> None:
    token = TokenLogprob(
        "a", b"a", -math.inf, (Alternative("\ufffd", b"\xc3", -math.inf), Alternative("b", b"b", -0.5))
    )
    document = answer_token(token)
    assert document.logprob == NEVER
    assert [(each.token, each.bytes, each.logprob) for each in document.top_logprobs] == [
        ("\ufffd", [195], NEVER),
        ("b", [98], -0.5),
    ]
    assert json.loads(msgspec.json.encode(document))["logprob"] == -9999


@pytest.mark.parametrize("document", ["a\nb", {"x": "\r\n\u2028"}, "\x00"])
def test_an_event_is_one_line_whatever_it_says(document: Any) -> None:
    line = event(document)
    assert line.startswith(b"data: ")
    assert line.endswith(b"\n\n")
    assert b"\n" not in line[:-2]
    assert b"\r" not in line
    assert json.loads(line[6:]) == document
    assert event(document, 7) == b"id: 7\n" + line
