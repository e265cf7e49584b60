"""Addresses as they are written, and as whom they are counted."""

from __future__ import annotations

import pytest

from edgekit.serve.address import counted_as, is_address, plain


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_an_address_has_one_spelling(address: str, expected: str) -> None:
    assert plain(address) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3:3:4:5:6", "2001:db8:1:3::/64"),
        ("fd00::7", "fd00::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a name", "a name"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_and_of_ipv4_each_address(address: str, expected: str) -> None:
    assert counted_as(address) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("192.0.2.7", True), ("::1", True), ("", False), ("unknown", False), ("192.0.2.7:80", False)]
)
def test_an_address_is_told_from_what_is_none(text: str, expected: bool) -> None:
    assert is_address(text) is expected
