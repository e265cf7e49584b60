"""A conversation from anywhere, asked step by step or by a request, and written down in a form of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from edgekit.runtime import SamplingParams
from edgekit.serve.asgi import Gone
from edgekit.serve.asking import Asking, Meant
from edgekit.serve.caller import Caller
from edgekit.serve.conversation import Conversation, Question
from edgekit.serve.exchange import Exchange
from edgekit.serve.links import Links
from edgekit.serve.refusal import Refusal
from edgekit.serve.service import Wish
from tests.asgi import Call, on_loop, until
from tests.toy_service import TEXT, Talking, toy

WARD = Caller("token ward")
ID = "a" * 22


class Words:
    """Writes an answer's text and nothing else."""

    def whole(self, exchange: Exchange) -> dict[str, str]:
        return {"text": self._text(exchange, 0)}

    def size_bytes(self, exchange: Exchange) -> int:
        return 0

    async def events(self, exchange: Exchange, seen: int = 0) -> AsyncIterator[bytes]:
        async for told in exchange.told([seen] * len(exchange.answers)):
            for number, first, last in told.deltas:
                yield "".join(delta.text for delta in exchange.answers[number].deltas[first:last]).encode()

    def _text(self, exchange: Exchange, first: int) -> str:
        return "".join(delta.text for delta in exchange.answers[0].deltas[first:])


def meant(text: str = "What?", *images: bytes, stream: bool = False, answers: int = 1, **more: Any) -> Meant:
    wish = Wish(params=(SamplingParams(),) * answers, batch=False)
    conversation = Conversation(None, (Question("Is it a rib?", (), "It is."), Question(text, images, None)))
    return Meant(conversation=conversation, wish=wish, form=Words(), stream=stream, **more)


@on_loop
async def test_who_has_a_conversation_asks_in_two_steps() -> None:
    async with toy() as running:
        asking = Asking(running.service)
        asked = await asking.ready(meant("What?", b"\x05"), WARD)
        assert asked.notes == ["Shade 5."]
        assert [order.caller for order in asked.orders] == ["token ward"]
        with asking.answered(asked, WARD, ID) as exchange:
            assert running.service.exchanges == {exchange}
            assert b"".join([event async for event in asked.form.events(exchange)]) == TEXT.encode()
            assert asked.form.whole(exchange) == {"text": TEXT}
        assert not running.service.exchanges, "without links, nothing outlives who asked"


@on_loop
async def test_an_answer_goes_on_for_its_conversation_and_is_taken_up() -> None:
    async with toy(Talking(held=True)) as running:
        links = Links(running.service)
        asking = Asking(running.service, links)
        asked = await asking.ready(meant(), WARD)
        with asking.answered(asked, WARD, ID) as exchange:
            pass
        assert running.service.exchanges == {exchange}
        assert links.of(WARD, ID).form is asked.form
        with pytest.raises(Refusal) as refused, asking.answered(asked, WARD, ID):
            pass
        assert refused.value.code == "answer_running"
        running.engine.go()
        await until(lambda: exchange.ended)
        with asking.answered(asked, WARD) as other:
            await other.whole()
        assert running.service.exchanges == {exchange}, "one without a conversation ends with its block"


@on_loop
async def test_of_a_conversation_one_answer_is_kept() -> None:
    async with toy() as running:
        asking = Asking(running.service, Links(running.service))
        asked = await asking.ready(meant(answers=2), WARD)
        with pytest.raises(Refusal) as refused, asking.answered(asked, WARD, ID):
            pass
        assert refused.value.param == "n"
        assert not running.service.exchanges


@on_loop
async def test_what_is_refused_is_said_by_the_requests_own_names() -> None:
    async with toy(images=1) as running:
        with pytest.raises(Refusal) as refused:
            await Asking(running.service).ready(meant("", b"\x01", b"\x02", own_name=lambda param: f"my {param}"), WARD)
        assert (refused.value.code, refused.value.param) == ("too_many_images", "my messages")


def app(asking: Asking, reading: Meant) -> ASGIApp:
    """An endpoint of somebody's own: any body is the same question."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["caller"] = WARD
        await asking.serve(scope, receive, send, lambda body: reading)

    return endpoint


@pytest.mark.parametrize("stream", [False, True])
@on_loop
async def test_a_request_is_answered_whole_or_as_it_comes(stream: bool) -> None:
    async with toy() as running:
        call = await Call(app(Asking(running.service), meant(stream=stream)), "POST", "/").done()
        assert call.status == 200
        assert call.body.decode() == TEXT if stream else call.json() == {"text": TEXT}
        assert call.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
        assert not running.service.exchanges


@pytest.mark.parametrize("stream", [False, True])
@on_loop
async def test_a_caller_that_goes_ends_its_answer_unless_it_named_a_conversation(stream: bool) -> None:
    async with toy(Talking(held=True)) as running:
        for links, left in ((None, 0), (Links(running.service), 1)):
            asking = Asking(running.service, links)
            call = Call(app(asking, meant(stream=stream)), "POST", "/", headers={"x-conversation-id": ID})
            await until(lambda: running.service.exchanges)
            with pytest.raises(Gone):
                await call.leave()
            assert len(running.service.exchanges) == left
        running.engine.go()


@on_loop
async def test_a_service_that_stops_reads_no_body() -> None:
    async with toy() as running:
        running.service.stop()
        with pytest.raises(Refusal) as refused:
            await Call(app(Asking(running.service), meant()), "POST", "/").done()
        assert refused.value.code == "service_stopping"
