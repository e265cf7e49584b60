"""Bodies within their bounds, and work that ends with its caller: against a connection of messages, and a real one."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import TypeVar

import pytest
from starlette.types import Message, Receive, Scope, Send

from edgekit.serve.asgi import INLINE_BYTES, Bodies, Gone, apart, respond_events, respond_json, while_connected
from edgekit.serve.refusal import Refusal
from tests.answering import Answering, answering, request

T = TypeVar("T")
MOST = 1000
WARD = "token ward"
GONE: Message = {"type": "http.disconnect"}


def within_a_second(work: Awaitable[T]) -> T:
    """Run ``work``; what waits for ever fails."""

    async def bounded() -> T:
        return await asyncio.wait_for(work, 1)

    return asyncio.run(bounded())


def part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def sending(*messages: Message) -> Receive:
    """A caller who sends ``messages``, and then neither sends nor goes."""
    rest = iter(messages)

    async def receive() -> Message:
        for message in rest:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def scope(announced: int | None = None) -> Scope:
    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    return {"type": "http", "headers": headers}


async def read(bodies: Bodies, receive: Receive, announced: int | None = None) -> bytes:
    async with bodies.reading(WARD, scope(announced), receive) as body:
        return bytes(body)


def refusal(work: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        within_a_second(work)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, MOST])
def test_a_body_is_joined_whether_its_length_is_announced_or_not(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    for announced in (None, size):
        messages = [part(body[:10]), part(b""), part(body[10:500]), part(body[500:], more=False)]
        assert within_a_second(read(Bodies(MOST, MOST), sending(*messages), announced)) == body
    assert within_a_second(read(Bodies(MOST, MOST), sending({"type": "http.request"}))) == b""


@pytest.mark.parametrize(
    ("messages", "announced"),
    [
        ([part(b"x" * (MOST + 1), more=False)], None),
        ([part(b"x" * MOST), part(b"x", more=False)], None),
        ([part(b"x" * MOST), part(b"x"), part(b"", more=False)], None),
        ([part(b"x"), part(b"x" * MOST, more=False)], MOST + 1),
        ([part(b"x" * (MOST + 1), more=False)], MOST + 1),
        ([part(b"x" * MOST)] * 5, 5 * MOST),
        ([part(b"x"), GONE], MOST + 1),
    ],
)
def test_a_body_that_is_too_large_is_refused(messages: list[Message], announced: int | None) -> None:
    bodies = Bodies(MOST, 10 * MOST)
    error = refusal(read(bodies, sending(*messages), announced))
    assert (error.status, error.code) == (413, "request_too_large")
    assert error.headers == {"connection": "close", "x-should-retry": "false"}
    assert within_a_second(read(bodies, sending(part(b"x" * MOST, more=False)))) == b"x" * MOST


def test_of_a_body_that_is_too_large_only_so_much_is_read() -> None:
    asked = 0

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        return part(b"x" * 100)

    assert refusal(read(Bodies(MOST, MOST), receive)).status == 413
    assert asked <= 2 * MOST / 100 + 2


def test_all_bodies_together_are_bounded_until_each_is_let_go() -> None:
    async def scenario() -> None:
        bodies = Bodies(MOST, 2 * MOST)
        full = [part(b"x" * MOST, more=False)]
        async with bodies.reading("a", scope(), sending(*full)), bodies.reading("b", scope(), sending(*full)):
            with pytest.raises(Refusal) as caught:
                await read(bodies, sending(part(b"x", more=False)))
            assert (caught.value.status, caught.value.code) == (503, "too_many_requests_in_memory")
            assert int(caught.value.headers["retry-after"]) > 0
        assert await read(bodies, sending(*full)) == b"x" * MOST

    within_a_second(scenario())


def test_one_caller_holds_half_of_them_at_most() -> None:
    """Who sends slowly would else have all others refused, as long as a request may take."""

    async def scenario() -> None:
        bodies = Bodies(MOST, 4 * MOST)
        full = [part(b"x" * MOST, more=False)]
        async with bodies.reading(WARD, scope(), sending(*full)), bodies.reading(WARD, scope(), sending(*full)):
            with pytest.raises(Refusal) as caught:
                await read(bodies, sending(part(b"x", more=False)))
            assert (caught.value.status, caught.value.code) == (429, "too_many_requests_in_memory")
            async with bodies.reading("token other", scope(), sending(*full)) as body:
                assert body == full[0]["body"]
        assert await read(bodies, sending(*full)) == full[0]["body"]

    within_a_second(scenario())


@pytest.mark.parametrize("end", ["gone", "too large", "failed inside", "cancelled"])
def test_a_body_is_let_go_however_its_request_ends(end: str) -> None:
    bodies = Bodies(MOST, MOST)
    begun = part(b"x" * MOST)

    async def scenario() -> None:
        if end == "gone":
            with pytest.raises(Gone):
                await read(bodies, sending(begun, GONE))
        elif end == "too large":
            with pytest.raises(Refusal):
                await read(bodies, sending(begun, part(b"x", more=False)))
        elif end == "failed inside":
            with pytest.raises(ZeroDivisionError):
                async with bodies.reading(WARD, scope(), sending(part(b"x" * MOST, more=False))):
                    raise ZeroDivisionError
        else:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(read(bodies, sending(begun)), 0.01)
        assert await read(bodies, sending(part(b"y" * MOST, more=False))) == b"y" * MOST

    within_a_second(scenario())


async def returns() -> int:
    await asyncio.sleep(0.01)
    return 7


async def fails() -> int:
    await asyncio.sleep(0.01)
    raise ZeroDivisionError


def test_much_work_is_done_apart_from_the_loop_and_little_is_not() -> None:
    async def scenario() -> None:
        here = threading.get_ident()
        assert await apart(INLINE_BYTES - 1, threading.get_ident) == here
        assert await apart(INLINE_BYTES, threading.get_ident) != here
        for size in (0, INLINE_BYTES):
            with pytest.raises(LookupError, match="mine"):
                await apart(size, lambda: _fail("mine"))

    asyncio.run(scenario())


def _fail(text: str) -> None:
    raise LookupError(text)


def test_what_work_returns_and_raises_comes_through() -> None:
    assert within_a_second(while_connected(sending(part(b"", more=False)), returns())) == 7
    with pytest.raises(ZeroDivisionError):
        within_a_second(while_connected(sending(), fails()))
    with pytest.raises(Refusal):
        within_a_second(while_connected(sending(), read(Bodies(1, 1), sending(part(b"xx", more=False)))))


@pytest.mark.parametrize("end", ["gone", "cancelled"])
def test_work_ends_before_its_place_is_given_on(end: str) -> None:
    """It is over, its own ``finally`` included, when the wait for it is."""
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append("work")

    async def scenario() -> None:
        begun, tasks = time.monotonic(), asyncio.all_tasks()
        if end == "gone":
            with pytest.raises(Gone):
                await while_connected(sending(part(b"", more=False), GONE), work())
        else:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(while_connected(sending(), work()), 0.05)
        assert ended == ["work"]
        assert time.monotonic() - begun < 0.5
        assert asyncio.all_tasks() == tasks

    within_a_second(scenario())


def test_work_that_is_done_when_its_caller_goes_counts() -> None:
    async def scenario() -> int:
        done = asyncio.Event()

        async def receive() -> Message:
            await done.wait()
            return GONE

        async def work() -> int:
            done.set()
            return 7

        return await while_connected(receive, work())

    assert within_a_second(scenario()) == 7


def test_an_error_behind_the_callers_end_is_nobodys(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    with pytest.raises(Gone):
        within_a_second(while_connected(sending(GONE), work()))
    gc.collect()
    assert not caplog.records, "such as that an exception was never retrieved"


BODIES = Bodies(100_000, 250_000)
STATES: list[str] = []


async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a body's length; /whole and /stream then work until their caller goes."""
    try:
        async with BODIES.reading(WARD, scope, receive) as body:
            work = {"/whole": waiting, "/stream": streaming}.get(scope["path"])
            if work is not None:
                await while_connected(receive, work(send))
            await respond_json(send, 200, len(body))
    except Refusal as error:
        await respond_json(send, error.status, error.document(), error.headers)
    except Gone:
        STATES.append("gone")


async def waiting(send: Send) -> None:
    STATES.append("begun")
    try:
        await asyncio.sleep(30)
    finally:
        STATES.append("ended")


async def streaming(send: Send) -> None:
    async def events() -> AsyncIterator[bytes]:
        yield b": begun\n\n"
        await waiting(send)

    await respond_events(send, events())


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering(endpoint) as server:
        yield server


def test_too_large_is_said_to_who_still_sends(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("POST", "/", None, "content-length: 150000"))
        for _ in range(15):
            connection.send(b"x" * 10_000)
        assert connection.answer().status == 413
    with server.connection() as connection:
        connection.send(request("POST", "/", None, "transfer-encoding: chunked"))
        for _ in range(15):
            connection.send(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        connection.send(b"0\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.document["error"]["code"]) == (413, "request_too_large")
        assert connection.rest() == b""
    assert server.settled()


@pytest.mark.parametrize("size", [100_000, 100_001])
def test_a_chunked_body_has_the_same_bound(server: Answering, size: int) -> None:
    with server.connection() as connection:
        connection.send(request("POST", "/", None, "transfer-encoding: chunked"))
        connection.send(f"{size:x}\r\n".encode(), b"x" * size, b"\r\n0\r\n\r\n")
        assert connection.answer().status == (200 if size == 100_000 else 413)
    assert server.settled()


@pytest.mark.parametrize("path", ["/whole", "/stream"])
def test_a_caller_who_goes_ends_the_work_at_once(server: Answering, path: str) -> None:
    STATES.clear()
    with server.connection() as connection:
        connection.send(request("POST", path, b"body"))
        until = time.monotonic() + 1
        while not STATES and time.monotonic() < until:
            time.sleep(0.005)
        assert STATES == ["begun"]
    begun = time.monotonic()
    assert server.settled()
    assert time.monotonic() - begun < 0.5
    assert STATES == ["begun", "ended", "gone"]
    assert not BODIES._held_bytes


def test_events_go_out_one_by_one_and_nothing_keeps_them_back() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def events() -> AsyncIterator[bytes]:
        for number in range(2):
            yield b"data: %d\n\n" % number
            assert sent[-1] == {"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True}

    within_a_second(respond_events(send, events(), {"x-more": "1"}))
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-more"] == b"1"
    assert sent[-1] == {"type": "http.response.body", "body": b""}
