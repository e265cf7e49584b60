"""A service's life as a process: announced, told to systemd, in trouble, and stopped in the middle of an answer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edgekit.serve.here import ServiceHere, service_here
from tests.embedded_bundles import EmbeddedBundles
from tests.serve_process import Process, process
from tests.served import png, question

SECRET = "Mrs Nobody of ward seven"


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Path:
    return embedded_as("q4").path


@pytest.fixture
def running(bundle: Path, tmp_path: Path) -> Iterator[Process]:
    with process(bundle, "--debug", "--slots", "2", site=tmp_path / "site") as running:
        yield running


def ask(running: Process, text: str, *images: bytes, **fields: object) -> httpx.Response:
    return httpx.post(f"{running.url}v1/chat/completions", json=question(text, *images, **fields), timeout=60)


def test_the_log_holds_nothing_that_was_asked_or_answered(running: Process) -> None:
    answer = ask(running, f"Describe the image of {SECRET}.", png(1), max_tokens=20)
    text = answer.json()["choices"][0]["message"]["content"]
    assert ask(running, SECRET, b"no picture").status_code == 400
    httpx.get(f"{running.url}v1/models?secret={SECRET}")
    httpx.post(f"{running.url}v1/chat/completions", content=SECRET)
    assert running.stop() == 0
    log = running.log.read_text()
    assert log.count("/v1/chat/completions") == 3
    assert answer.headers["x-request-id"] in log
    assert SECRET not in log
    assert text
    assert text not in log


def test_commands_are_told_where_it_is_until_it_ends(bundle: Path, tmp_path: Path) -> None:
    state = tmp_path / "site" / "state"
    state.mkdir(parents=True, mode=0o700)
    with process(bundle, "--slots", "1", site=tmp_path / "site") as running:
        assert service_here(state) == ServiceHere(running.url)
        assert running.stop() == 0
    assert service_here(state) is None


def test_a_decoding_child_that_is_killed_costs_nothing_but_what_it_had(running: Process) -> None:
    (child,) = running.children("edgekit.serve.decoding")
    child.kill()
    assert ask(running, "What is it?", png(2)).status_code == 200
    assert len(running.children("edgekit.serve.decoding")) == 1


def test_a_disk_that_is_full_costs_lines_of_the_log_alone(bundle: Path, tmp_path: Path) -> None:
    full = Path("/dev/full")
    with process(bundle, site=tmp_path / "site", log=full) as running:
        for _ in range(3):
            assert ask(running, "What is it?").status_code == 200
        assert running.stop() == 0


def test_systemd_hears_of_it_while_the_engine_goes_on(bundle: Path, tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(20)
        asked = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}
        with process(bundle, site=tmp_path / "site", variables=asked) as running:
            said: list[str] = []
            while sum("WATCHDOG=1" in message for message in said) < 3:
                said.append(listener.recv(4096).decode())
            ready = next(index for index, message in enumerate(said) if "READY=1" in message)
            assert not any("WATCHDOG=1" in message for message in said[:ready])
            assert any("STATUS=" in message for message in said)
            assert running.stop() == 0
            while "STOPPING=1" not in said[-1]:
                said.append(listener.recv(4096).decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_stop_it_finishes_what_runs_and_takes_nothing_new(running: Process, number: int) -> None:
    stops = {"2": -100}
    body = question("Describe.", png(1), max_tokens=300, logit_bias=stops, stream=True)
    lines: list[str] = []
    begun = threading.Event()

    def read() -> None:
        with httpx.stream("POST", f"{running.url}v1/chat/completions", json=body, timeout=60) as answer:
            for line in answer.iter_lines():
                lines.append(line)
                if line.startswith("id:"):
                    begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(20)
    running.process.send_signal(number)
    refused: list[httpx.Response] = []
    while reader.is_alive() and not refused:
        answer = ask(running, "x")
        if answer.status_code == 503:
            refused.append(answer)
    reader.join(30)
    assert lines[-2:] == ["data: [DONE]", ""]
    assert running.process.wait(20) == 0
    if refused:
        assert int(refused[0].headers["retry-after"]) >= 1
        assert refused[0].json()["error"]["code"] == "service_stopping"


def test_a_damaged_bundle_is_not_served(bundle: Path, tmp_path: Path) -> None:
    """A flipped bit that no answer shows."""
    damaged = tmp_path / "bundle"
    shutil.copytree(bundle, damaged)
    file = damaged / "graphs" / "decoder.onnx.data"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with process(damaged, site=tmp_path / "site") as running:
        assert running.process.wait(30) == 3
    log = running.log.read_text()
    assert "Error: " in log
    assert "decoder.onnx.data" in log
    assert "Traceback" not in log


def test_nothing_is_left_behind(running: Process) -> None:
    children = running.children("edgekit.serve.decoding") + running.children("edgekit.serve.grammar_child")
    assert len(children) == 2
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(10)
    end = time.monotonic() + 10
    while any(child.is_running() and child.status() != "zombie" for child in children):
        assert time.monotonic() < end, "a child outlived the service"
        time.sleep(0.05)
