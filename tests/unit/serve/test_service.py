"""What a service takes and what it refuses: names, limits, places, and how a conversation becomes orders."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import pytest

from edgekit.confidence.of_answer import LOGPROBS
from edgekit.confidence.of_model import ModelConfidence
from edgekit.errors import ContextExceeded, InputError
from edgekit.inputs.prepared import PreparedPicture
from edgekit.inputs.prompt import TextPiece
from edgekit.runtime import Completion, SamplingParams
from edgekit.serve.answer import Order
from edgekit.serve.caller import Caller
from edgekit.serve.conversation import Conversation, Question
from edgekit.serve.exchange import Exchange
from edgekit.serve.gallery import Gallery
from edgekit.serve.openai.request import ChatRequest
from edgekit.serve.refusal import Refusal
from edgekit.serve.service import Service, Wish
from edgekit.serve.settings import Settings
from tests.asgi import on_loop, until
from tests.confidence_records import DATA, RECORD
from tests.fake_engine import IMAGE_ROWS, text_prompt
from tests.toy_service import TOKENIZER, FreeForm, Talking, prepared, toy

WARD = Caller("token ward")
WISH = Wish(params=(SamplingParams(),), batch=False)


def asked(*questions: Question | str, system: str | None = None) -> Conversation:
    return Conversation(system, tuple(Question(q, (), None) if isinstance(q, str) else q for q in questions))


def pictured(*images: bytes) -> Conversation:
    return asked(Question("What is it?", images, None))


def read(order: Order) -> str:
    """What a prompt says, with a mark for each picture."""
    pieces = order.prompt.pieces
    return "".join(
        TOKENIZER.decode(list(piece.ids)) if isinstance(piece, TextPiece) else f"[{len(piece)}]" for piece in pieces
    )


async def refused(service: Service, conversation: Conversation) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await service.orders(conversation, WISH, WARD)
    return caught.value


def begin(service: Service, caller: str = "token ward", count: int = 1, batch: bool = False) -> Exchange:
    order = Order(prompt=text_prompt("what?"), params=SamplingParams(), caller=caller, batch=batch)
    return service.exchange([order] * count, [])


def no_place(service: Service, caller: str = "token ward", count: int = 1, batch: bool = False) -> Refusal:
    before = set(service.exchanges)
    with pytest.raises(Refusal) as caught:
        begin(service, caller, count, batch)
    assert service.exchanges == before
    assert caught.value.headers["x-should-retry"] == "false"
    return caught.value


@on_loop
async def test_the_model_is_asked_for_by_its_name_and_the_sites_and_no_other() -> None:
    async with toy(settings=Settings(aliases=("llava-med", "gpt-4o"))) as running:
        service = running.service
        assert service.names == ("toy", "llava-med", "gpt-4o")
        assert [service.require_model(name) for name in (None, "toy", "gpt-4o")] == ["toy", "toy", "gpt-4o"]
        for name in ("", "Toy", "gpt-4o-mini", "x" * 10_000):
            with pytest.raises(Refusal) as caught:
                service.require_model(name)
            refusal = caught.value
            assert (refusal.status, refusal.code, refusal.param) == (404, "model_not_found", "model")
            assert "llava-med" in refusal.message
            assert len(refusal.message) < 300
        assert service.fingerprint == "edgekit-0123456789abcdef"


@on_loop
async def test_a_conversation_becomes_one_order_for_each_answer() -> None:
    async with toy() as running:
        params = (SamplingParams(seed=4), SamplingParams(seed=5))
        conversation = asked(Question("What?", (b"\x07",), "A rib."), Question("Where?", (), None))
        orders, notes = await running.service.orders(conversation, Wish(params=params, batch=False), WARD)
        assert [order.params.seed for order in orders] == [4, 5]
        assert {order.caller for order in orders} == {"token ward"}
        assert not any(order.batch or order.constraint for order in orders)
        assert orders[0].prompt is orders[1].prompt, "a prefix is shared"
        assert read(orders[0]) == f"Q[{IMAGE_ROWS}]\nWhat?AA rib.QWhere?A"
        assert notes == ["Shade 7."]


@pytest.mark.parametrize(
    ("wish", "caller", "batch"),
    [
        (WISH, WARD, False),
        (Wish(params=WISH.params, batch=True), WARD, True),
        (WISH, Caller("token night", batch=True), True),
    ],
)
@on_loop
async def test_a_request_is_batch_by_its_wish_or_by_its_token(wish: Wish, caller: Caller, batch: bool) -> None:
    async with toy() as running:
        (order,), _ = await running.service.orders(asked("What?"), wish, caller)
        assert order.batch is batch


@on_loop
async def test_a_system_text_stands_where_the_template_has_a_place_for_it() -> None:
    conversation = asked(Question("What?", (), "A rib."), Question("Where?", (), None), system="Be brief.")
    async with toy(system_turn="S{}.") as running:
        (order,), _ = await running.service.orders(conversation, WISH, WARD)
        assert read(order) == "SBe brief..QWhat?AA rib.QWhere?A"


@on_loop
async def test_else_a_system_text_stands_before_the_first_question() -> None:
    conversation = asked(Question("What?", (b"\x01",), "A rib."), Question("Where?", (), None), system="Be brief.")
    async with toy() as running:
        (order,), _ = await running.service.orders(conversation, WISH, WARD)
        assert read(order) == f"Q[{IMAGE_ROWS}]\nBe brief.\n\nWhat?AA rib.QWhere?A"


@on_loop
async def test_a_picture_is_decoded_once_for_its_caller_and_its_notes_are_told_once() -> None:
    async with toy() as running:
        service = running.service
        _, notes = await service.orders(pictured(b"\x01", b"\x02", b"\x01"), WISH, WARD)
        assert notes == ["Shade 1.", "Shade 2."]
        assert running.decoded == [b"\x01", b"\x02"]
        await service.orders(pictured(b"\x01"), WISH, Caller("token other"))
        assert running.decoded == [b"\x01", b"\x02", b"\x01"]
        service.forget("token ward")
        await service.orders(pictured(b"\x01"), WISH, Caller("token other"))
        assert len(running.decoded) == 3
        await service.orders(pictured(b"\x01"), WISH, WARD)
        assert len(running.decoded) == 4


@on_loop
async def test_what_is_no_picture_is_said_by_who_reads_pictures() -> None:
    async with toy() as running:
        with pytest.raises(InputError, match="no picture"):
            await running.service.orders(pictured(b"?"), WISH, WARD)


@on_loop
async def test_each_answer_has_a_constraint_of_its_own() -> None:
    async with toy() as running:
        wish = Wish(params=WISH.params * 2, batch=False, schema={"type": "object"})
        orders, _ = await running.service.orders(asked("What?"), wish, WARD)
        assert all(isinstance(order.constraint, FreeForm) for order in orders)
        assert orders[0].constraint is not orders[1].constraint
        assert running.schemas.asked == [{"type": "object"}] * 2


@on_loop
async def test_a_context_exceeded_is_refused_before_anything_waits() -> None:
    async with toy(Talking(context=96)) as running:
        with pytest.raises(ContextExceeded) as caught:
            await running.service.orders(asked("x" * 94), WISH, WARD)
        assert (caught.value.prompt_tokens, caught.value.context) == (96, 96)
        (order,), _ = await running.service.orders(asked("x" * 93), WISH, WARD)
        assert len(order.prompt) == 95


@on_loop
async def test_past_a_limit_nothing_is_decoded() -> None:
    async with toy(images=2, image_bytes=10, text_bytes=20) as running:
        service = running.service
        many = await refused(service, asked(Question("", (b"1", b"2"), "x"), Question("", (b"3",), None)))
        assert (many.status, many.code, many.param) == (400, "too_many_images", "messages")
        assert "3 pictures; at most 2" in many.message
        large = await refused(service, pictured(b"1", b"2" * 11))
        assert (large.status, large.code, large.param) == (413, "image_too_large", "messages")
        long = await refused(service, asked(Question("é" * 5, (), "x" * 5), Question("y" * 3, (), None), system="zzz"))
        assert (long.status, long.code, long.param) == (413, "text_too_large", "messages")
        assert running.decoded == []
        await service.orders(asked(Question("é" * 5, (b"2" * 10,), "x" * 5), Question("y" * 5, (), None)), WISH, WARD)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("wanted", [None, 1, 40])
@on_loop
async def test_as_many_tokens_as_the_site_allows_may_be_asked_for(wanted: int | None, name: str) -> None:
    def request(tokens: int | None) -> ChatRequest:
        return ChatRequest(messages=[], **{name: tokens})  # type: ignore[arg-type]

    async with toy(answer_tokens=40) as running:
        running.service.require_tokens(request(wanted))
        with pytest.raises(Refusal) as caught:
            running.service.require_tokens(request(41))
        assert (caught.value.status, caught.value.code, caught.value.param) == (400, "invalid_value", name)
        assert "41" in caught.value.message
        assert "40" in caught.value.message
    async with toy() as running:
        running.service.require_tokens(request(1_000_000))


def went_on(service: Service, engine: Talking, entered: int) -> bool:
    return engine.entered > entered or not service.engine.waiting


async def fill(service: Service, engine: Talking, count: int, callers: Sequence[str] = ("token ward",)) -> None:
    """Have so many answers written, and nothing go on."""
    for number in range(count):
        begin(service, callers[number % len(callers)])
    while service.engine.waiting:
        engine.let()
        await until(partial(went_on, service, engine, engine.entered))


@on_loop
async def test_a_caller_may_have_so_many_requests_waiting_beside_those_that_run() -> None:
    engine = Talking(slots=2, held=True)
    async with toy(engine, waiting_per_caller=2) as running:
        service = running.service
        await fill(service, engine, 2)
        begin(service, count=2)
        refusal = no_place(service)
        assert (refusal.status, refusal.code) == (429, "too_many_requests")
        assert refusal.headers["retry-after"] == "5", "nothing is known yet"
        begin(service, "token other")
        assert no_place(service, "token other", count=2).status == 429


@on_loop
async def test_those_of_one_network_wait_as_one_caller_and_share_nothing_else() -> None:
    engine = Talking(slots=1, held=True)
    here, there = (Caller(f"address 2001:db8::{host}", network="network 2001:db8::/64") for host in (7, 8))
    async with toy(engine, waiting_per_caller=1) as running:
        service = running.service
        await fill(service, engine, 1, ["token other"])
        orders, _ = await service.orders(pictured(b"\x01"), WISH, here)
        service.exchange(orders, [])
        with pytest.raises(Refusal) as caught:
            await service.orders(pictured(b"\x01"), WISH, there)
        assert caught.value.code == "too_many_requests"
        engine.go()
        await until(lambda: not service.engine.live)
        orders, _ = await service.orders(pictured(b"\x01"), WISH, there)
        assert (orders[0].caller, orders[0].share) == (there.id, there.share)
        assert running.decoded == [b"\x01"] * 2


@on_loop
async def test_requests_whose_pictures_are_not_decoded_yet_wait_too() -> None:
    """Else a caller could have any number of them decoded, and everybody's would stand behind."""
    goes_on = asyncio.Event()
    async with toy(Talking(slots=1), waiting_per_caller=2, waiting=4) as running:
        service = running.service

        async def decode(file: bytes) -> PreparedPicture:
            running.decoded.append(file)
            await goes_on.wait()
            return prepared(file[0])

        service.gallery = Gallery(decode)
        callers = [WARD, WARD, WARD, Caller("token other"), Caller("token other")]
        tasks = [
            asyncio.create_task(service.orders(pictured(bytes([number])), WISH, caller))
            for number, caller in enumerate(callers)
        ]
        await until(lambda: len(running.decoded) == 4)  # two of each
        refusal = await refused(service, pictured(b"x"))
        assert (refusal.status, refusal.code) == (429, "too_many_requests")
        with pytest.raises(Refusal) as caught:
            await service.orders(pictured(b"x"), WISH, Caller("token third"))
        assert (caught.value.status, caught.value.code) == (503, "queue_full")
        goes_on.set()
        await asyncio.gather(*tasks)
        await service.orders(pictured(b"x"), WISH, WARD)


@on_loop
async def test_free_slots_are_places_too() -> None:
    async with toy(Talking(slots=2, held=True), waiting_per_caller=1, waiting=1) as running:
        assert no_place(running.service, count=4).status == 429
        begin(running.service, count=3)


@on_loop
async def test_so_many_requests_wait_in_all() -> None:
    engine = Talking(slots=1, held=True)
    async with toy(engine, waiting=2) as running:
        service = running.service
        await fill(service, engine, 1)
        begin(service)
        begin(service, "token other")
        refusal = no_place(service, "token third")
        assert (refusal.status, refusal.code) == (503, "queue_full")
        assert refusal.headers["retry-after"] == "5"


@on_loop
async def test_work_that_can_wait_leaves_half_of_the_places_to_who_cannot() -> None:
    engine = Talking(slots=1, held=True)
    async with toy(engine, waiting=4, waiting_per_caller=4) as running:
        service = running.service
        await fill(service, engine, 1)
        begin(service, "token night", 2, batch=True)
        refusal = no_place(service, "token dusk", batch=True)
        assert (refusal.status, refusal.code) == (503, "queue_full")
        assert "half of the places" in refusal.message
        with pytest.raises(Refusal) as caught:
            await service.orders(asked("What?"), WISH, Caller("token dawn", batch=True))
        assert caught.value.code == "queue_full"
        await service.orders(asked("What?"), WISH, Caller("token other"))
        begin(service, "token other", 2)
        assert "half" not in no_place(service, "token third").message


@on_loop
async def test_who_is_refused_is_told_the_longest_wait_that_is_known() -> None:
    engine = Talking(slots=1, held=True)
    async with toy(engine, waiting_per_caller=2) as running:
        service = running.service
        await fill(service, engine, 1)
        for wait_s in (3.4, 17.6):
            begin(service).answers[0].wait_s = wait_s
        assert no_place(service).headers["retry-after"] == "18"


@on_loop
async def test_an_answer_that_is_over_gives_its_place_back_and_is_counted() -> None:
    engine = Talking(slots=1, held=True)
    async with toy(engine, waiting_per_caller=1) as running:
        service = running.service
        await fill(service, engine, 1)
        waiting = begin(service)
        no_place(service)
        service.end(waiting)
        service.end(waiting)  # asked twice, it counts once
        engine.let(2)
        await until(lambda: waiting.ended)
        begin(service)
        assert b'edgekit_answers_total{reason="cancelled"} 1.0' in service.metrics.text()


@on_loop
async def test_a_service_that_stops_says_when_it_is_back() -> None:
    async with toy(grace_s=20) as running:
        service = running.service
        service.stop()
        first = service.stopping_at
        time.sleep(0.01)
        service.stop()
        assert service.stopping_at == first, "the grace time is not begun anew"
        refusal = no_place(service)
        assert (refusal.status, refusal.code) == (503, "service_stopping")
        assert 29 <= int(refusal.headers["retry-after"]) <= 30


@on_loop
async def test_a_failed_engine_takes_nothing() -> None:
    async with toy() as running:
        running.service.engine.failed = True
        refusal = no_place(running.service)
        assert (refusal.status, refusal.code) == (503, "engine_failed")
        assert int(refusal.headers["retry-after"]) == 10


@on_loop
async def test_orders_are_judged_where_the_model_has_a_record_and_as_they_are_where_not() -> None:
    async with toy() as running:
        service = running.service
        (plain,), _ = await service.orders(asked("Is it?"), WISH, WARD)
        assert (plain.params, plain.judge(cast(Completion, None))) == (WISH.params[0], ())
        service.confidence = ModelConfidence(RECORD)
        (order,), _ = await service.orders(asked("Is it?"), WISH, WARD)
        assert order.params == replace(WISH.params[0], logprobs=LOGPROBS)
        exchange = service.exchange([order], [])
        await exchange.whole()
        assert exchange.notes == (
            f"Low confidence: nothing is promised of answers as unsure as this one. Tried on {DATA}.",
        )
        own = Wish(params=(SamplingParams(logprobs=2),), batch=False)
        assert (await service.orders(asked("Is it?"), own, WARD))[0][0].params.logprobs == 2
        service.end(exchange)
