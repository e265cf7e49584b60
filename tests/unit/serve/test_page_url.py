"""The address that a link begins with: the given one, else what a service says, else the likeliest."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.serve import page_url as module
from edgekit.serve.here import ServiceHere
from edgekit.serve.page_url import PageUrl, given_url, page_url
from edgekit.serve.settings import Settings
from edgekit.serve.tls.names import parse_names


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://ward7.example", "https://ward7.example/"),
        ("http://10.0.0.5:8080/", "http://10.0.0.5:8080/"),
        ("https://hospital.example/edgekit", "https://hospital.example/edgekit/"),
        ("https://[fd00::5]:8080", "https://[fd00::5]:8080/"),
    ],
)
def test_a_given_one_is_taken(text: str, url: str) -> None:
    assert given_url(text) == url


@pytest.mark.parametrize(
    "text", ["", "ward7", "ftp://a/", "https://", "https://a/?b", "https://a/#c", "http://a b/", "http://[/"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no address of a page"):
        given_url(text)


@pytest.mark.parametrize(
    ("hosts", "proxies", "certified", "url"),
    [
        ((), (), False, "http://127.0.0.1:8080/"),
        ((), (), True, "https://ward7.local:8080/"),
        (("radiology.example",), (), True, "https://radiology.example:8080/"),
        (("radiology.example",), (), False, "http://radiology.example:8080/"),
        (("radiology.example", "other"), ("10.0.0.2",), False, "https://radiology.example/"),
    ],
)
def test_the_likeliest_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hosts: tuple[str, ...],
    proxies: tuple[str, ...],
    certified: bool,
    url: str,
) -> None:
    if certified:
        (tmp_path / "leaf.pem").touch()
    names = parse_names(("ward7", "localhost", "ward7.local"), ("127.0.0.1", "::1", "10.0.0.5"))
    monkeypatch.setattr(module, "device_names", lambda: names)
    likeliest = page_url(Settings(hosts=hosts, proxies=proxies), tmp_path, None)
    assert likeliest == PageUrl(url, is_told=bool(proxies))


ALONE = ServiceHere("http://127.0.0.1:9000/")
SHARED = ServiceHere("https://127.0.0.1:9000/", ("https://ward7.local:9000/", "https://10.0.0.5:9000/"))


@pytest.mark.parametrize(
    ("hosts", "proxies", "service", "url"),
    [
        ((), (), ALONE, "http://127.0.0.1:9000/"),
        ((), (), SHARED, "https://ward7.local:9000/"),
        ((), ("10.0.0.2",), SHARED, "https://ward7.local:9000/"),
        (("radiology.example",), (), SHARED, "https://radiology.example:9000/"),
        (("radiology.example",), (), ALONE, "http://radiology.example:9000/"),
        (("radiology.example",), ("10.0.0.2",), ALONE, "https://radiology.example/"),
    ],
)
def test_a_service_that_runs_is_believed(
    tmp_path: Path, hosts: tuple[str, ...], proxies: tuple[str, ...], service: ServiceHere, url: str
) -> None:
    assert page_url(Settings(hosts=hosts, proxies=proxies), tmp_path, service) == PageUrl(url, is_told=True)


def test_a_machine_that_nobody_can_call_calls_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaf.pem").touch()
    monkeypatch.setattr(module, "device_names", lambda: parse_names(("localhost",), ("127.0.0.1", "::1")))
    assert page_url(Settings(), tmp_path, None).text == "https://127.0.0.1:8080/"
    monkeypatch.setattr(module, "device_names", lambda: parse_names((), ("fd00::5",)))
    assert page_url(Settings(), tmp_path, None).text == "https://[fd00::5]:8080/"
