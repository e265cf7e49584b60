"""Whether the service answers: systemd's word, then its own, with a certificate or without."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from edgekit.deploy.health import Address, OfTheMachine, address, unhealthy
from edgekit.deploy.journal import make_folder
from edgekit.deploy.steps import UNIT
from edgekit.serve.here import ServiceHere, telling
from tests.deploying import OLD, Site


class Answering(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        assert self.path == "/readyz"
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), type("Here", (Answering,), {})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def listening(site: Site, port: int) -> Site:
    site.installed(OLD)
    site.layout.environment.write_text(f"# here\nEDGEKIT_HOST=0.0.0.0\nEDGEKIT_PORT={port}\n")
    return site


def test_the_address_is_the_configuration_s(site: Site) -> None:
    assert address(site.layout) == Address("127.0.0.1", 8080)
    make_folder(site.layout.environment.parent)
    site.layout.environment.write_text('EDGEKIT_HOST="::"\nEDGEKIT_PORT=443\nOTHER\n')
    assert address(site.layout) == Address("::", 443)
    assert address(site.layout).here == "::1"


def test_a_service_that_answers_is_healthy(site: Site, server: HTTPServer) -> None:
    assert unhealthy(listening(site, server.server_port).hands) == ""


def test_it_is_asked_where_it_says_that_it_is_whatever_the_configuration_says_by_now(
    site: Site, server: HTTPServer
) -> None:
    listening(site, 99999)
    assert unhealthy(site.hands).startswith("it does not answer at 127.0.0.1:99999")
    make_folder(site.layout.data)
    with telling(site.layout.data, ServiceHere(f"http://127.0.0.1:{server.server_port}/")):
        assert unhealthy(site.hands) == ""
    for url in ("http://127.0.0.1:99999/", "elsewhere"):
        with telling(site.layout.data, ServiceHere(url)):
            assert "127.0.0.1:99999" in unhealthy(site.hands), "as one that tells nothing"


def test_one_that_says_it_has_no_certificate_is_not_asked_for_one(
    site: Site, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening(site, server.server_port)
    make_folder(site.layout.data)
    monkeypatch.setattr(http.client, "HTTPSConnection", None)
    with telling(site.layout.data, ServiceHere(f"http://127.0.0.1:{server.server_port}/")):
        assert unhealthy(site.hands) == ""


def test_one_that_can_not_be_asked_says_why(site: Site, server: HTTPServer) -> None:
    handler = server.RequestHandlerClass
    handler.status, handler.body = 503, b'{"error": {"message": "it is closing"}}'  # type: ignore[attr-defined]
    listening(site, server.server_port)
    assert unhealthy(site.hands) == "it answers 503: it is closing"
    assert not isinstance(unhealthy(site.hands), OfTheMachine)
    handler.body = b'{"error": {"message": "memory", "code": "memory_short"}}'  # type: ignore[attr-defined]
    assert unhealthy(site.hands) == OfTheMachine("it answers 503: memory")
    assert isinstance(unhealthy(site.hands), OfTheMachine), "another program may hold it"
    handler.body = b"<html>"  # type: ignore[attr-defined]
    assert unhealthy(site.hands) == "it answers 503: it gives no reason"


def test_one_that_is_silent_or_down_is_told(site: Site) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        listening(site, silent.getsockname()[1])
        assert "does not answer at 127.0.0.1" in unhealthy(site.hands)
    site.services.stop(UNIT)
    assert unhealthy(site.hands) == "systemd says inactive (success)"
