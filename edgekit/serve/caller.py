"""Who asks: whoever has a token, else the address that a request comes from.

An address is that of the connection. A named proxy is believed about whom it asks for (``X-Forwarded-For``, from the
right: what stands further left anybody may have written), and nobody else is.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.serve.refusal import Refusal
from edgekit.serve.tokens import Token, Tokens

Headers = Sequence[tuple[bytes, bytes]]


HOLDER = 16
"""So many hexadecimal digits of a token's hash tell its holder from the next of its name."""


@dataclass(frozen=True)
class Caller:
    """Who asks: ``name`` is for people, ``batch`` says whether all that it asks may wait behind others, and ``holder``
    tells those apart who have the name one after the other."""

    name: str
    batch: bool = False
    holder: str = ""

    @property
    def id(self) -> str:
        """Whom the service takes it for: nothing that one id sent or got is of use to another, whatever its name."""
        return f"{self.name} {self.holder}" if self.holder else self.name


def by_token(token: Token) -> Caller:
    """Return the caller that has a token."""
    return Caller(f"token {token.name}", token.batch, token.sha256[:HOLDER])


class Callers:
    """Tells callers apart, by the site's tokens and its proxies."""

    def __init__(self, tokens: Tokens, proxies: Sequence[str]) -> None:
        self._tokens = tokens
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    def of(self, headers: Headers, address: str, *, anybody: bool = False) -> Caller:
        """Return the caller of a request from ``address``; with ``anybody``, one without a token may call, too.

        :class:`Refusal` of status 401 where there is no token and one is needed, and wherever one is wrong. While the
        site has no tokens, what a client sends as its key is not looked at: OpenAI's insist on sending one.
        """
        if self._tokens.current().required:
            secrets = [value for name, value in headers if name == b"authorization"]
            if secrets:
                return self._by_token(secrets[-1])
            if not anybody:
                raise _unauthorized("This service needs a token: send 'Authorization: Bearer TOKEN'.", "token_missing")
        return Caller(f"address {self.address(headers, address)}")

    def address(self, headers: Headers, address: str) -> str:
        """Return where a request comes from in the end."""
        hops = [hop.strip() for name, value in headers if name == b"x-forwarded-for" for hop in _text(value).split(",")]
        while hops and self.is_proxy(address):
            address = hops.pop()
        return _plain(address)

    def is_proxy(self, address: str) -> bool:
        """Say whether the site names this address as a proxy of its own."""
        try:
            parsed = ipaddress.ip_address(_plain(address))
        except ValueError:
            return False
        return any(parsed in network for network in self._proxies)

    def _by_token(self, value: bytes) -> Caller:
        scheme, _, secret = _text(value).partition(" ")
        token = self._tokens.match(secret.strip()) if scheme.lower() == "bearer" else None
        if token is not None:
            return by_token(token)
        raise _unauthorized("This token is not one of this service's.", "token_wrong")


def _unauthorized(message: str, code: str) -> Refusal:
    return Refusal(401, message, code, headers={"www-authenticate": 'Bearer realm="edgekit"'})


def _plain(address: str) -> str:
    """An address as it is written without a scope, and without the port that some proxies add; IPv4 in IPv6 is IPv4."""
    host, colon, port = address.rpartition(":")
    with_port = bool(colon) and port.isdigit() and (host.endswith("]") or ":" not in host)
    try:
        parsed = ipaddress.ip_address((host if with_port else address).strip("[]").partition("%")[0])
    except ValueError:
        return address[:64]
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def _text(value: bytes) -> str:
    return value.decode("latin-1")
