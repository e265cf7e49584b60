"""Addresses as people write them, tokens that stand on no command line, and authorities."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from edgekit.batch.address import address, read_token, watch
from edgekit.errors import InputError


@pytest.mark.parametrize(
    ("url", "host", "port", "base"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1", 8080, "/v1"),
        ("http://ward7.local/", "ward7.local", None, "/v1"),
        ("http://[::1]:80/edgekit/", "::1", 80, "/edgekit/v1"),
        ("http://ward7.local/v1/", "ward7.local", None, "/v1"),
        ("http://ward7.local/a/v1", "ward7.local", None, "/a/v1"),
    ],
)
def test_an_address_leads_to_the_api(url: str, host: str, port: int | None, base: str) -> None:
    parsed = address(url)
    assert (parsed.host, parsed.port, parsed.base, parsed.tls) == (host, port, base, None)
    connection = parsed.connection()
    assert isinstance(connection, HTTPConnection)
    assert not isinstance(connection, HTTPSConnection)


def test_https_is_checked_against_the_system_s_authorities() -> None:
    parsed = address("https://ward7.local")
    assert parsed.tls is not None
    assert parsed.tls.check_hostname
    assert parsed.tls.verify_mode == ssl.CERT_REQUIRED
    assert isinstance(parsed.connection(), HTTPSConnection)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8080", "is no server's address"),
        ("ftp://ward7.local", "is no server's address"),
        ("http://", "is no server's address"),
        ("http://ward7.local:99999", "is no server's address"),
        ("http://[::1", "is no server's address"),
        ("http://ward7.local/a b", "is no server's address"),
        ("http://ward7.local/\r\nx: y", "is no server's address"),
        ("http://me:secret@ward7.local", "holds a password"),
        ("http://ward7.local/?key=secret", "more than a server's address"),
    ],
)
def test_what_is_no_address_is_refused(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        address(url)
    assert "secret" not in caught.value.message or "?" in url


def test_an_authority_is_for_https_and_holds_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(InputError, match="no certificate is in it"):
        address("https://ward7.local", ca=tmp_path / "ca.crt")
    with pytest.raises(InputError, match="can't be read: No such file"):
        address("https://ward7.local", ca=tmp_path / "none.crt")
    with pytest.raises(InputError, match="is not https"):
        address("http://ward7.local", ca=tmp_path / "ca.crt")


def test_a_token_is_a_file_s_or_the_environment_s(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ek-file\n")
    assert read_token(tmp_path / "token", {"EDGEKIT_TOKEN": "ek-environment"}) == "ek-file"
    assert read_token(None, {"EDGEKIT_TOKEN": "ek-environment"}) == "ek-environment"
    assert read_token(None, {}) is None
    assert read_token(None, {"EDGEKIT_TOKEN": ""}) is None


@pytest.mark.parametrize("text", [b"", b"two words", b"ek-1\r\nx: y", "ek-ä".encode(), b"\xff"])
def test_what_is_no_token_is_refused_and_not_shown(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(text)
    with pytest.raises(InputError, match=r"holds no token|can't be read") as caught:
        read_token(tmp_path / "token", {})
    assert "ek-" not in str(caught.value)


def test_a_token_s_file_has_to_be_there_and_the_token_is_shown_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be read: No such file"):
        read_token(tmp_path / "none", {})
    asked = address("http://ward7.local", token="ek-secret")
    assert asked.headers == {"Authorization": "Bearer ek-secret"}
    assert "ek-secret" not in repr(asked)
    assert address("http://ward7.local").headers == {}


def test_a_connection_is_watched() -> None:
    with socket.socket() as sock:
        watch(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.gettimeout() == 600
