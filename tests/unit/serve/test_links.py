"""Answers that outlive their link: whose they are, how long they stay, and what is refused meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from edgekit.runtime import SamplingParams
from edgekit.serve import links as module
from edgekit.serve.answer import Order
from edgekit.serve.caller import Caller
from edgekit.serve.exchange import Exchange
from edgekit.serve.links import Kept, Links, conversation_id
from edgekit.serve.refusal import Refusal
from tests.asgi import on_loop, until
from tests.fake_engine import text_prompt
from tests.toy_service import Talking, Toy, toy

WARD, OTHER = Caller("token ward"), Caller("token other")
ID = "a" * 22


class Form:
    """Writes nothing."""

    def whole(self, exchange: Exchange) -> None:
        return None

    def size_bytes(self, exchange: Exchange) -> int:
        return 0

    async def events(self, exchange: Exchange, seen: int = 0) -> AsyncIterator[bytes]:
        yield b""


def kept(links: Links, running: Toy, caller: Caller = WARD, id: str = ID) -> Kept:
    """An answer that was asked for in a conversation."""
    links.require_free(caller, id)
    order = Order(prompt=text_prompt("what?"), params=SamplingParams(), caller=caller.name)
    return links.keep(caller, id, running.service.exchange([order], []), Form())


def timer(own: Kept) -> asyncio.TimerHandle | None:
    return own.timer


def refusal(links: Links, caller: Caller = WARD, id: str = ID) -> Refusal:
    with pytest.raises(Refusal) as refused:
        links.require_free(caller, id)
    return refused.value


@on_loop
async def test_a_conversation_has_one_answer_at_a_time() -> None:
    async with toy(Talking(held=True)) as running:
        links = Links(running.service)
        first = kept(links, running)
        running_still = refusal(links)
        assert (running_still.status, running_still.code) == (409, "answer_running")
        assert running_still.headers["x-should-retry"] == "false"
        links.require_free(WARD, "b" * 22)
        links.require_free(OTHER, ID)
        running.engine.go()
        await until(lambda: first.exchange.ended)
        second = kept(links, running)
        assert links.of(WARD, ID) is second
        assert first.exchange not in running.service.exchanges


@on_loop
async def test_an_answer_is_its_callers_alone() -> None:
    async with toy() as running:
        links = Links(running.service)
        own = kept(links, running)
        assert links.of(WARD, ID) is own
        for caller, id in ((OTHER, ID), (WARD, "b" * 22), (WARD, ""), (WARD, ID[:-1])):
            with pytest.raises(Refusal) as refused:
                links.of(caller, id)
            assert (refused.value.status, refused.value.code) == (404, "conversation_not_found")
            assert ID not in refused.value.message
        await until(lambda: own.exchange.ended)


@on_loop
async def test_the_time_of_an_answer_begins_when_its_last_reader_leaves() -> None:
    async with toy(Talking(held=True), resume_s=60) as running:
        links, loop = Links(running.service), asyncio.get_running_loop()
        own = kept(links, running)
        with links.reading(WARD, ID, own):
            assert timer(own) is None
        first = timer(own)
        assert first
        assert 50 < first.when() - loop.time() <= 60
        with links.reading(WARD, ID, own):
            assert first.cancelled()
            assert timer(own) is None
        assert timer(own)
        assert not own.exchange.ended
        assert links.of(WARD, ID) is own


@on_loop
async def test_an_answer_that_nobody_takes_up_is_cancelled_and_forgotten() -> None:
    async with toy(Talking(held=True), resume_s=0.02) as running:
        links = Links(running.service)
        own = kept(links, running)
        with links.reading(WARD, ID, own):
            assert own.exchange in running.service.exchanges
        await until(lambda: own.exchange not in running.service.exchanges)
        with pytest.raises(Refusal):
            links.of(WARD, ID)
        running.engine.go()
        await until(lambda: own.exchange.ended)
        assert own.exchange.answers[0].completion is not None
        assert own.exchange.answers[0].completion.reason == "cancelled"


@on_loop
async def test_the_first_of_two_readers_to_leave_changes_nothing() -> None:
    async with toy(resume_s=0) as running:
        links = Links(running.service)
        own = kept(links, running)
        with links.reading(WARD, ID, own):
            with links.reading(WARD, ID, own):
                await until(lambda: own.exchange.ended)
            await asyncio.sleep(0.05)
            assert links.of(WARD, ID) is own
        await until(lambda: not running.service.exchanges)


@on_loop
async def test_the_time_of_an_answer_does_not_end_the_next_one() -> None:
    async with toy(resume_s=0.05) as running:
        links = Links(running.service)
        first = kept(links, running)
        await until(lambda: first.exchange.ended)
        with links.reading(WARD, ID, first):
            second = kept(links, running)  # asked for while the one before is still read
        await asyncio.sleep(0.15)
        assert links.of(WARD, ID) is second


@on_loop
async def test_so_many_are_kept_for_a_caller_and_the_oldest_that_has_ended_makes_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_PER_CALLER", 2)
    async with toy(Talking(slots=2, held=True)) as running:
        links = Links(running.service)
        first, second = (kept(links, running, id=letter * 22) for letter in "ab")
        refused = refusal(links, id="c" * 22)
        assert (refused.status, refused.code) == (429, "too_many_requests")
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["x-should-retry"] == "false"
        running.engine.go()
        await until(lambda: first.exchange.ended and second.exchange.ended)
        kept(links, running, caller=OTHER)
        links.require_free(WARD, "c" * 22)
        assert links.of(WARD, "a" * 22) is first, "the question may still be refused for want of a place"
        third = kept(links, running, id="c" * 22)
        assert links.of(WARD, "b" * 22) is second
        assert links.of(WARD, "c" * 22) is third
        with pytest.raises(Refusal):
            links.of(WARD, "a" * 22)
        assert links.of(OTHER, ID)


@on_loop
async def test_what_is_forgotten_of_a_caller_is_ended_too() -> None:
    async with toy(Talking(held=True)) as running:
        links = Links(running.service)
        own, others = kept(links, running), kept(links, running, caller=OTHER)
        links.forget(WARD.name)
        assert running.service.exchanges == {others.exchange}
        with pytest.raises(Refusal):
            links.of(WARD, ID)
        assert links.of(OTHER, ID) is others
        running.engine.go()
        await until(lambda: own.exchange.ended and others.exchange.ended)
        assert own.exchange.failure() is not None
        assert others.exchange.failure() is None


@pytest.mark.parametrize("id", [str(uuid.UUID(int=7)), "a" * 22, "A-_9" * 32])
def test_an_id_that_cant_be_guessed_is_taken(id: str) -> None:
    assert conversation_id([(b"accept", b"*/*"), (b"x-conversation-id", id.encode())]) == id


@pytest.mark.parametrize("id", ["", "a" * 21, "a" * 129, "a" * 21 + "/", "a" * 21 + "\n", "a" * 22 + "\n", "é" * 22])
def test_an_id_that_others_could_guess_or_that_is_none_is_refused(id: str) -> None:
    with pytest.raises(Refusal) as refused:
        conversation_id([(b"x-conversation-id", id.encode("latin-1"))])
    assert (refused.value.status, refused.value.code) == (400, "invalid_conversation_id")


def test_two_ids_are_refused_and_none_is_none() -> None:
    assert conversation_id([(b"accept", b"*/*")]) is None
    with pytest.raises(Refusal):
        conversation_id([(b"x-conversation-id", b"a" * 22), (b"x-conversation-id", b"a" * 22)])
