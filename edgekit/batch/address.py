"""Where a service is asked, and as whom: by HTTP or HTTPS, with a token that stands on no command line."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from edgekit.errors import InputError

TOKEN = "EDGEKIT_TOKEN"
CONNECT_S = 20.0
SILENCE_S = 600.0
"""How long a server may say nothing: those that send no sign of life while they read a long prompt need minutes."""
_LOST_S = (20, 10, 3)  # silence of the network after which a peer is asked, how often, and how many times


@dataclass(frozen=True, kw_only=True)
class Address:
    """A server: ``url`` as people write it, and what a connection to it needs; ``tls`` is None without TLS."""

    url: str
    host: str
    port: int | None
    base: str
    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What every request says of who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection, which is opened by its first request."""
        if self.tls is not None:
            return http.client.HTTPSConnection(self.host, self.port, timeout=CONNECT_S, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_S)


def address(url: str, token: str | None = None, ca: Path | None = None) -> Address:
    """Read the URL of a server, with or without the ``/v1`` at its end; ``ca`` signs for it in the place of the
    system's authorities.

    :class:`InputError` for what is no such URL, and for a ``ca`` that holds no certificate.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{url!r} is no server's address", "Give it as http://10.0.0.2:8080 or https://ward7.local.")
    if parts.username or parts.password:
        raise InputError("The address holds a password", f"Give a token by --token-file or {TOKEN}.")
    if parts.query or parts.fragment:
        raise InputError(f"{url} has more than a server's address", "Leave out what stands behind '?' or '#'.")
    path = parts.path.rstrip("/")
    base = path if path.endswith("/v1") else f"{path}/v1"
    if ca is not None and parts.scheme != "https":
        raise InputError(f"A certificate authority was given, and {url} is not https", "Ask by https://.")
    tls = _context(ca) if parts.scheme == "https" else None
    return Address(url=url, host=host, port=port, base=base, token=token, tls=tls)


def read_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token that a file holds, else the environment's; None where there is neither."""
    if file is None:
        token, source = environment.get(TOKEN, "").strip(), TOKEN
        if not token:
            return None
    else:
        try:
            token, source = file.read_text(encoding="utf-8").strip(), str(file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise InputError(f"The token in {file} can't be read: {reason}", "Check the file.") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{source} holds no token", "It is one word, as 'edgekit token add' shows it.")
    return token


def watch(sock: socket.socket) -> None:
    """Have a peer that is gone without a word be noticed in a minute, and one that is silent be given its time."""
    sock.settimeout(SILENCE_S)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
    for name, value in zip(names, _LOST_S, strict=True):
        sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:  # ssl's own errors are OSErrors
        reason = error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no certificate is in it"
        hint = "Give a certificate in PEM, as 'edgekit tls show' names one."
        raise InputError(f"The certificate authority {ca} can't be read: {reason}", hint) from None
