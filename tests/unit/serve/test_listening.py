"""Where the service may listen, and how its address reads."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from edgekit.errors import ConfigError, InputError
from edgekit.serve import listening as module
from edgekit.serve.listening import is_loopback, listen, require_guarded, url_of, urls_for_others
from edgekit.serve.tls.names import parse_names

LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"]
BEYOND = ["0.0.0.0", "::", "192.0.2.7", "ward-7.hospital.example", "", "localhost.attacker.example", "128.0.0.1"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_loopback_nothing_is_needed(host: str) -> None:
    assert is_loopback(host)
    require_guarded(host, sign_in=False, tls=False, insecure=False)


@pytest.mark.parametrize("host", BEYOND)
@pytest.mark.parametrize(
    ("tokens", "tls", "missing"),
    [
        (False, False, ["edgekit token add", "edgekit tls make"]),
        (True, False, ["edgekit tls make"]),
        (False, True, ["edgekit token add"]),
    ],
)
def test_beyond_it_both_are_needed_and_what_is_missing_is_named(
    host: str, tokens: bool, tls: bool, missing: list[str]
) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigError) as caught:
        require_guarded(host, sign_in=tokens, tls=tls, insecure=False)
    message = str(caught.value)
    assert [word for word in ("edgekit token add", "edgekit tls make") if word in message] == missing
    assert "--insecure" in caught.value.hint
    require_guarded(host, sign_in=tokens, tls=tls, insecure=True)
    require_guarded(host, sign_in=True, tls=True, insecure=False)


def test_a_free_port_is_taken_and_answers() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert port > 0
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        with pytest.raises(InputError, match=f"127.0.0.1:{port} can't be listened on") as caught:
            listen("127.0.0.1", port)
        assert "--port" in caught.value.hint
    listen("127.0.0.1", port).close()  # at once, though connections of before may still be ending


@pytest.mark.parametrize("host", ["x" * 300, "ward-7..local", "192.0.2.7"])
def test_what_is_no_address_of_this_machine_is_said_so(host: str) -> None:
    with pytest.raises(InputError) as caught:
        listen(host, 0)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "stop what has it"),
        (errno.EACCES, "below 1024"),
        (errno.EADDRNOTAVAIL, "ip addr"),
        (errno.ENOBUFS, "--port"),
    ],
)
def test_what_is_to_be_done_depends_on_the_reason(number: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(taken: socket.socket, address: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "bind", refused)
    with pytest.raises(InputError) as caught:
        listen("127.0.0.1", 80)
    assert os.strerror(number) in caught.value.message
    assert words in caught.value.hint


def test_a_name_that_nobody_knows_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match="ward-7 is no address of this machine"):
        listen("ward-7", 0)


@pytest.mark.parametrize(
    ("host", "tls", "expected"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:{}/"),
        ("127.0.0.1", True, "https://127.0.0.1:{}/"),
        ("localhost", False, "http://localhost:{}/"),
        ("0.0.0.0", False, "http://127.0.0.1:{}/"),
        ("::", True, "https://127.0.0.1:{}/"),
        ("::1", False, "http://[::1]:{}/"),
        ("[::1]", False, "http://[::1]:{}/"),
        ("ward-7", True, "https://ward-7:{}/"),
    ],
)
def test_the_address_is_one_that_opens(host: str, tls: bool, expected: str) -> None:
    with listen("127.0.0.1", 0) as taken:
        assert url_of(taken, host, tls=tls) == expected.format(taken.getsockname()[1])


NAMES = ("ward7", "ward7.local", "*.wards.example", "localhost", "127.0.0.1", "::1", "10.0.4.7", "fd00::7")


def test_others_open_it_by_the_certificates_names_and_addresses() -> None:
    with listen("0.0.0.0", 0) as taken:
        port = taken.getsockname()[1]
        expected = (f"https://ward7.local:{port}/", f"https://10.0.4.7:{port}/")
        assert urls_for_others(taken, NAMES, tls=True) == expected, "it is not listened on by IPv6"
    with listen("127.0.0.1", 0) as taken:
        assert urls_for_others(taken, NAMES, tls=True) == ()


def test_without_a_certificate_they_open_it_by_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "device_names", lambda: parse_names(["ward7", "ward7.local"], ["127.0.0.1", "10.0.4.7"])
    )
    with listen("0.0.0.0", 0) as taken:
        port = taken.getsockname()[1]
        assert urls_for_others(taken, (), tls=False) == (f"http://ward7.local:{port}/", f"http://10.0.4.7:{port}/")


def test_ipv6_is_listened_on_where_there_is_any() -> None:
    try:
        taken = listen("[::1]", 0)
    except InputError:
        pytest.skip("this machine has no IPv6")
    with taken:
        assert taken.family == socket.AF_INET6
