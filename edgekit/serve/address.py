"""Addresses that requests come from: as they are written, and as whom they are counted."""

from __future__ import annotations

import ipaddress

PREFIX = 64
"""Bits of an IPv6 address that its network gives; whoever is in it chooses the others freely (RFC 4291, 2.5.4), and
changes them as a rule (RFC 8981)."""


def plain(address: str) -> str:
    """Return an address as it is written without a scope, and without the port that some proxies add; IPv4 in IPv6 is
    IPv4. What is no address stays, 64 characters of it.
    """
    host, colon, port = address.rpartition(":")
    with_port = bool(colon) and port.isdigit() and (host.endswith("]") or ":" not in host)
    try:
        parsed = ipaddress.ip_address((host if with_port else address).strip("[]").partition("%")[0])
    except ValueError:
        return address[:64]
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def is_address(text: str) -> bool:
    """Say whether a text is an address of IPv4 or IPv6."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def counted_as(address: str) -> str:
    """Return as whom an address is counted where there are limits: its network of IPv6, else itself.

    One who has a network of 2⁶⁴ addresses would else have as many times what one caller may take.
    """
    try:
        parsed = ipaddress.ip_address(plain(address))
    except ValueError:
        return plain(address)
    if parsed.version == 4 or parsed.is_loopback:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, PREFIX), strict=False))
