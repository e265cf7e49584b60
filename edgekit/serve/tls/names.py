"""What a device is reached by: names and addresses, those of a machine, and which of them lie within others."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import psutil

from edgekit.errors import InputError

Network: TypeAlias = IPv4Network | IPv6Network
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"({_LABEL}\.)*(?!\d+$){_LABEL}")  # RFC 1123; and what ends in a number would be an address


@dataclass(frozen=True)
class Names:
    """Names are those of DNS, in lower case, and networks of addresses; a single address is a network of its own."""

    dns: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()

    def __or__(self, other: Names) -> Names:
        """Return both, each name once, in their order."""
        return Names(tuple(dict.fromkeys(self.dns + other.dns)), tuple(dict.fromkeys(self.networks + other.networks)))

    def __bool__(self) -> bool:
        return bool(self.dns or self.networks)

    def words(self) -> tuple[str, ...]:
        """Return them as people write them: ward7.local, 10.0.0.5, 10.0.4.0/24."""
        return self.dns + tuple(str(net.network_address if is_single(net) else net) for net in self.networks)

    def single(self) -> Names:
        """Return the names and the single addresses among them: what a certificate can be for."""
        return Names(self.dns, tuple(filter(is_single, self.networks)))

    def within(self, outer: Names) -> Names:
        """Return those that lie within ``outer``, as name constraints mean it (RFC 5280, 4.2.1.10)."""
        return Names(
            tuple(name for name in self.dns if any(f".{name}".endswith(f".{above}") for above in outer.dns)),
            tuple(net for net in self.networks if any(_contains(wide, net) for wide in outer.networks)),
        )

    def without(self, other: Names) -> Names:
        """Return those that are none of ``other``'s."""
        return Names(
            tuple(name for name in self.dns if name not in other.dns),
            tuple(net for net in self.networks if net not in other.networks),
        )


def is_single(network: Network) -> bool:
    """Say whether a network is one address."""
    return network.prefixlen == network.max_prefixlen


def _contains(wide: Network, network: Network) -> bool:
    return wide.version == network.version and network.subnet_of(wide)  # type: ignore[arg-type]


def parse_names(names: Iterable[str], addresses: Iterable[str]) -> Names:
    """Read names of DNS, and addresses or networks; :class:`~edgekit.errors.InputError` where one is none."""
    return Names(tuple(map(_name, names)), tuple(map(_network, addresses)))


def _name(text: str) -> str:
    try:
        name = text.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        name = ""
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise InputError(
            f"{text[:80]!r} is no host's name", "Give one as in ward7.hospital.example, an address by --address."
        )
    return name


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        hint = "Give one as in 10.0.4.7 or fd00::7, or the network in which it may change: 10.0.4.0/24."
        raise InputError(f"{text[:80]!r} is no address", hint) from None


def device_names() -> Names:
    """Return what this machine is reached by: its name, the name by which mDNS knows it, and its addresses.

    Addresses that count on one link alone are left out: browsers can't open them.
    """
    host = socket.gethostname().lower().rstrip(".")
    short = host.partition(".")[0]
    candidates = (host, short, f"{short}.local", "localhost") if short != "localhost" else ("localhost",)
    dns = [name for name in candidates if _NAME.fullmatch(name) and len(name) <= 253]
    loopback = parse_names((), ("127.0.0.1", "::1"))
    return Names(tuple(dict.fromkeys(dns))) | loopback | Names(networks=tuple(_interfaces()))


def _interfaces() -> Iterator[Network]:
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family in (socket.AF_INET, socket.AF_INET6):
                address = ip_address(entry.address.partition("%")[0])
                if not (address.is_loopback or address.is_link_local or address.is_unspecified):
                    yield ip_network(address)
