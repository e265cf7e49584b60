"""Pages of other origins, and names that somebody points at this machine, get no answer."""

from __future__ import annotations

import socket

import pytest

from edgekit.serve.hosts import Hosts, require_own_page
from edgekit.serve.refusal import Refusal


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    monkeypatch.setattr(socket, "gethostname", lambda: "Ward-7.hospital.example")
    return Hosts(["Radiology.example."])


def test_a_certificates_names_are_this_machines() -> None:
    """Whoever has a certificate made for a name means to be asked by it."""
    hosts = Hosts(certified=lambda: ["Ward7.Hospital.example", "*.wards.example"])
    assert code(hosts, "ward7.hospital.example:8443", "https://ward7.hospital.example:8443") is None
    assert code(hosts, "ward7.hospital.example", "https://attacker.example") == "origin_not_allowed"
    assert code(hosts, "ward8.hospital.example") == "host_not_allowed"
    assert code(hosts, "a.wards.example") == "host_not_allowed"
    hosts = Hosts(["radiology.example"], lambda: ["ward7.example"])
    assert code(hosts, "ward7.example", "https://radiology.example") is None, "a proxy's page"
    assert code(hosts, "radiology.example", "https://ward7.example") == "origin_not_allowed"


def test_a_name_counts_as_soon_as_the_certificate_has_it() -> None:
    certified = ["ward7.example"]
    hosts = Hosts(certified=lambda: certified)
    assert code(hosts, "www.ward7.example") == "host_not_allowed"
    certified.append("www.ward7.example")
    assert code(hosts, "www.ward7.example") is None


def code(hosts: Hosts, host: str | None, origin: str | None = None) -> str | None:
    """The code of the refusal; None where there is none."""
    try:
        hosts.require(host, origin)
    except Refusal as refusal:
        assert refusal.status == 403
        return refusal.code
    return None


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "LocalHost.:8080",
        "127.0.0.1:8080",
        "[::1]:8080",
        "[::1]",
        "192.0.2.7",
        "ward-7",
        "ward-7.local:8080",
        "ward-7.hospital.example",
        "radiology.example",
        "RADIOLOGY.EXAMPLE.:443",
    ],
)
def test_this_machines_names_and_every_address_are_answered(hosts: Hosts, host: str) -> None:
    assert code(hosts, host) is None


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "attacker.example",
        "attacker.example:8080",
        "localhost.attacker.example",
        "attacker.example:80@localhost",
        "localhost:80:80",
        "localhost, attacker.example",
        "localhost/",
        "xradiology.example",
        "ward-7.attacker.example",
        "127.0.0.1.attacker.example",
        "127.0.0.1x",
        "[::1",
        "::1]:8080:x",
        "local\xadhost",
        "localhost\x00",
    ],
)
def test_another_name_is_refused(hosts: Hosts, host: str | None) -> None:
    assert code(hosts, host) == "host_not_allowed"
    assert code(hosts, host, "http://localhost") == "host_not_allowed", "the host comes first"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("localhost", "http://localhost:80"),
        ("localhost:443", "https://localhost"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("Ward-7:8080", "http://ward-7:8080"),
        ("127.0.0.1:8080", "https://radiology.example"),  # a proxy that says its own name for the host
    ],
)
def test_the_services_own_page_is_answered(hosts: Hosts, host: str, origin: str) -> None:
    assert code(hosts, host, origin) is None


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", ""),
        ("localhost:8080", "null"),
        ("localhost:8080", "http://attacker.example"),
        ("localhost:8080", "http://localhost"),
        ("localhost:8080", "http://localhost:3000"),
        ("localhost:8080", "http://127.0.0.1:8080"),
        ("localhost:8080", "http://localhost:8080.attacker.example"),
        ("localhost:8080", "http://attacker.example#localhost:8080"),
        ("localhost:8080", "http://attacker.example\\@localhost:8080"),
        ("localhost:8080", "ftp://localhost:8080"),
        ("localhost:8080", "file://"),
        ("localhost:8080", "http://["),
        ("localhost:8080", "http://[localhost]:8080"),
        ("localhost:8080", "localhost:8080"),
        ("127.0.0.1:8080", "https://radiology.example.attacker.example"),
        ("127.0.0.1:8080", "http://ward-7:8080"),
    ],
)
def test_another_page_is_refused(hosts: Hosts, host: str, origin: str) -> None:
    assert code(hosts, host, origin) == "origin_not_allowed"


@pytest.mark.parametrize(
    ("site", "is_visit", "is_refused"),
    [
        (None, False, False),
        ("same-origin", False, False),
        ("none", False, False),
        ("same-site", False, True),
        ("cross-site", False, True),
        ("cross-site", True, False),
        ("same-site", True, False),
        ("", True, True),
        ("somewhere", True, True),
    ],
)
def test_what_a_page_of_elsewhere_loads_is_refused_and_a_link_there_is_followed(
    site: str | None, is_visit: bool, is_refused: bool
) -> None:
    if not is_refused:
        require_own_page(site, is_visit=is_visit)
        return
    with pytest.raises(Refusal) as refused:
        require_own_page(site, is_visit=is_visit)
    assert (refused.value.status, refused.value.code) == (403, "origin_not_allowed")
