"""A list asked of a server by several threads, from finding its model to the end of the run."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from edgekit.batch.address import address
from edgekit.batch.remote import Remote
from edgekit.batch.rows import Row
from edgekit.errors import EdgeKitError, InputError
from edgekit.runtime import SamplingParams
from edgekit.serve.tls.authority import public_file
from edgekit.serve.tls.certificates import server_context
from edgekit.serve.tls.clock import now
from edgekit.serve.tls.leaf import leaf_file
from edgekit.serve.tls.make import make
from edgekit.serve.tls.names import parse_names
from tests.unit.batch.scripted import drop, echo, refuse, scripted, send

PARAMS = SamplingParams()
ROWS = [Row(number, f"Q{number}", (), Path(".")) for number in range(12)]


def test_every_row_is_asked_once_by_as_many_as_keep_the_slots_busy() -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def count(handler: BaseHTTPRequestHandler, asked: Any) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1
        echo(handler, asked)

    with scripted(count) as server:
        remote = Remote(address(server.url))
        assert (remote.model, remote.fingerprint) == ("m", "f")
        answers = dict(remote.answers(ROWS, PARAMS))
    assert {row.id: answer.text for row, answer in answers.items()} == {row.id: row.question for row in ROWS}
    assert len(server.asked) == len(ROWS)
    assert most == 4  # two for each of its slots


def test_what_ends_the_run_is_raised_where_answers_are_waited_for() -> None:
    with scripted(echo, refuse(401)) as server:
        answers = Remote(address(server.url)).answers(ROWS, PARAMS)
        with pytest.raises(EdgeKitError, match="does not let us in"):
            list(answers)
        assert len(server.asked) <= 8


def test_closing_ends_what_runs() -> None:
    def slow(handler: BaseHTTPRequestHandler, asked: Any) -> None:
        if asked["messages"][0]["content"] != "Q0":
            time.sleep(60)
        echo(handler, asked)

    with scripted(slow) as server:
        answers = Remote(address(server.url)).answers(ROWS, PARAMS)
        next(answers)
        started = time.monotonic()
        answers.close()
        assert time.monotonic() - started < 30
        assert not [thread for thread in threading.enumerate() if "_ask" in thread.name]


def test_a_server_without_a_list_of_models_is_asked_for_the_named_one() -> None:
    with scripted(echo, models=refuse(404)) as server:
        remote = Remote(address(server.url), "other")
        assert (remote.model, remote.fingerprint) == ("other", None)
        with pytest.raises(InputError, match="does not answer"):
            Remote(address(server.url))


def test_what_is_no_such_server_is_told_at_once() -> None:
    for models, message in (
        (refuse(401), "does not let us in"),
        (send(200, "<html>"), "does not answer: The server's answer is none of OpenAI's API"),
        (send(200, {"models": []}), "does not list its models"),
        (send(301, ""), "does not answer: The server answers 301"),
        (drop, "can't be reached: "),
    ):
        with scripted(echo, models=models) as server, pytest.raises(InputError, match=message):
            Remote(address(server.url))
    with pytest.raises(InputError, match="can't be reached: Connection refused"):
        Remote(address(server.url))


def test_a_certificate_counts_by_the_authority_that_is_given(tmp_path: Path) -> None:
    device = parse_names([], ["127.0.0.1"])
    make(tmp_path, device, now(), device=device)
    with scripted(echo, tls=server_context(leaf_file(tmp_path))) as server:
        remote = Remote(address(server.url, ca=public_file(tmp_path)))
        assert [answer.text for _, answer in remote.answers(ROWS[:1], PARAMS)] == ["Q0"]
        with pytest.raises(InputError, match="a certificate that is not trusted: ") as caught:
            Remote(address(server.url))
        assert "--ca" in caught.value.hint
        named = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(InputError, match=r"not trusted: .*localhost"):
            Remote(address(named, ca=public_file(tmp_path)))
