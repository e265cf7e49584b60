"""Who asks: whoever has a token, else the address that a request comes from.

An address is that of the connection. A named proxy is believed about whom it asks for (``X-Forwarded-For``, from the
right: what stands further left anybody may have written), and nobody else is. Those of one network of IPv6 are counted
as one, and nothing that is remembered of one serves another.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.serve.address import counted_as, plain
from edgekit.serve.refusal import Refusal
from edgekit.serve.tokens import Token, Tokens

Headers = Sequence[tuple[bytes, bytes]]


HOLDER = 16
"""So many hexadecimal digits of a token's hash tell its holder from the next of its name."""


@dataclass(frozen=True)
class Caller:
    """Who asks.

    * ``name``: for people
    * ``batch``: whether all that it asks may wait behind others
    * ``holder``: tells those apart who have the name one after the other
    * ``network``: those with whom it is counted as one, where it is not counted alone
    """

    name: str
    batch: bool = False
    holder: str = ""
    network: str = ""

    @property
    def id(self) -> str:
        """Whom the service takes it for: nothing that one id sent or got is of use to another, whatever its name."""
        return f"{self.name} {self.holder}" if self.holder else self.name

    @property
    def share(self) -> str:
        """As whom it is counted, in the share of slots and in every limit of one caller's."""
        return self.network or self.id


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
        address = self.address(headers, address)
        network = counted_as(address)
        return Caller(f"address {address}", network="" if network == address else f"network {network}")

    @property
    def required(self) -> bool:
        """Whether the site has tokens, or had them since the service began."""
        return self._tokens.current().required

    def address(self, headers: Headers, address: str) -> str:
        """Return where a request comes from in the end."""
        hops = [hop.strip() for name, value in headers if name == b"x-forwarded-for" for hop in _text(value).split(",")]
        while hops and self.is_proxy(address):
            address = hops.pop()
        return plain(address)

    def is_proxy(self, address: str) -> bool:
        """Say whether the site names this address as a proxy of its own."""
        try:
            parsed = ipaddress.ip_address(plain(address))
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


def _text(value: bytes) -> str:
    return value.decode("latin-1")
