"""A container asks its own service: where it says that it is, else where it was told to listen."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.deploy.container import healthy
from edgekit.deploy.health import Address


def test_it_asks_where_the_service_was_told_to_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[Path, Address]] = []
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path))

    def unanswered(state: Path, otherwise: Address) -> str:
        asked.append((state, otherwise))
        return ""

    monkeypatch.setattr(healthy, "unanswered", unanswered)
    assert healthy.why_not({}) == ""
    assert healthy.why_not({"EDGEKIT_HOST": "0.0.0.0", "EDGEKIT_PORT": "8443"}) == ""
    assert healthy.why_not({"EDGEKIT_PORT": "none"}) == ""
    assert asked == [(tmp_path, Address()), (tmp_path, Address("0.0.0.0", 8443)), (tmp_path, Address())]


def test_it_ends_with_1_where_nobody_answers(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # nobody listens
        variables = {"EDGEKIT_STATE": str(tmp_path), "EDGEKIT_PORT": str(silent.getsockname()[1])}
        command = [sys.executable, "-m", "edgekit.deploy.container.healthy"]
        path = {"PYTHONPATH": str(Path(healthy.__file__).parents[3])}
        done = subprocess.run(command, env=variables | path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("it does not answer at 127.0.0.1:")
