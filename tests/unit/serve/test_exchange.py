"""An exchange beside its readers: what it tells, from where, what its times limit, and what ended it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from edgekit.errors import EngineError, InputError
from edgekit.inputs.prompt import Prompt
from edgekit.runtime import SamplingParams
from edgekit.serve import exchange as module
from edgekit.serve.answer import Answer, News, Order
from edgekit.serve.exchange import Exchange, Told, comment
from edgekit.serve.refusal import Refusal
from edgekit.serve.settings import Limits
from tests.asgi import on_loop, until
from tests.fake_engine import image_prompt, text_prompt
from tests.toy_service import TEXT, Talking, thread


@pytest.fixture(autouse=True)
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_S", 0.01)


def orders(count: int = 1, prompt: Prompt | None = None, batch: bool = False) -> list[Order]:
    params = SamplingParams(max_tokens=50)
    return [
        Order(prompt=prompt or text_prompt(f"question {number}"), params=params, caller="ward", batch=batch)
        for number in range(count)
    ]


@asynccontextmanager
async def exchanging(
    engine: Talking, count: int = 1, prompt: Prompt | None = None, **limits: Any
) -> AsyncIterator[Exchange]:
    async with thread(engine) as running:
        exchange = Exchange(running, orders(count, prompt), Limits(**limits), ["A note.", "Another."])
        try:
            yield exchange
        finally:
            exchange.cancel()


async def spans(exchange: Exchange, seen: tuple[int, ...] = ()) -> list[tuple[int, int, int]]:
    return [deltas async for news in exchange.told(seen) for deltas in news.deltas]


@on_loop
async def test_all_is_told_once_in_order_and_as_it_comes() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        told = exchange.told()
        assert await anext(told) == Told(())
        engine.let()
        while not (news := await anext(told)).deltas:
            pass
        assert news.deltas == ((0, 0, 1),)
        engine.let()
        assert (await anext(told)).deltas == ((0, 1, 2),)
        engine.go()
        rest = [deltas async for news in told for deltas in news.deltas]
        assert [first for _, first, _ in rest] == [2, *(last for _, _, last in rest[:-1])]
        assert rest[-1][2] == len(exchange.answers[0].deltas) == len(TEXT)
        assert exchange.failure() is None


@on_loop
async def test_what_came_while_nobody_read_is_told_together() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        told = exchange.told()
        await anext(told)
        engine.let(4)
        await until(lambda: len(exchange.answers[0].deltas) == 4)
        assert (await anext(told)).deltas == ((0, 0, 4),)
        engine.go()
        await until(lambda: exchange.ended)
        assert (await anext(told)).deltas == ((0, 4, len(TEXT)),)
        with pytest.raises(StopAsyncIteration):
            await anext(told)


@pytest.mark.parametrize("seen", [0, 1, 5, len(TEXT)])
@on_loop
async def test_an_answer_is_read_again_from_anywhere(seen: int) -> None:
    async with exchanging(Talking()) as exchange:
        await exchange.whole()
        assert await spans(exchange, (seen,)) == ([(0, seen, len(TEXT))] if seen < len(TEXT) else [])


@on_loop
async def test_readers_are_told_the_same_wherever_they_begin() -> None:
    engine = Talking(held=True)
    async with exchanging(engine) as exchange:
        readers = [asyncio.ensure_future(spans(exchange, (seen,))) for seen in (0, 2)]
        engine.let(4)
        await until(lambda: len(exchange.answers[0].deltas) == 4)
        late = asyncio.ensure_future(spans(exchange))
        engine.go()
        for begin, reader in zip((0, 2, 0), [*readers, late], strict=True):
            covered = [number for _, first, last in await reader for number in range(first, last)]
            assert covered == list(range(begin, len(TEXT)))


@on_loop
async def test_several_answers_are_told_by_their_numbers() -> None:
    async with exchanging(Talking(slots=2), count=2) as exchange:
        told = await spans(exchange)
        assert {number for number, _, _ in told} == {0, 1}
        for wanted in (0, 1):
            assert sum(last - first for number, first, last in told if number == wanted) == len(TEXT)


@on_loop
async def test_where_one_answer_fails_nobody_waits_for_the_others() -> None:
    engine = Talking(slots=2, held=True)
    async with exchanging(engine, count=2) as exchange:
        waiting = asyncio.ensure_future(exchange.whole())
        await until(lambda: engine.entered == 1)
        exchange.answers[1].error = EngineError("it broke", "")
        exchange.answers[1].news.tell()
        with pytest.raises(Refusal) as caught:
            await asyncio.wait_for(waiting, 5)
        assert caught.value.code == "engine_failed"
        assert exchange.ended
        assert not exchange.answers[0].ended
        engine.go()


@on_loop
async def test_a_reader_hears_now_and_then_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_ALIVE_S", 0.01)
    async with exchanging(Talking(held=True)) as exchange:
        told = exchange.told()
        assert [await anext(told) for _ in range(3)] == [Told(())] * 3


@on_loop
async def test_who_waits_too_long_for_a_slot_is_refused() -> None:
    engine = Talking(slots=1, held=True)
    async with thread(engine) as running:
        first = Exchange(running, orders(), Limits(), [])
        await until(lambda: engine.entered == 1)
        engine.let()
        await until(lambda: first.answers[0].started)
        second = Exchange(running, orders(), Limits(queue_s=0.05), [])
        await until(lambda: second.reason is not None)
        engine.go()
        with pytest.raises(Refusal) as refused:
            await second.whole()
        assert (refused.value.status, refused.value.code) == (504, "queue_timeout")
        assert "0.05 seconds" in refused.value.message
        assert refused.value.headers["x-should-retry"] == "false"
        await first.whole()


@on_loop
async def test_an_answer_has_its_time_from_its_slot_on() -> None:
    engine = Talking(held=True)
    async with exchanging(engine, queue_s=600, answer_s=0.05) as exchange:
        await asyncio.sleep(0.1)  # waits longer than an answer may take
        assert exchange.reason is None
        engine.let(3)
        await until(lambda: exchange.reason is not None)
        engine.go()
        with pytest.raises(Refusal) as refused:
            await exchange.whole()
        assert (refused.value.status, refused.value.code) == (504, "answer_timeout")
        assert "0.05 seconds" in refused.value.message
        assert TEXT.startswith("".join(delta.text for delta in exchange.answers[0].deltas))


@on_loop
async def test_who_waits_for_an_engine_that_is_stuck_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_S", 0.01)
    engine = Talking(held=True)
    async with exchanging(engine, answer_s=0.05, queue_s=0.05) as exchange:
        with pytest.raises(Refusal) as caught:
            await asyncio.wait_for(exchange.whole(), 5)
        assert caught.value.status == 504
        engine.go()


@on_loop
async def test_what_ended_in_time_is_never_late() -> None:
    async with exchanging(Talking(), queue_s=0.05, answer_s=0.05) as exchange:
        await exchange.whole()
        await asyncio.sleep(0.2)
        assert exchange.reason is None
        assert exchange.failure() is None


@on_loop
async def test_cancelling_ends_all_answers_and_is_told_with_its_reason() -> None:
    engine = Talking(slots=1, held=True)
    async with exchanging(engine, count=2) as exchange:
        engine.let(2)
        await until(lambda: exchange.answers[0].deltas)
        exchange.cancel(Refusal(503, "The service stopped.", "service_stopping"))
        exchange.cancel(Refusal(504, "too late", "answer_timeout"))
        engine.go()
        await until(lambda: exchange.ended)
        failure = exchange.failure()
        assert failure is not None
        assert (failure.status, failure.code) == (503, "service_stopping")
        with pytest.raises(Refusal, match="stopped"):
            await exchange.whole()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (EngineError("a patient's name", ""), 500, "engine_failed"),
        (InputError("The image was prepared for another model", ""), 400, "invalid_request"),
    ],
)
@on_loop
async def test_what_failed_is_said_by_its_kind(error: EngineError, status: int, code: str) -> None:
    async with exchanging(Talking(held=True)) as exchange:
        exchange.answers[0].error = error
        failure = exchange.failure()
        assert failure is not None
        assert (failure.status, failure.code) == (status, code)
        assert "patient" not in failure.message


@on_loop
async def test_an_order_that_cant_be_taken_is_refused_as_it_would_be_before() -> None:
    async with exchanging(Talking(context=96), prompt=text_prompt("x" * 96)) as exchange:
        with pytest.raises(Refusal) as refused:
            await exchange.whole()
        assert refused.value.code == "context_length_exceeded"


@on_loop
async def test_an_exchange_knows_its_pictures_notes_and_kind() -> None:
    engine = Talking()
    async with exchanging(engine, prompt=image_prompt("look ", 1, 2, " what?")) as exchange:
        await exchange.whole()
        assert exchange.image_tokens == 18
        assert exchange.notes == ("A note.", "Another.")
        assert not exchange.batch
    async with thread(Talking()) as running:
        ids = {Exchange(running, orders(batch=True), Limits(), []).id for _ in range(20)}
        assert len(ids) == 20
        assert all(len(id) == 32 for id in ids)


def waiting(place: int, wait_s: float | None = None) -> Answer:
    answer = Answer(orders()[0], News())
    answer.place, answer.wait_s = place, wait_s
    return answer


def started() -> Answer:
    answer = Answer(orders()[0], News())
    answer.started = True
    return answer


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([waiting(0)], "queued"),
        ([waiting(3)], "queued 3"),
        ([waiting(3, 12.4)], "queued 3, about 12 s"),
        ([waiting(1, 0.01)], "queued 1, about 1 s"),
        ([waiting(5, 9.0), waiting(2, 4.0)], "queued 2, about 4 s"),
        ([started()], "working"),
        ([started(), waiting(2)], "queued 2"),
        ([], "working"),
    ],
)
def test_a_comment_says_where_an_answer_is(answers: list[Answer], text: str) -> None:
    assert comment(answers) == text


@on_loop
async def test_what_is_said_of_answers_comes_behind_what_is_said_of_pictures_each_once() -> None:
    engine = Talking()
    async with thread(engine) as running:
        judged = [replace(order, judge=lambda completion: ["Unsure.", "A note."]) for order in orders(2)]
        exchange = Exchange(running, judged, Limits(), ["A note."])
        assert list(exchange.notes) == ["A note."]
        await exchange.whole()
        assert list(exchange.notes) == ["A note.", "Unsure."]
        exchange.cancel()
