"""The load test's client, against bytes on a socket: cut anywhere, chunked or not, and broken off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.wire import Connection, Reply

EVENTS = (
    b": queued 3, about 2 s\n\n"
    b'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}]}\n\n'
    b'id: 1\ndata: {"choices": [{"index": 0, "delta": {"content": "A sh"}, "finish_reason": null}]}\n\n'
    b": working\n\n"
    b'id: 4\ndata: {"choices": [{"index": 0, "delta": {"content": "adow."}, "logprobs": '
    b'{"content": [{"token": "adow", "logprob": -0.5}]}, "finish_reason": null}]}\n\n'
    b'id: 4\ndata: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    b'data: {"choices": [], "usage": {"completion_tokens": 4}}\n\n'
    b"data: [DONE]\n\n"
)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
WHOLE = {"choices": [{"message": {"content": "Nothing."}, "finish_reason": "length", "logprobs": None}], "usage": {}}


def chunked(data: bytes, size: int) -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return STREAM + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def document(value: object, status: bytes = b"200 OK") -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


def asked(
    answers: Sequence[bytes], ask: Callable[[Connection], Awaitable[Reply]], per_connection: int = 9
) -> list[Reply]:
    """What a client makes of such answers, so many on a connection; then, or without more of them, it ends."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(min(per_connection, len(left))):
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"authorization: Bearer secret\r\n" in head
            await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
            writer.write(left.pop(0))
        writer.close()

    async def run() -> list[Reply]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            connection = Connection(f"http://127.0.0.1:{port}/base", {"authorization": "Bearer secret"})
            replies = [await ask(connection) for _ in answers]
            connection.close()
            return replies

    return asyncio.run(run())


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_a_stream_is_read_however_it_is_cut(size: int) -> None:
    for reply in asked([chunked(EVENTS, size)] * 2, lambda connection: connection.ask(b"{}")):
        assert (reply.status, reply.text, reply.reason, reply.error) == (200, "A shadow.", "stop", "")
        assert (reply.events, reply.number, reply.usage) == (2, 4, {"completion_tokens": 4})
        assert [token["logprob"] for token in reply.tokens] == [-0.5]
        assert [place for _, place in reply.places] == [3]
        assert reply.first_s is not None
        assert reply.sent_s < reply.places[0][0] <= reply.first_s <= reply.ended_s
        assert reply.whole


def test_an_answer_in_one_piece_is_read() -> None:
    (reply,) = asked([document(WHOLE)], lambda connection: connection.ask(b"{}"))
    assert (reply.text, reply.reason, reply.first_s, reply.whole) == ("Nothing.", "length", None, True)


def test_errors_are_told_by_their_codes() -> None:
    error = {"error": {"code": "queue_full", "type": "server_error"}}
    other = {"error": {"code": None, "type": "unavailable_error"}}
    late = chunked(b"data: " + json.dumps(error).encode() + b"\n\n", 50)
    answers = [document(error, b"503 Service Unavailable"), late, document(other), document("?")]
    replies = asked(answers, lambda connection: connection.ask(b"{}"))
    assert [reply.error for reply in replies] == ["queue_full", "queue_full", "unavailable_error", "no answer"]
    assert [reply.status for reply in replies] == [503, 200, 200, 200]
    assert not any(reply.whole for reply in replies)


def test_a_connection_that_ends_too_soon_is_an_error() -> None:
    (cut,) = asked([chunked(EVENTS, 64)[:400]], lambda connection: connection.ask(b"{}"))
    assert cut.error == "RemoteProtocolError"
    assert not cut.whole
    (silent,) = asked([b""], lambda connection: connection.ask(b"{}"))
    assert silent.error == "Dropped"


def test_reading_ends_where_that_is_asked_for_and_the_next_request_has_a_connection_of_its_own() -> None:
    async def ask(connection: Connection) -> Reply:
        reply = Reply(sent_s=0)
        await connection.read(reply, "POST", "/", b"{}", until=lambda reply: reply.events == 1)
        return reply

    (cut,) = asked([chunked(EVENTS, 64)], ask)
    assert (cut.text, cut.number, cut.whole) == ("A sh", 1, False)


@pytest.mark.parametrize("answer", [chunked(EVENTS, 64), document(WHOLE)])
def test_a_connection_that_ends_between_two_requests_is_opened_again(answer: bytes) -> None:
    replies = asked([answer] * 3, lambda connection: connection.ask(b"{}"), per_connection=1)
    assert all(reply.whole for reply in replies)
