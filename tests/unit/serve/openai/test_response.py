"""Responses as they are written: whole, and as numbered events that tell how one comes to be."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from edgekit.errors import EngineError
from edgekit.runtime import SamplingParams
from edgekit.serve.answer import Order
from edgekit.serve.exchange import Exchange
from edgekit.serve.openai.response import Response, ResponseForm
from edgekit.serve.settings import Limits
from tests.asgi import on_loop
from tests.fake_engine import image_prompt
from tests.toy_service import TEXT, Talking, thread

FORM = ResponseForm("toy", "Be brief.", 50)


@asynccontextmanager
async def exchanging(engine: Talking | None = None, **params: Any) -> AsyncIterator[Exchange]:
    drawn = SamplingParams(**{"max_tokens": 50, "seed": 3} | params)
    order = Order(prompt=image_prompt("look ", 7, " what?"), params=drawn, caller="ward")
    async with thread(engine or Talking()) as running:
        exchange = Exchange(running, [order], Limits(), ["A note."])
        try:
            yield exchange
        finally:
            exchange.cancel()


def documents(events: list[bytes]) -> list[dict[str, Any]]:
    """The documents of a stream, each under the name that its event has."""
    parsed = []
    for event in events:
        if event.startswith(b": "):
            continue
        kind, data, *rest = event.split(b"\n")
        assert rest == [b"", b""]
        document = json.loads(data.removeprefix(b"data: "))
        assert kind.removeprefix(b"event: ").decode() == document["type"]
        parsed.append(document)
    return parsed


@on_loop
async def test_a_response_in_one_piece() -> None:
    async with exchanging(temperature=0.5, top_p=0.9) as exchange:
        await exchange.whole()
        response = FORM.whole(exchange)
        assert msgspec.json.decode(msgspec.json.encode(response), type=Response, strict=True) == response
        assert (response.id, response.status, response.model) == (f"resp_{exchange.id}", "completed", "toy")
        assert (response.instructions, response.max_output_tokens) == ("Be brief.", 50)
        assert (response.temperature, response.top_p) == (0.5, 0.9)
        assert response.error is None
        assert response.incomplete_details is None
        (message,) = response.output
        assert (message.role, message.status, message.content[0].text) == ("assistant", "completed", TEXT)
        assert response.usage is not None
        assert response.usage.output_tokens == len(TEXT)
        assert response.usage.total_tokens == response.usage.input_tokens + len(TEXT)
        assert response.edgekit is not None
        assert (response.edgekit.seeds, response.edgekit.notes) == ([3], ["A note."])


@on_loop
async def test_a_response_that_is_cut_is_incomplete() -> None:
    async with exchanging(max_tokens=4) as exchange:
        await exchange.whole()
        response = FORM.whole(exchange)
        assert (response.status, response.output[0].status) == ("incomplete", "incomplete")
        assert response.incomplete_details is not None
        assert response.incomplete_details.reason == "max_output_tokens"
        events = documents([event async for event in FORM.events(exchange)])
        assert events[-1]["type"] == "response.incomplete"


@on_loop
async def test_the_events_of_a_response_tell_how_it_came_to_be() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        stream = []
        async for line in FORM.events(exchange):
            stream.append(line)
            if line.startswith((b": ", b"event: response.output_text.delta")):
                engine.let()
        events = documents(stream)
        kinds = [event["type"].removeprefix("response.") for event in events]
        assert kinds == [
            *("created", "in_progress", "output_item.added", "content_part.added"),
            *["output_text.delta"] * len(TEXT),
            *("output_text.done", "content_part.done", "output_item.done", "completed"),
        ]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        created, last = events[0]["response"], events[-1]["response"]
        assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)
        assert last == msgspec.to_builtins(FORM.whole(exchange))
        deltas = [event for event in events if event["type"].endswith("output_text.delta")]
        assert [event["delta"] for event in deltas] == list(TEXT)
        item = events[2]["item"]
        assert (item["content"], item["status"]) == ([], "in_progress")
        for event in (*deltas, events[3], *events[-4:-2]):
            assert (event["item_id"], event["output_index"], event["content_index"]) == (item["id"], 0, 0)
        assert events[-4]["text"] == events[-3]["part"]["text"] == TEXT
        assert events[-2]["item"] == last["output"][0]


@on_loop
async def test_a_response_that_begins_late_begins_empty() -> None:
    async with exchanging() as exchange:
        await exchange.whole()
        events = documents([event async for event in FORM.events(exchange)])
        assert events[0]["response"]["output"] == []
        assert events[2]["item"]["content"] == []
        assert events[3]["part"]["text"] == ""
        deltas = [event["delta"] for event in events if event["type"].endswith("output_text.delta")]
        assert "".join(deltas) == TEXT


@on_loop
async def test_while_nothing_comes_there_are_comments() -> None:
    async with exchanging(Talking(held=True)) as exchange:
        events = FORM.events(exchange)
        assert [await anext(events) for _ in range(5)][-1] == b": queued\n\n"
        await events.aclose()  # type: ignore[attr-defined]


@on_loop
async def test_what_goes_wrong_is_the_last_event() -> None:
    async with exchanging(Talking(held=True)) as exchange:
        exchange.answers[0].error = EngineError("a patient's name", "")
        events = documents([event async for event in FORM.events(exchange)])
        assert events[-1]["type"] == "response.failed"
        response = events[-1]["response"]
        assert (response["status"], response["error"]["code"]) == ("failed", "engine_failed")
        assert "patient" not in json.dumps(events)
        assert response["output"] == []
