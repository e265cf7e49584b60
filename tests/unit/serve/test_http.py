"""The deadline of a request, over real connections: no byte lengthens it, and it cuts nothing that is complete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from starlette.types import Receive, Scope, Send

from edgekit.serve import http
from edgekit.serve.asgi import respond
from edgekit.serve.headers import SAFE
from edgekit.serve.http import HEAD_BYTES, LEAST_PART_BYTES, PARTS
from tests.answering import Answering, Connection, answering, request

REQUEST_S = 0.3
SLOW_S = 0.5
"""Longer than a request may take to arrive."""
ENDS: list[str] = []


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the request's body: at once, slowly (/slow), in parts (/parts), or before it is read (/early)."""
    path = scope["path"]
    if path == "/early":
        await respond(send, 403, b"no", {})
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            ENDS.append(path)
            return
        body, more = body + message["body"], message["more_body"]
    if path == "/parts":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(5):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            await asyncio.sleep(SLOW_S / 5)
        await send({"type": "http.response.body"})
        return
    if path == "/slow":
        await asyncio.sleep(SLOW_S)
    await respond(send, 200, path.encode() + body, {})


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with answering(echo, REQUEST_S) as server:
        yield server


@pytest.fixture(scope="module")
def narrow() -> Iterator[Answering]:
    with answering(echo, REQUEST_S, connections=2) as server:
        yield server


def require_too_late(connection: Connection, begun: float) -> None:
    """Read the answer to a request that came too slowly, and the connection's end."""
    answer = connection.answer()
    assert REQUEST_S * 0.9 < time.monotonic() - begun < REQUEST_S + 0.3
    assert answer.status == 408
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert SAFE.items() <= answer.headers.items()
    error = answer.document["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "request_timeout")
    assert "0.3 seconds" in error["message"]
    assert connection.rest() == b""


@pytest.mark.parametrize("message", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: " + b"x" * 200])
def test_bytes_that_trickle_in_lengthen_nothing(server: Answering, message: bytes) -> None:
    begun = time.monotonic()
    with server.connection() as connection:
        connection.drip(message, 0.02)
        require_too_late(connection, begun)
    assert server.settled()


def test_a_body_that_trickles_in_ends_its_request_in_the_application_too(server: Answering) -> None:
    ENDS.clear()
    begun = time.monotonic()
    with server.connection() as connection:
        connection.send(request("POST", "/dripped", None, "content-length: 500"))
        assert connection.drip(b"x" * 500, 0.02) < 50
        require_too_late(connection, begun)
    assert server.settled()
    assert ENDS == ["/dripped"]


def test_each_request_of_a_connection_has_the_whole_time(server: Answering) -> None:
    with server.connection() as connection:
        for number in range(3):  # together longer than one may take
            connection.send(request("POST", f"/{number}", None, "content-length: 2"), b"a")
            time.sleep(REQUEST_S * 0.6)
            connection.send(b"b")
            assert connection.answer().body == f"/{number}ab".encode()
            assert [each._deadline for each in server.protocols] == [None]
        begun = time.monotonic()
        connection.send(b"P")
        require_too_late(connection, begun)


def test_a_slow_answer_is_not_cut(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("GET", "/slow"))
        assert connection.answer().body == b"/slow"


def test_an_answer_in_parts_is_not_cut(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("GET", "/parts", None, "connection: close"))
        assert connection.rest().count(b"part") == 5


def test_requests_sent_together_are_answered_in_turn(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("GET", "/slow"), request("POST", "/second", b"body"), request("GET", "/third"))
        assert [connection.answer().body for _ in range(3)] == [b"/slow", b"/secondbody", b"/third"]
        assert [each._deadline for each in server.protocols] == [None]


@pytest.mark.parametrize("sent", [1, 20, 60, 70])
def test_a_second_request_that_was_begun_with_the_first_has_a_deadline(server: Answering, sent: int) -> None:
    second = request("POST", "/second", b"body" * 10)
    assert 60 < second.index(b"\r\n\r\n") + 4 < 70
    with server.connection() as connection:
        connection.send(request("GET", "/first"), second[:sent])
        begun = time.monotonic()
        assert connection.answer().body == b"/first"
        require_too_late(connection, begun)
    assert server.settled()


def test_what_is_sent_behind_an_early_answer_does_not_count_for_the_next_request(server: Answering) -> None:
    with server.connection() as connection:
        connection.send(request("POST", "/early", None, "content-length: 2"), b"a")
        assert connection.answer().status == 403
        time.sleep(REQUEST_S * 0.6)
        connection.send(b"b")
        for part in (b"GET /next HTTP/1.1\r\n", b"host: localhost\r\n\r\n"):
            time.sleep(REQUEST_S * 0.6)
            connection.send(part)
        assert connection.answer().body == b"/next"


def test_a_body_behind_an_early_answer_has_a_deadline(server: Answering) -> None:
    begun = time.monotonic()
    with server.connection() as connection:
        connection.send(request("POST", "/early", None, "content-length: 500"))
        assert connection.answer().status == 403
        assert connection.drip(b"x" * 500, 0.02) < 50
    assert server.settled()
    assert time.monotonic() - begun < REQUEST_S + 0.5


@pytest.mark.parametrize(
    "message",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS where none is spoken
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # names no host
        request("POST", "/", None, "content-length: 1", "content-length: 2"),
        request("POST", "/", None, "transfer-encoding: chunked") + b"no number\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_the_form_of_all_errors(server: Answering, message: bytes) -> None:
    with server.connection() as connection:
        connection.send(message)
        answer = connection.answer()
        assert answer.status == 400
        assert answer.headers["content-type"] == "application/json"
        assert answer.document["error"]["code"] == "invalid_http"
        assert connection.rest() == b""
    assert server.settled()


def test_a_connection_too_many_is_told_so_and_takes_no_place(narrow: Answering) -> None:
    with narrow.connection() as first:
        with narrow.connection() as second:
            for connection in (first, second):
                connection.send(request("GET", "/in"))
                assert connection.answer().status == 200
            for _ in range(3):
                with narrow.connection() as third:
                    answer = third.answer()
                    assert (answer.status, answer.document["error"]["code"]) == (503, "too_many_connections")
                    assert third.rest() == b""
            first.send(request("GET", "/in"))
            assert first.answer().status == 200, "who is in stays in"
        until = time.monotonic() + 1
        while len(narrow.protocols) > 1 and time.monotonic() < until:
            time.sleep(0.005)
        with narrow.connection() as third:
            third.send(request("GET", "/in"))
            assert third.answer().status == 200


def test_every_refusal_has_a_name_of_its_own(server: Answering, narrow: Answering) -> None:
    ids = []
    for _ in range(2):
        with server.connection() as connection:
            connection.send(b"hello\r\n\r\n")
            ids.append(connection.answer().headers["x-request-id"])
    with server.connection() as connection:
        ids.append(connection.answer().headers["x-request-id"])
    with narrow.connection(), narrow.connection(), narrow.connection() as third:
        ids.append(third.answer().headers["x-request-id"])
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "message",
    [b"", b"GET", request("POST", "/x", None, "content-length: 9"), b"hello\r\n\r\n", request("GET", "/x")],
)
def test_nothing_stays_armed_behind_a_connection_that_has_ended(server: Answering, message: bytes) -> None:
    with server.connection() as connection:
        until = time.monotonic() + 1
        while not server.protocols and time.monotonic() < until:
            time.sleep(0.005)
        (protocol,) = server.protocols
        connection.send(message)
        time.sleep(0.02)
    assert server.settled()
    assert protocol._deadline is None
    timers: list[asyncio.TimerHandle] = list(protocol.loop._scheduled)  # type: ignore[attr-defined]
    assert not [timer for timer in timers if not timer.cancelled() and "_too_late" in repr(timer)]


def test_one_address_takes_half_of_the_connections_at_most_unless_it_is_a_proxy() -> None:
    with (
        answering(echo, REQUEST_S, connections=4, is_proxy=lambda address: address != "127.0.0.1") as server,
        server.connection() as first,
        server.connection() as second,
        server.connection() as third,
    ):
        for connection in (first, second):
            connection.send(request("GET", "/in"))
            assert connection.answer().status == 200
        answer = third.answer()
        assert (answer.status, answer.document["error"]["code"]) == (503, "too_many_connections")
        assert answer.headers["x-should-retry"] == "false"
        assert int(answer.headers["retry-after"]) > 0


def test_a_network_of_ipv6_takes_as_many_as_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "counted_as", lambda address: "2001:db8::/64")  # whatever the address of this machine is
    with answering(echo, REQUEST_S, 4, lambda address: False) as server, ExitStack() as stack:
        for host in ("127.0.0.1", "127.0.0.2"):
            connection = stack.enter_context(server.connection(host))
            connection.send(request("GET", "/in"))
            assert connection.answer().status == 200
        assert stack.enter_context(server.connection("127.0.0.3")).answer().status == 503


def test_a_caller_that_does_not_take_its_answer_is_let_go() -> None:
    """What a connection's buffers don't hold waits for the caller, and so would the connection, for ever."""

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})

    with answering(endless, REQUEST_S) as server, server.connection() as silent:
        silent.send(request("GET", "/"))
        assert server.busy()
        assert server.settled(), "its caller has read nothing for longer than the limit"


def test_a_head_is_refused_before_it_takes_long_to_read(server: Answering) -> None:
    """All of it may be there at once, and h11 itself bounds only what is not whole."""
    with server.connection() as connection:
        connection.send(request("GET", "/", None, *["a:"] * (HEAD_BYTES // 4 - 100)))
        assert connection.answer().status == 200
        connection.send(request("GET", "/", None, *["a:"] * HEAD_BYTES))
        assert connection.answer().document["error"]["code"] == "invalid_http"
    assert server.settled()


def test_a_body_in_parts_too_small_is_refused(server: Answering) -> None:
    """A byte sent as a part of its own takes six on the wire, and as long as thousands sent together."""
    head = request("POST", "/body", None, "transfer-encoding: chunked")
    with server.connection() as connection:
        for _ in range(3):  # each body by itself
            connection.send(head, b"1\r\nx\r\n" * PARTS, b"0\r\n\r\n")
            assert connection.answer().body == b"/body" + b"x" * PARTS
        large = b"%x\r\n%s\r\n" % (2 * LEAST_PART_BYTES, b"x" * 2 * LEAST_PART_BYTES)  # some are read in two
        connection.send(head, large * 2 * PARTS, b"0\r\n\r\n")
        assert connection.answer().status == 200
        connection.send(head, b"1\r\nx\r\n" * 2 * PARTS)
        answer = connection.answer()
        assert answer.status == 400
        assert answer.document["error"]["code"] == "invalid_http"
        assert connection.rest() == b""
    assert server.settled()
