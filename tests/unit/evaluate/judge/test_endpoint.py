"""The judge's end, against an endpoint that does what endpoints do: what is a reply, what is asked again, what ends."""

from __future__ import annotations

import sys
import time
from contextlib import closing

import pytest

from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.evaluate.judge.endpoint import KEY, Endpoint, NoReply, Reply, endpoint_url, key_here
from edgekit.evaluate.judge.prompt import Request
from tests.fake_judge import Cut, Late, Said, Status, Step, fake_judge, in_turn

REQUEST = Request(1, "reference-first", "You judge.", "What of these?")
WELL = Said("8 7\nBecause.")
REPLY = Reply(reply="8 7\nBecause.", finish="stop", prompt_tokens=100, completion_tokens=7)


def ask(url: str, key: str = "", timeout_s: float = 20.0, retries: int = 8) -> Reply:
    with closing(Endpoint(url, "m", key=key, timeout_s=timeout_s, retries=retries)) as endpoint:
        return endpoint.ask(REQUEST)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


def test_it_is_asked_greedily_for_its_model_and_nothing_else_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "another-s")
    with fake_judge(in_turn(then=WELL)) as judge:
        assert ask(judge.url, key="secret") == REPLY
        assert ask(judge.url) == REPLY
    assert judge.paths == ["/v1/chat/completions"] * 2
    assert judge.bodies[0] == judge.bodies[1]
    assert judge.bodies[0] == {
        "model": "m",
        "messages": [{"role": "system", "content": "You judge."}, {"role": "user", "content": "What of these?"}],
        "temperature": 0,
        "max_tokens": 1024,
    }
    assert [headers.get("authorization") for headers in judge.headers] == ["Bearer secret", None]
    assert "another-s" not in str(judge.headers)


def patience(step: Step) -> float:
    """Short for a reply that is late, and long for others: this machine may be slow."""
    return 0.7 if isinstance(step, Late) else 20.0


@pytest.mark.parametrize(
    "step",
    [Status(429), Status(500), Status(503), Status(408), Cut(), Late(2), Status(502, b"<html>", "text/html")],
    ids=["429", "500", "503", "408", "cut", "late", "proxy"],
)
def test_what_passes_is_asked_again(step: Step) -> None:
    with fake_judge(in_turn(step, step, then=WELL)) as judge:
        assert ask(judge.url, timeout_s=patience(step)) == REPLY
    assert len(judge.bodies) == 3


def test_it_waits_as_long_as_it_is_told() -> None:
    with fake_judge(in_turn(Status(429, headers=(("Retry-After", "1"),)), then=WELL)) as judge:
        before = time.monotonic()
        assert ask(judge.url) == REPLY
    assert time.monotonic() - before >= 1


@pytest.mark.parametrize(
    ("step", "told", "times"),
    [
        (Status(429), "refuses with 429", 3),
        (Status(500), "500", 3),
        (Cut(), "can't be reached", 3),
        (Late(2), "too long", 3),
        (Status(400), "refuses with 400: ", 1),
        (Status(200, b"<html>Sign in</html>", "text/html"), "no chat completion: '<html>", 1),
        (Status(200, b"{", "application/json"), "no reply", 1),
        (Status(200, b"[]"), "no chat completion", 1),
        (Status(200, b'{"choices": []}'), "no chat completion", 1),
        (Status(200, b'{"choices": [3]}'), "no chat completion", 1),
        (Status(200, b'{"choices": "8 7"}'), "no chat completion", 1),
        (Status(200, b"null"), "no chat completion", 1),
    ],
)
def test_what_is_no_reply_costs_its_request_alone(step: Step, told: str, times: int) -> None:
    with fake_judge(in_turn(then=step)) as judge:
        with pytest.raises(NoReply) as raised:
            ask(judge.url, timeout_s=patience(step), retries=2)
        assert told in str(raised.value)
    assert len(judge.bodies) == times


@pytest.mark.parametrize("code", [401, 403, 404])
def test_who_is_not_let_in_ends_the_run_and_the_key_is_not_shown(code: int) -> None:
    body = b'{"error": {"message": "no such key: secret", "code": null}}'
    with fake_judge(in_turn(then=Status(code, body))) as judge, pytest.raises(EdgeKitError) as raised:
        ask(judge.url, key="secret")
    assert not isinstance(raised.value, NoReply)
    assert f"refuses with {code}" in str(raised.value)
    assert "no such key: …" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert len(judge.bodies) == 1


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(code: int) -> None:
    with fake_judge(in_turn(then=WELL)) as elsewhere:
        away = Status(code, b"", headers=(("Location", f"{elsewhere.url}/chat/completions"),))
        with fake_judge(in_turn(then=away)) as judge, pytest.raises(EdgeKitError, match="not followed"):
            ask(judge.url)
    assert (len(judge.bodies), elsewhere.bodies) == (1, [])


def test_a_filter_s_word_is_a_reply() -> None:
    body = b'{"error": {"message": "filtered", "code": "content_filter"}}'
    with fake_judge(in_turn(then=Status(400, body))) as judge:
        reply = ask(judge.url)
    assert (reply.reply, reply.finish, reply.prompt_tokens) == (None, "content_filter", None)
    assert "filtered" in (reply.refusal or "")


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (Said("8 7", usage=None), Reply(reply="8 7", finish="stop")),
        (Said(None, refusal="No."), Reply(reply=None, refusal="No.", finish="stop", prompt_tokens=100,
                                          completion_tokens=7)),
    ],
)  # fmt: skip
def test_what_it_does_not_tell_is_none(said: Said, reply: Reply) -> None:
    with fake_judge(in_turn(then=said)) as judge:
        assert ask(judge.url) == reply


def test_values_of_other_types_are_none() -> None:
    body = b'{"choices": [{"message": {"content": 3}, "finish_reason": []}], "usage": {"prompt_tokens": "many"}}'
    with fake_judge(in_turn(then=Status(200, body))) as judge:
        assert ask(judge.url) == Reply(reply=None)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.example.org", "https://api.example.org/v1"),
        ("https://api.example.org/", "https://api.example.org/v1"),
        ("https://api.example.org/v1/", "https://api.example.org/v1"),
        ("http://127.0.0.1:8080/other/path", "http://127.0.0.1:8080/other/path"),
    ],
)
def test_where_an_endpoint_begins(url: str, base: str) -> None:
    assert endpoint_url(url) == base
    assert endpoint_url(base) == base


@pytest.mark.parametrize(
    "url", ["", "api.example.org", "ftp://a", "http://", "http://a b", "http://u:p@a", "http://a/?q", "http://a:x"]
)
def test_what_is_no_endpoint_s_address(url: str) -> None:
    with pytest.raises(InputError):
        endpoint_url(url)


def test_its_key_is_the_environment_s() -> None:
    assert key_here({KEY: " sk-1\n"}) == "sk-1"
    assert key_here({}) == ""
    for wrong in ("two words", "schlüssel", "a\tb"):
        with pytest.raises(InputError, match=KEY):
            key_here({KEY: wrong})


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra, match=r"edgekit\[judge\]"):
        Endpoint("http://127.0.0.1:1", "m")


def test_nobody_there_is_no_reply() -> None:
    with pytest.raises(NoReply, match="can't be reached"):
        ask("http://127.0.0.1:1", retries=1)


def test_a_page_that_repeats_the_key_does_not_show_it() -> None:
    page = Status(200, b"<html>You sent secret</html>", "text/html")
    with fake_judge(in_turn(then=page)) as judge, pytest.raises(NoReply) as raised:
        ask(judge.url, key="secret")
    assert "You sent …" in str(raised.value)


def test_a_proxy_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "odd://proxy:3128")
    with pytest.raises(InputError, match="can't be asked") as raised:
        ask("https://judge.example.org/v1")
    assert "HTTPS_PROXY" in raised.value.hint
