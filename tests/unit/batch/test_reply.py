"""What servers send back: answers whole and in pieces, errors of every form, and connections that end."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from edgekit.batch.address import address
from edgekit.batch.reply import Connection, Lost, Reply
from tests.unit.batch.scripted import MODELS, Act, drop, echo, refuse, scripted, send, stream

ASKED = {"messages": [{"content": "Ähm, why?"}]}


def replies(*acts: Act) -> list[Reply]:
    with scripted(*acts) as server:
        connection = Connection(address(server.url, token="ek-1"))
        try:
            return [connection.post("/chat/completions", ASKED) for _ in acts]
        finally:
            connection.close()
            assert all(headers["Authorization"] == "Bearer ek-1" for _, headers, _ in server.asked)
            assert all(path == "/v1/chat/completions" for path, _, _ in server.asked)


def test_a_stream_is_read_to_its_end() -> None:
    (reply,) = replies(echo)
    assert (reply.status, reply.text, reply.reason, reply.tokens) == (200, "Ähm, why?", "stop", 3)
    assert (reply.seed, reply.notes, reply.error) == (5, ("Bright.",), None)


def test_a_server_that_streams_nothing_is_understood() -> None:
    choice = {"message": {"content": "Yes."}, "finish_reason": "length"}
    (reply,) = replies(send(200, {"choices": [choice], "usage": {"completion_tokens": 2}}))
    assert (reply.text, reply.reason, reply.tokens, reply.seed) == ("Yes.", "length", 2, None)


def test_a_connection_is_kept() -> None:
    with scripted(echo, refuse(400), send(200, "x" * 100), echo) as server:
        connection = Connection(address(server.url))
        assert connection.get("/models").document == MODELS
        texts = [connection.post("/chat/completions", ASKED).text for _ in range(4)]
        assert texts == ["Ähm, why?", "", "", "Ähm, why?"]
        assert server.connections == 1
        connection.close()


@pytest.mark.parametrize(
    ("act", "code", "error"),
    [
        (refuse(400, "context_length_exceeded"), "context_length_exceeded", "No: 400."),
        (send(413, "<html>Too large</html>"), "", "The server answers 413"),
        (send(500, {"detail": "x"}), "", "The server answers 500"),
        (send(500, {"error": "plain"}), "", "plain"),
        (send(500, {"error": {"code": 7}}), "7", "none of OpenAI's API"),
        (send(200, "hello"), "", "none of OpenAI's API"),
        (send(200, []), "", "none of OpenAI's API"),
        (send(200, {"choices": [3]}), "", "none of OpenAI's API"),
        (send(200, "[" * 100_000), "", "none of OpenAI's API"),
        (stream({"choices": [{"delta": {"content": 3}}]}), "", "none of OpenAI's API"),
        (stream({"error": {"message": "Stopped.", "code": "service_stopping"}}), "service_stopping", "Stopped."),
        (send(503, {"error": {"message": "x" * 5000}}), "", "x"),
    ],
)
def test_an_error_is_told_whatever_its_form(act: Act, code: str, error: str) -> None:
    (reply,) = replies(act)
    assert reply.code == code
    assert reply.error is not None
    assert error in reply.error
    assert len(reply.error) <= 300


@pytest.mark.parametrize(
    "act",
    [
        drop,
        stream({"choices": [{"delta": {"content": "Y"}}]}, end=False),
        stream({"choices": [{"delta": {"content": "Y"}}]}),
        stream(),
    ],
    ids=["dropped", "cut", "without a reason", "empty"],
)
def test_an_answer_that_is_not_whole_is_lost(act: Act) -> None:
    with pytest.raises(Lost) as caught:
        replies(act)
    assert not caught.value.stale


def test_a_kept_connection_that_has_ended_is_stale_and_the_next_is_another() -> None:
    with scripted(echo, drop, echo) as server:
        connection = Connection(address(server.url))
        connection.post("/chat/completions", ASKED)
        with pytest.raises(Lost) as caught:
            connection.post("/chat/completions", ASKED)
        assert caught.value.stale
        assert connection.post("/chat/completions", ASKED).reason == "stop"
        connection.close()


def test_nobody_there_is_lost() -> None:
    with scripted(echo) as server:
        pass
    with pytest.raises(Lost, match="Connection refused") as caught:
        Connection(address(server.url)).get("/models")
    assert not caught.value.stale


def test_another_thread_ends_what_is_waited_for() -> None:
    waiting = threading.Event()

    def silent(handler: BaseHTTPRequestHandler, asked: Any) -> None:
        waiting.set()
        time.sleep(60)

    with scripted(silent) as server:
        connection = Connection(address(server.url))
        ended: list[Exception] = []

        def ask() -> None:
            try:
                connection.post("/chat/completions", ASKED)
            except Lost as lost:
                ended.append(lost)

        thread = threading.Thread(target=ask)
        thread.start()
        assert waiting.wait(10)
        connection.interrupt()
        thread.join(10)
        assert len(ended) == 1
        with pytest.raises(Lost, match="interrupted"):
            connection.get("/models")
        connection.close()


def test_a_server_says_how_long_to_wait_in_seconds_or_until_when() -> None:
    now_s = 1_800_000_000.0
    assert Reply(status=503, retry_after="12").retry_after_s(now_s) == 12
    assert Reply(status=503, retry_after=formatdate(now_s + 30, usegmt=True)).retry_after_s(now_s) == 30
    assert Reply(status=503, retry_after=formatdate(now_s - 30, usegmt=True)).retry_after_s(now_s) == 0
    assert Reply(status=503, retry_after="soon").retry_after_s(now_s) is None
    assert Reply(status=503).retry_after_s(now_s) is None
