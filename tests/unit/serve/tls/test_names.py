"""Names: read as people write them, and within others as name constraints mean it."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import psutil
import pytest

from edgekit.errors import InputError
from edgekit.serve.tls.names import Names, device_names, parse_names


def test_names_are_read_as_they_are_written() -> None:
    names = parse_names(["Ward7.Local.", "münchen.example", "a_b"], ["10.0.4.7", "FD00:0::7", "10.0.4.0/24"])
    assert names.words() == ("ward7.local", "xn--mnchen-3ya.example", "a_b", "10.0.4.7", "fd00::7", "10.0.4.0/24")
    assert names.single().words() == ("ward7.local", "xn--mnchen-3ya.example", "a_b", "10.0.4.7", "fd00::7")


NO_NAMES = ["", ".", "a b", "*.example", "-a", "a-", "a..b", "a/b", "10.0.4.7", "::1", "a.1"]
TOO_LONG = ["a" * 64, "a." * 130 + "b"]


@pytest.mark.parametrize("name", NO_NAMES + TOO_LONG)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError, match="no host's name"):
        parse_names([name], [])


@pytest.mark.parametrize("address", ["", "ward7", "10.0.4.256", "10.0.4.7/24", "fe80::1%eth0/64", "10.0.4"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InputError, match="no address"):
        parse_names([], [address])


def test_what_lies_within_constraints() -> None:
    """RFC 5280, 4.2.1.10: a name with any number of labels before it; addresses of a network, of the same family."""
    outer = parse_names(["ward7.local"], ["10.0.4.0/24", "::/0"])
    inner = parse_names(["ward7.local", "a.b.ward7.local"], ["10.0.4.7", "10.0.4.0/25", "fd00::7"])
    outside = parse_names(["xward7.local", "local", "ward7.local.example"], ["10.0.5.7", "10.0.0.0/16", "0.0.0.0/0"])
    assert inner.within(outer) == inner
    assert (inner | outside).within(outer) == inner
    assert (inner | outside).without(inner) == outside
    assert not outside.within(outer)
    assert (inner | inner) == inner


def test_a_machine_is_called_by_its_host_and_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry(family: int, address: str) -> SimpleNamespace:
        return SimpleNamespace(family=family, address=address)

    interfaces = {
        "lo": [entry(socket.AF_INET, "127.0.0.1"), entry(socket.AF_INET6, "::1")],
        "eth0": [
            entry(socket.AF_INET, "10.0.4.7"),
            entry(socket.AF_INET6, "fe80::1%eth0"),
            entry(socket.AF_INET6, "fd00::7"),
            entry(psutil.AF_LINK, "02:00:00:00:00:01"),
        ],
        "eth1": [entry(socket.AF_INET, "169.254.3.4")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    loopback = ("127.0.0.1", "::1")
    for host, names in {
        "Ward7.hospital.example": ("ward7.hospital.example", "ward7", "ward7.local", "localhost"),
        "ward7": ("ward7", "ward7.local", "localhost"),
        "localhost": ("localhost",),
        "ward 7": ("localhost",),
    }.items():
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        assert device_names().words() == (*names, *loopback, "10.0.4.7", "fd00::7")


def test_this_machine_can_name_itself() -> None:
    assert "localhost" in device_names().dns
    assert device_names().single() == device_names()
    assert bool(device_names())
    assert not Names()
