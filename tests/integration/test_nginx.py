"""The service behind nginx, under a path of its own, by the lines that docs/service.md gives, with gzip on."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from tests import served
from tests.embedded_bundles import EmbeddedBundles
from tests.integration.test_clients import ROOT, SCRIPTS
from tests.served import png, question
from tests.service_process import ServiceProcess, serving

pytestmark = pytest.mark.system

CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_types *;
    gzip_proxied any;
    server {{
        listen 127.0.0.1:{port};
        {location}
        location /held/ {{
            proxy_pass {url}/;
            proxy_ignore_headers X-Accel-Buffering;
        }}
    }}
}}
"""
ENDLESS = {"max_tokens": 1000, "logit_bias": {"2": -100}, "stream": True}
SETTINGS = 'proxies = ["127.0.0.1"]\n'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with serving(tmp_path_factory.mktemp("cache"), "--slots", "1", settings=SETTINGS) as process:
        yield process


@pytest.fixture(scope="module")
def proxy(service: ServiceProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with nginx(service.url, tmp_path_factory.mktemp("nginx")) as url:
        yield url


@contextmanager
def nginx(url: str, folder: Path) -> Iterator[str]:
    """Run nginx before a service, and yield its address."""
    page = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    (location,) = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    location = location.replace("http://127.0.0.1:8080", url)
    (folder / "conf").write_text(CONFIG.format(folder=folder, port=port, location=location, url=url), encoding="utf-8")
    with subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-c", folder / "conf"]) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def pieces(url: str) -> list[float]:
    """When each piece of an endless answer came, in seconds since the first."""
    body = question("Describe.", **ENDLESS)
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=body, timeout=60) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        moments = [time.monotonic() for _ in answer.iter_bytes()]
    return [moment - moments[0] for moment in moments]


def test_events_come_as_they_are_written(proxy: str) -> None:
    held = pieces(f"{proxy}/held")
    assert len(held) < 20, "nginx no longer holds events back, so that this test shows nothing"
    moments = pieces(f"{proxy}/edgekit")
    assert len(moments) > 100
    assert moments[len(moments) // 2] > moments[-1] / 4, "half of it came at once"


def test_the_path_is_the_proxys_own(proxy: str) -> None:
    page = httpx.get(f"{proxy}/edgekit/")
    links = re.findall(r'href="([^"]*)"', page.text)
    assert len(links) >= 3
    for link in links:
        assert httpx.get(urljoin(str(page.url), link)).status_code == 200
    description = httpx.get(f"{proxy}/edgekit/openapi.json")
    base = urljoin(str(description.url), description.json()["servers"][0]["url"])
    assert httpx.get(base.rstrip("/") + "/v1/models").status_code == 200


def test_a_picture_of_megabytes_passes(proxy: str) -> None:
    body = question("Describe.", png(1, side=900))
    answer = httpx.post(f"{proxy}/edgekit/v1/chat/completions", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    assert len(answer.request.content) > 2_000_000


def test_openais_client_is_served_through_it(proxy: str) -> None:
    done = subprocess.run(
        ["node", SCRIPTS / "with_openai.mjs", f"{proxy}/edgekit", "", "", "", "wholeAndStream", "responses"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["wholeAndStream", "responses"]


def test_a_named_proxy_alone_says_who_asks(proxy: str, service: ServiceProcess) -> None:
    forged = {"x-forwarded-for": "10.9.9.9"}
    assert caller_of(service, f"{proxy}/edgekit", "127.0.0.2", forged) == "address 127.0.0.2"
    assert caller_of(service, service.url, "127.0.0.3", forged) == "address 127.0.0.3"
    assert caller_of(service, service.url, "127.0.0.1", forged) == "address 10.9.9.9"


def caller_of(service: ServiceProcess, url: str, address: str, headers: dict[str, str]) -> str:
    """Ask from an address of this machine, and return whom the service's log names."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
        id = client.get(f"{url}/readyz", headers=headers).headers["x-request-id"]
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for line in service.log.read_text(encoding="utf-8").splitlines():
            if id in line:
                return line.rpartition(", ")[2]
        time.sleep(0.05)
    raise AssertionError("the request is not in the log")


def test_who_waits_hears_of_it_before_a_proxy_gives_up(embedded_as: EmbeddedBundles, tmp_path: Path) -> None:
    """nginx ends a connection after 60 seconds of silence. The engine is slowed, so that nothing happens meanwhile."""
    with ExitStack() as stack:
        slow = stack.enter_context(served.serving(embedded_as("q4"), slots=1, engine=served.Slow))
        url = stack.enter_context(nginx(slow.url.rstrip("/"), tmp_path))
        first, second = (stack.enter_context(streaming(url)) for _ in range(2))
        running = first.iter_lines()  # ends with this name, and the request with it
        assert next(running)
        silence, before = 0.0, time.monotonic()
        for line in second.iter_lines():
            assert not line.startswith("data:"), "it was answered before it had waited"
            if line.startswith(": queued"):
                silence, before = time.monotonic() - before, time.monotonic()
            if silence > 3:  # what it heard before was news: its place, and how long it may take
                break
    assert silence < 6


@contextmanager
def streaming(url: str) -> Iterator[httpx.Response]:
    """Have an endless answer begun."""
    body: dict[str, Any] = question("Describe.", **ENDLESS)
    path = f"{url}/edgekit/v1/chat/completions"
    with httpx.Client(timeout=60) as client, client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        yield answer
