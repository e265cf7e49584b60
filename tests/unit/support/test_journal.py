"""The journal's lines: whose are handed on, and that nobody's name is."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from edgekit.machine.programs import MISSING, Reply
from edgekit.serve.caller import Caller
from edgekit.serve.gate import Envelope
from edgekit.serve.refusal import Refusal
from edgekit.support import Subject
from edgekit.support.journal import ERRORS, LINES, errors, log, told, unit
from tests.unit.machine.recordings import VM

Ask = Callable[..., Subject]
ID = "0123456789abcdef" * 2
AT = "2026-10-01 12:00:00,123"


def entry(message: object, **fields: str) -> str:
    return json.dumps({"MESSAGE": message, "__REALTIME_TIMESTAMP": "1790856000123456", "_PID": "812"} | fields)


def lines_of(*messages: object) -> list[str]:
    return [line.partition("Z ")[2] for line in told(Reply(0, "\n".join(map(entry, messages)))).lines]


def test_edgekit_s_and_systemd_s_lines_are_handed_on_and_no_others() -> None:
    out = "\n".join(
        [
            entry(f"{AT} INFO Every file is what it was when it was written: 9, in 0.2 s"),
            entry("Traceback (most recent call last):"),
            entry("ValueError: Mrs. Nobody, effusion"),
            entry(list(b"\xff not UTF-8")),
            entry("edgekit.service: Main process exited, code=killed, status=9/KILL", _PID="1"),
            entry("Is there an effusion?", SYSLOG_IDENTIFIER="systemd"),
            '{"MESSAGE": "cut of',
            "[]",
        ]
    )
    read = told(Reply(0, out))
    assert read.lines == [
        "2026-10-01T12:00:00Z INFO Every file is what it was when it was written: 9, in 0.2 s",
        "2026-10-01T12:00:00Z systemd: edgekit.service: Main process exited, code=killed, status=9/KILL",
    ]
    assert (read.left_out, read.why) == (4, "")
    assert read.errors == read.lines[1:]


def request(caller: str, status: int = 200, reason: str = "") -> str:
    return f"{AT} INFO {ID} POST /v1/chat/completions {status} 1.234 s, {caller}{reason}"


def test_callers_get_numbers_the_same_for_the_same() -> None:
    callers = ["token dr-nobody", "address 10.0.4.7", "token night", "token dr-nobody", "account 3", "address ::1"]
    ends = [line.rpartition(", ")[2] for line in lines_of(*map(request, callers))]
    assert ends == ["token no. 1", "address no. 1", "token no. 2", "token no. 1", "account no. 1", "address ::1"]
    (refused,) = lines_of(request("token dr-nobody", 429, ": too_many_requests"))
    assert refused.endswith(" 429 1.234 s, token no. 1: too_many_requests")


def test_a_request_s_line_in_a_form_that_is_not_known_is_left_out() -> None:
    assert not lines_of(request("Dr. Nobody"), f"{AT} INFO {ID} POST /v1/x 200 slow, token dr-nobody")
    assert lines_of(f"{AT} INFO {ID} refused before it was complete: body_late")


def test_errors_are_warnings_and_worse_failed_requests_and_what_systemd_says_of_failures() -> None:
    out = "\n".join(
        [
            entry(f"{AT} WARNING systemd can't be told: Connection refused"),
            entry(f"{AT} ERROR {ID} failed: ValueError"),
            entry(request("address ::1", 500, ": internal")),
            entry(request("address ::1", 404, ": not_found")),
            entry("Started edgekit.service - EdgeKit.", _PID="1"),
            entry("edgekit.service: Failed with result 'watchdog'.", _PID="1"),
        ]
    )
    read = told(Reply(0, out))
    assert [line.split()[1] for line in read.errors] == ["WARNING", "ERROR", "INFO", "systemd:"]
    assert len(read.lines) == 6


SERVING = "/usr/bin/python3 -m edgekit serve --port 8080"
DECODING = "/usr/bin/python3 -c import edgekit.serve.decoding"


@pytest.mark.parametrize(("command", "is_told"), [(SERVING, True), (DECODING, False), ("", False)])
def test_the_last_word_of_a_service_that_could_not_start_is_told(command: str, is_told: bool) -> None:
    read = told(Reply(0, entry("Error: /etc/edgekit/serve.toml: there is no limit 'bdy'", _CMDLINE=command)))
    assert read.errors == read.lines
    assert (len(read.lines), read.left_out) == (int(is_told), int(not is_told))


def test_what_is_wrong_with_tokens_is_told_without_their_names() -> None:
    said = "No token is let in: /etc/edgekit/tokens.toml: the sha256 of token 'dr-nobody' is none. Remove it."
    assert lines_of(f"{AT} ERROR {said}") == ["ERROR No token is let in: /etc/edgekit/tokens.toml …"]


def gate_says(caller: Caller, error: Exception | None, caplog: pytest.LogCaptureFixture) -> str:
    """The line that the service itself writes of a request."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["caller"] = caller
        if error:
            raise error
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "state": {}}
    caplog.clear()
    with caplog.at_level(logging.INFO, "edgekit.serve"):
        asyncio.run(Envelope(app, lambda *noted: None)(scope, None, send))  # type: ignore[arg-type]
    return f"{AT} INFO {caplog.records[-1].getMessage()}"


@pytest.mark.parametrize("error", [None, Refusal(404, "There is nothing at this path.", "not_found")])
def test_what_the_service_writes_of_a_request_is_understood(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    (line,) = lines_of(gate_says(Caller("token dr-nobody"), error, caplog))
    assert line.endswith(", token no. 1" + (": not_found" if error else ""))


def test_texts_end_with_the_last_lines(subject: Ask) -> None:
    many = "\n".join(entry(f"{AT} WARNING {number}") for number in range(LINES + 5))
    of = subject(VM.changed(answers={"journalctl --unit edgekit.service": many}))
    head, *lines = log(of).splitlines()
    assert head.startswith(f"{LINES} lines of edgekit.service; 0 that")
    assert [lines[0].split()[-1], lines[-1].split()[-1]] == ["5", str(LINES + 4)]
    head, *lines = errors(of).splitlines()
    assert (len(lines), lines[-1].split()[-1]) == (ERRORS, str(LINES + 4))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(None, why=MISSING), "journalctl is not installed"),
        (Reply(0, "", "Hint: You are not seeing\nmore\n"), "Hint: You are not seeing"),
        (Reply(0, ""), "The journal has none."),
    ],
)
def test_where_there_are_none_it_says_why(reply: Reply, said: str, subject: Ask) -> None:
    of = subject(VM.changed(answers={"journalctl": reply}))
    assert log(of) == errors(of) == f"{said}\n"


def test_of_the_unit_only_what_is_asked_for_is_told(subject: Ask) -> None:
    out = "ActiveState=failed\nResult=oom-kill\nNRestarts=4\nEnvironment=TOKEN=ek-secret\nStatusText=a=b\n"
    of = subject(VM.changed(answers={"systemctl show edgekit.service": out}))
    facts = {"ActiveState": "failed", "Result": "oom-kill", "NRestarts": "4", "StatusText": "a=b"}
    assert unit(of) == facts
    assert unit(subject(VM)) == {"error": "systemctl is not installed"}
