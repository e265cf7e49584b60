"""Who asks: a token that is right, else an address that nobody can make up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.serve.caller import HOLDER, Caller, Callers, by_token
from edgekit.serve.refusal import Refusal
from edgekit.serve.tokens import Token, Tokens, add, remove

NOBODY = Tokens.load(Path("/proc/nonexistent"))
FORWARDED = b"x-forwarded-for"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def bearer(secret: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {secret}".encode("latin-1"))]


@pytest.mark.parametrize(
    ("address", "forwarded", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", [b"198.51.100.1"], "192.0.2.7"),  # no proxy: what it says of others is nothing
        ("10.0.0.2", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", [b"203.0.113.9, 198.51.100.1"], "198.51.100.1"),  # the left was there before the proxy
        ("10.0.0.2", [b"203.0.113.9", b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", [b"203.0.113.9, 198.51.100.1, 10.1.0.7"], "198.51.100.1"),  # one proxy behind another
        ("10.0.0.2", [b"203.0.113.9,10.0.0.2,198.51.100.1"], "198.51.100.1"),  # its own address, written by others
        ("10.0.0.2", [b"10.0.0.2"], "10.0.0.2"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("::ffff:10.0.0.2", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", [b"::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.2", [b" [2001:DB8::0:1] "], "2001:db8::1"),
        ("10.0.0.2", [b"198.51.100.1:4711"], "198.51.100.1"),  # some proxies write the port, too
        ("10.0.0.2", [b"[2001:db8::1]:4711"], "2001:db8::1"),
        ("fe80::1%eth0", [b"198.51.100.1"], "fe80::1"),
        ("", [], ""),  # a local socket
    ],
)
def test_an_address_is_the_connections_or_what_a_named_proxy_says(
    address: str, forwarded: list[bytes], expected: str
) -> None:
    callers = Callers(NOBODY, ["10.0.0.2", "10.1.0.0/16"])
    headers = [(FORWARDED, value) for value in forwarded]
    assert callers.address(headers, address) == expected
    caller = callers.of(headers, address)
    assert caller.name == caller.id == f"address {expected}"


@given(st.lists(st.text(st.characters(max_codepoint=255)).map(lambda text: text.encode("latin-1"))))
def test_what_a_caller_writes_himself_changes_nothing(written: list[bytes]) -> None:
    callers = Callers(NOBODY, ["10.0.0.2"])
    headers = [(FORWARDED, value) for value in written]
    assert callers.of(headers, "192.0.2.7").name == "address 192.0.2.7"
    assert callers.of([*headers, (FORWARDED, b"198.51.100.1")], "10.0.0.2").name == "address 198.51.100.1"
    assert len(callers.of(headers, "10.0.0.2").name) <= len("address ") + 64


def test_a_token_names_its_caller_wherever_he_comes_from(file: Path) -> None:
    ward, night = add(file, "ward-7"), add(file, "night", batch=True)
    tokens = Tokens.load(file)
    callers = Callers(tokens, [])
    for address in ("127.0.0.1", "192.0.2.7"):
        assert [callers.of(bearer(secret), address) for secret in (ward, night)] == [*map(by_token, tokens.tokens)]
    assert [(caller.name, caller.batch) for caller in map(by_token, tokens.tokens)] == [
        ("token ward-7", False),
        ("token night", True),
    ]
    assert callers.of([(b"authorization", b"bearer   " + ward.encode() + b" ")], "").name == "token ward-7"


@pytest.mark.parametrize("anybody", [False, True])
def test_a_wrong_token_is_refused_on_loopback_and_where_none_is_needed(file: Path, anybody: bool) -> None:
    secret = add(file, "ward-7")
    callers = Callers(Tokens.load(file), [])
    wrong = [f"Bearer {secret}x", "Bearer ", "Bearer", "", f"Basic {secret}", secret, "Bearer \xff"]
    for value in wrong:
        with pytest.raises(Refusal) as caught:
            callers.of([(b"authorization", value.encode("latin-1"))], "127.0.0.1", anybody=anybody)
        refusal = caught.value
        assert (refusal.status, refusal.code) == (401, "token_wrong")
        assert refusal.headers["www-authenticate"].startswith("Bearer")
        assert secret not in str(refusal.document())


def test_without_a_token_only_what_is_anybodys_may_be_asked(file: Path) -> None:
    add(file, "ward-7")
    callers = Callers(Tokens.load(file), [])
    assert callers.of([], "127.0.0.1", anybody=True) == Caller("address 127.0.0.1")
    with pytest.raises(Refusal) as caught:
        callers.of([], "127.0.0.1")
    assert (caught.value.status, caught.value.code) == (401, "token_missing")
    assert "www-authenticate" in caught.value.headers


def test_while_there_are_no_tokens_a_clients_key_is_not_looked_at() -> None:
    assert Callers(NOBODY, []).of(bearer("sk-anything"), "127.0.0.1") == Caller("address 127.0.0.1")


def test_a_token_that_is_taken_away_lets_nobody_in(file: Path) -> None:
    secret = add(file, "ward-7")
    add(file, "other")
    callers = Callers(Tokens.load(file), [])
    assert callers.of(bearer(secret), "").name == "token ward-7"
    remove(file, "ward-7")
    with pytest.raises(Refusal, match="not one of"):
        callers.of(bearer(secret), "")


def test_a_token_and_an_address_are_never_the_same_caller(file: Path) -> None:
    secret = add(file, "127.0.0.1")
    callers = Callers(Tokens.load(file), [])
    assert callers.of(bearer(secret), "127.0.0.1") != callers.of([], "127.0.0.1", anybody=True)


def test_those_of_one_network_of_ipv6_are_counted_as_one_and_are_not_one() -> None:
    callers = Callers(NOBODY, [])
    first, second, other = (callers.of([], f"2001:db8::{host}") for host in ("7", "8", "1:0:0:0:7"))
    assert first.share == second.share == "network 2001:db8::/64" != other.share
    assert first.id != second.id
    for address in ("10.0.0.2", "::1", "::ffff:10.0.0.2"):
        caller = callers.of([], address)
        assert caller.share == caller.id


def test_who_has_a_token_is_counted_alone(file: Path) -> None:
    callers = Callers(Tokens.load(file), [])
    first, second = (callers.of(bearer(add(file, name)), "2001:db8::7") for name in ("a", "b"))
    assert (first.share, second.share) == (first.id, second.id)
    assert first.id != second.id


def test_two_who_have_one_name_after_the_other_are_two_callers() -> None:
    first, second = (by_token(Token("ward", digit * 64, False, "")) for digit in "ab")
    assert first.name == second.name == "token ward"
    assert first.id == f"token ward {'a' * HOLDER}" != second.id
    assert first == by_token(Token("ward", "a" * 64, False, "2026-11-30"))
    assert 4 * HOLDER >= 64, "the chance that two have the same is none"
    assert Caller("address 10.0.0.2").id == "address 10.0.0.2"
