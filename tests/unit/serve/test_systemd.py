"""What systemd hears, over a socket that stands for its own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.serve.systemd import notify, watchdog_s


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(1)
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_assignments_arrive_together(heard: socket.socket) -> None:
    assert notify(READY=1, STATUS="Serving, 3 waiting")
    assert heard.recv(1000) == b"READY=1\nSTATUS=Serving, 3 waiting"


def test_a_value_can_smuggle_no_assignment_in(heard: socket.socket) -> None:
    assert notify(STATUS="fine\nREADY=1\rSTOPPING=1")
    assert heard.recv(1000) == b"STATUS=fine READY=1 STOPPING=1"


def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"edgekit-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(1)
        listening.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify(WATCHDOG=1)
        assert listening.recv(1000) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify(READY=1)


@pytest.mark.parametrize("name", ["/proc/nonexistent/notify", "/" + "x" * 200, "@" + "x" * 200])
def test_what_cant_be_sent_is_logged_and_no_reason_to_stop(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with caplog.at_level(logging.WARNING, logger="edgekit.serve"):
        assert not notify(READY=1)
    (record,) = caplog.records
    assert "systemd can't be told" in record.getMessage()


@pytest.mark.parametrize(
    ("asked", "process", "seconds"),
    [
        (None, None, None),
        ("30000000", None, 30.0),
        ("1500000", "own", 1.5),
        ("30000000", "1", None),
        ("0", None, None),
        ("", None, None),
        ("soon", None, None),
        ("-5", None, None),
    ],
)
def test_the_watchdog_is_fed_where_it_is_ours(
    asked: str | None, process: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_USEC", asked), ("WATCHDOG_PID", process)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, str(os.getpid()) if value == "own" else value)
    assert watchdog_s() == seconds
