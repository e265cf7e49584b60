"""The endpoint of chat completions on a toy engine: asked, streamed, left in every phase, and taken up again."""

from __future__ import annotations

import asyncio
import base64
import gc
import threading
import tracemalloc
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve import asgi, tokens
from edgekit.serve import engine as engines
from edgekit.serve import exchange as exchanges
from edgekit.serve.exchange import Exchange
from edgekit.serve.gallery import Gallery
from edgekit.serve.openai import chat
from edgekit.serve.openai.answer import TOKEN_BYTES, ChatForm
from edgekit.serve.openai.documents import ChatCompletion
from edgekit.serve.settings import Settings
from tests.answering import everything_logged
from tests.asgi import Call, get, on_loop, post, until
from tests.toy_service import TEXT, Talking, Toy, prepared, toy

PATH = "/v1/chat/completions"
ID = str(uuid.UUID(int=1))
NAMED = {"x-conversation-id": ID}


def ask(running: Toy, *, headers: dict[str, str] | None = None, **fields: Any) -> Call:
    body = {"messages": [{"role": "user", "content": "What is it?"}]} | fields
    return post(running.app, PATH, body, headers=headers)


def alive(running: Toy, count: int) -> bool:
    return len(running.service.engine.live) == count


def picture(shade: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(shade).decode()}}


def said(call: Call) -> str:
    """The text of a stream so far."""
    choices = [choice for event in call.events() if event != "[DONE]" for choice in event.get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@on_loop
async def test_an_answer_comes_whole_or_as_it_is_written() -> None:
    async with toy() as running:
        whole = await ask(running).done()
        document = msgspec.json.decode(whole.body, type=ChatCompletion, strict=True)
        assert document.choices[0].message.content == TEXT
        assert whole.headers["cache-control"] == "no-store"
        stream = await ask(running, stream=True).done()
        assert said(stream) == TEXT
        assert stream.events()[-1] == "[DONE]"
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-length" not in stream.headers
        assert not running.service.exchanges


@on_loop
async def test_pictures_reach_the_model_and_are_counted() -> None:
    async with toy() as running:
        content = [picture(b"\x05"), {"type": "text", "text": "What?"}, picture(b"\x06")]
        call = await ask(running, messages=[{"role": "user", "content": content}]).done()
        assert call.json()["usage"]["prompt_tokens_details"]["image_tokens"] == 18
        assert call.json()["edgekit"]["notes"] == ["Shade 5.", "Shade 6."]
        assert running.decoded == [b"\x05", b"\x06"]
        content[0] = picture(b"?")
        refused = (await ask(running, messages=[{"role": "user", "content": content}]).done()).error(
            400, "invalid_request"
        )
        assert refused["param"] == "messages"


@on_loop
@pytest.mark.parametrize("path", [PATH, "/v1/responses"])
async def test_of_a_request_that_waits_for_its_pictures_nothing_else_is_held(path: str) -> None:
    """Many wait, and each has megabytes: as text, as strings and as files it would be four times as many."""
    goes_on = asyncio.Event()
    async with toy() as running:

        async def decode(file: bytes) -> PreparedPicture:
            running.decoded.append(file[:1])
            await goes_on.wait()
            return prepared(file[0])

        running.service.gallery = Gallery(decode)
        part = picture(b"\x05" * 2**21)
        content = [part | ({} if path == PATH else {"image_url": part["image_url"]["url"]})]
        message = {"role": "user", "content": content}
        body = msgspec.json.encode({"messages": [message]} if path == PATH else {"input": [message]})
        del part, content, message
        tracemalloc.start()
        try:
            call = Call(running.app, "POST", path, parts=(body,))
            await until(lambda: running.decoded or call.whole)
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] < 2**21 + 2**19
        finally:
            tracemalloc.stop()
        goes_on.set()
        assert (await call.done()).status == 200


@on_loop
async def test_each_field_reaches_the_answer() -> None:
    async with toy(settings=Settings(aliases=("gpt-4o",))) as running:
        call = await ask(
            running, model="gpt-4o", n=2, seed=5, max_tokens=4, service_tier="flex", logprobs=True, top_logprobs=1
        ).done()
        document = msgspec.json.decode(call.body, type=ChatCompletion, strict=True)
        assert (document.model, document.service_tier) == ("gpt-4o", "flex")
        assert document.edgekit.seeds == [5, 6]
        for choice in document.choices:
            assert (choice.message.content, choice.finish_reason) == (TEXT[:4], "length")
            assert choice.logprobs is not None
            assert len(choice.logprobs.content) == 4
        usage = await ask(running, stream=True, stream_options={"include_usage": True}).done()
        assert usage.events()[-2]["usage"]["completion_tokens"] == len(TEXT)
        assert (await ask(running, stop="is").done()).json()["choices"][0]["message"]["content"] == "It "
        assert (await ask(running, logit_bias={"256": 100}).done()).json()["choices"][0]["message"]["content"] == ""


@on_loop
async def test_long_probabilities_are_written_apart_from_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    class Watched(ChatForm):
        def whole(self, exchange: Exchange) -> ChatCompletion:
            threads.append(threading.get_ident())
            return super().whole(exchange)

    monkeypatch.setattr(chat, "ChatForm", Watched)
    monkeypatch.setattr(asgi, "INLINE_BYTES", 21 * TOKEN_BYTES * len(TEXT))
    async with toy() as running:
        for logprobs, alternatives in ((None, None), (True, 19), (True, 20)):
            answer = await ask(running, logprobs=logprobs, top_logprobs=alternatives).done()
            assert msgspec.json.decode(answer.body, type=ChatCompletion).choices[0].message.content == TEXT
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [True, True, False]


@on_loop
async def test_who_asks_for_no_number_of_tokens_gets_no_more_than_the_site_allows() -> None:
    async with toy(answer_tokens=5) as running:
        (choice,) = (await ask(running).done()).json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (TEXT[:5], "length")
        response = await post(running.app, "/v1/responses", {"input": "What is it?"}).done()
        assert response.json()["output"][0]["content"][0]["text"] == TEXT[:5]


@on_loop
async def test_a_form_is_compiled_and_a_wrong_one_is_refused() -> None:
    async with toy() as running:
        form = {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}
        assert (await ask(running, response_format=form).done()).status == 200
        assert (await ask(running, response_format={"type": "json_object"}).done()).status == 200
        assert running.schemas.asked == [{"type": "object"}] * 2
        form["json_schema"] = {"schema": {"wrong": 1}}
        assert (await ask(running, response_format=form).done()).status == 400
        assert not running.service.exchanges


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "other"}, 404, "model_not_found", "model"),
        ({"tools": [{}]}, 400, "unsupported_parameter", "tools"),
        ({"n": 3}, 400, "invalid_value", "n"),
        ({"temperature": -1}, 400, "invalid_value", "temperature"),
        ({"logit_bias": {"260": 1}}, 400, "invalid_value", "logit_bias"),
        ({"max_tokens": 41}, 400, "invalid_value", "max_tokens"),
        ({"max_completion_tokens": 41}, 400, "invalid_value", "max_completion_tokens"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        ({"messages": [{"role": "user", "content": "x" * 300}]}, 400, "context_length_exceeded", "messages"),
        ({"messages": [{"role": "user", "content": "x" * 1001}]}, 413, "text_too_large", "messages"),
        ({"messages": [{"role": "user", "content": [picture(b"1")] * 3}]}, 400, "too_many_images", "messages"),
        ({"messages": [{"role": "user", "content": [picture(b"1" * 11)]}]}, 413, "image_too_large", "messages"),
        ({"response_format": {"type": "json_schema"}}, 400, "invalid_value", "response_format.json_schema.schema"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
@on_loop
async def test_a_refusal_comes_before_a_stream_begins(
    fields: dict[str, Any], status: int, code: str, param: str, stream: bool
) -> None:
    async with toy(answer_tokens=40, text_bytes=1000, images=2, image_bytes=10) as running:
        call = await ask(running, stream=stream, **fields).done()
        assert call.error(status, code)["param"] == param
        assert call.headers["content-type"] == "application/json"
        assert not running.service.exchanges
        assert not running.decoded


@on_loop
async def test_a_context_exceeded_is_told_with_both_numbers() -> None:
    async with toy(Talking(context=96)) as running:
        messages = [{"role": "user", "content": "x" * 200}]
        refused = (await ask(running, messages=messages).done()).error(400, "context_length_exceeded")
        assert (refused["n_prompt_tokens"], refused["n_ctx"]) == (202, 96)
        assert refused["type"] == "exceed_context_size_error"


@on_loop
async def test_a_body_may_come_in_pieces_and_has_its_limit() -> None:
    async with toy(body_bytes=100) as running:
        parts = (b'{"messages": [{"role"', b': "user", "content"', b': "x"}]}')
        assert (await Call(running.app, "POST", PATH, parts=parts).done()).status == 200
        large = await Call(running.app, "POST", PATH, parts=(b"x" * 60, b"x" * 60, b"x")).done()
        large.error(413, "request_too_large")
        assert large.headers["x-should-retry"] == "false"
        announced = await Call(running.app, "POST", PATH, parts=(b"x", b"x"), headers={"content-length": "101"}).done()
        announced.error(413, "request_too_large")


@pytest.mark.parametrize("stream", [False, True])
@on_loop
async def test_a_caller_that_goes_frees_its_slot_in_every_phase(stream: bool) -> None:
    engine = Talking(slots=1, context=512, held=True)
    async with toy(engine) as running:
        live = running.service.engine.live
        reading = ask(running, stream=stream, messages=[{"role": "user", "content": "x" * 200}])
        await until(lambda: engine.entered == 1)
        waiting = ask(running, stream=stream)
        await until(lambda: len(live) == 2)
        await waiting.leave()
        await reading.leave()
        engine.let(1)
        await until(lambda: not live)
        assert engine.entered == 1, "the rest of the prompt is not read"
        writing = ask(running, stream=stream)
        engine.let(3)
        await until(lambda: engine.entered == 5)
        await writing.leave()
        engine.let()
        await until(lambda: not live)
        engine.go()
        assert said(await ask(running, stream=True).done()) == TEXT
        assert waiting.status == reading.status == writing.status == (200 if stream else 0)
        assert not running.service.exchanges


@on_loop
async def test_a_caller_that_goes_before_its_request_is_whole_asks_nothing() -> None:
    async with toy() as running:
        call = Call(running.app, "POST", PATH, parts=())
        await call.leave()
        assert call.status == 0
        assert not running.service.engine.live


@on_loop
async def test_who_waits_is_told_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "KEEP_ALIVE_S", 0.02)
    monkeypatch.setattr(engines, "PLACES_S", 0.0)
    engine = Talking(slots=1, held=True)
    async with toy(engine) as running:
        calls = []
        for count in range(1, 4):  # in this order: prompts that are made side by side may overtake each other
            calls.append(ask(running, stream=True))
            await until(partial(alive, running, count))
        first, second, third = calls
        engine.let(2)
        await until(lambda: "queued 2" in third.comments() and "queued 1" in second.comments())
        assert third.comments()[0] == "queued"
        engine.go()
        for call in (first, second, third):
            assert said(await call.done()) == TEXT


@on_loop
async def test_a_busy_service_says_when_to_come_back() -> None:
    async with toy(Talking(slots=1, held=True), waiting_per_caller=1) as running:
        calls = [ask(running), ask(running)]
        await until(lambda: len(running.service.engine.live) == 2)
        refused = await ask(running, stream=True).done()
        assert refused.error(429, "too_many_requests")["type"] == "rate_limit_error"
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["x-should-retry"] == "false"
        running.engine.go()
        assert [(await call.done()).status for call in calls] == [200, 200]


@on_loop
async def test_an_answer_that_takes_too_long_is_refused_or_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "WATCH_S", 0.01)
    async with toy(Talking(held=True), queue_s=0.05) as running:
        whole, stream = ask(running), ask(running, stream=True)
        (await whole.done()).error(504, "queue_timeout")
        assert (await stream.done()).events()[-1]["error"]["code"] == "queue_timeout"
        running.engine.go()


@on_loop
async def test_an_answer_goes_on_without_its_link_and_is_taken_up() -> None:
    engine = Talking(held=True)
    async with toy(engine) as running:
        call = ask(running, stream=True, headers=NAMED)
        engine.let(5)
        await until(lambda: said(call) == TEXT[:5])
        await call.leave()
        assert running.service.exchanges
        (await ask(running, headers=NAMED).done()).error(409, "answer_running")
        rest = Call(running.app, "GET", f"{PATH}/{ID}?offset={call.ids()[-1]}")
        again = Call(running.app, "GET", f"{PATH}/{ID}", headers={"last-event-id": "2"})
        engine.go()
        assert said(call) + said(await rest.done()) == TEXT
        assert said(await again.done()) == TEXT[2:]
        assert rest.headers["content-type"] == "text/event-stream; charset=utf-8"
        both = await get(running.app, f"{PATH}/{ID}?offset=4", headers={"last-event-id": "9"})
        assert said(both) == TEXT[4:], "what was asked for in so many words counts"
        assert said(await get(running.app, f"/chat/completions/{ID}")) == TEXT
        assert (await ask(running, headers=NAMED).done()).status == 200


@on_loop
async def test_an_answer_in_one_piece_is_taken_up_as_a_stream() -> None:
    engine = Talking(held=True)
    async with toy(engine) as running:
        call = ask(running, headers=NAMED)
        await until(lambda: engine.entered == 1)
        await call.leave()
        engine.go()
        taken = await get(running.app, f"{PATH}/{ID}")
        assert said(taken) == TEXT
        assert taken.events()[-1] == "[DONE]"


@pytest.mark.parametrize("offset", ["-1", "x", "", "1.5", "\u0665", "1" * 10, str(len(TEXT) + 1)])
@on_loop
async def test_an_offset_that_is_none_is_refused(offset: str) -> None:
    async with toy() as running:
        await ask(running, headers=NAMED).done()
        if offset:
            (await get(running.app, f"{PATH}/{ID}?offset={offset}")).error(400, "invalid_value")
        if offset.isascii():
            call = await get(running.app, f"{PATH}/{ID}", headers={"last-event-id": offset})
            assert call.error(400, "invalid_value")["param"] == "offset"


@on_loop
async def test_another_callers_answer_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    own, other = ({"authorization": f"Bearer {tokens.add(file, name)}"} for name in ("own", "other"))
    async with toy(Talking(held=True), tokens=file) as running:
        call = ask(running, headers=NAMED | own)
        await until(lambda: running.engine.entered == 1)
        (await get(running.app, f"{PATH}/{ID}", headers=other)).error(404, "conversation_not_found")
        (await get(running.app, f"{PATH}/{ID}")).error(401, "token_missing")
        same = ask(running, headers=NAMED | other)
        await until(lambda: len(running.service.engine.live) == 2)
        running.engine.go()
        assert (await call.done()).json()["id"] != (await same.done()).json()["id"]
        mine = await get(running.app, f"{PATH}/{ID}", headers=own)
        assert mine.events()[0]["id"] == call.json()["id"]


@on_loop
async def test_an_answer_that_can_be_taken_up_is_one() -> None:
    async with toy() as running:
        assert (await ask(running, n=2, headers=NAMED).done()).error(400, "invalid_value")["param"] == "n"
        short = {"x-conversation-id": "guess-me"}
        (await ask(running, headers=short).done()).error(400, "invalid_conversation_id")
        assert not running.service.exchanges


@on_loop
async def test_an_error_of_the_engine_is_the_requests_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with toy() as running:
        monkeypatch.setattr(running.engine, "prefill", lambda *_: 1 / 0)
        (await ask(running).done()).error(500, "engine_failed")
        with everything_logged() as logged:
            stream = await ask(running, stream=True).done()
            assert stream.status == 200
            assert stream.events()[-1]["error"]["code"] == "engine_failed"
            response = await post(running.app, "/v1/responses", {"input": "What?", "stream": True}).done()
            assert response.events()[-1]["type"] == "response.failed"
            await ask(running, stream=True, headers=NAMED).done()
            await get(running.app, f"{PATH}/{ID}")
        lines = [line for line in logged if line.startswith("edgekit.serve INFO")]
        assert len(lines) == 4
        assert all(" 200 " in line and line.endswith(": engine_failed") for line in lines)
        monkeypatch.undo()
        assert (await ask(running).done()).status == 200
