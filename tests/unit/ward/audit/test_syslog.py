"""The system's log gets the head, or nobody waits for it."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from edgekit.ward.audit.head import Head
from edgekit.ward.audit.syslog import tell

HEAD = Head(7, "ab" * 32)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_log_gets_the_head(tmp_path: Path, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_UNIX, kind) as logger:
        logger.bind(str(tmp_path / "log"))
        if kind == socket.SOCK_STREAM:
            logger.listen()
        assert tell(HEAD, "2026-11-30", tmp_path / "log")
        if kind == socket.SOCK_STREAM:
            with logger.accept()[0] as connection:
                said = connection.recv(1000)
        else:
            said = logger.recv(1000)
    assert said == f"<85>edgekit-audit: head {HEAD} on 2026-11-30\0".encode(), "authpriv.notice"


def test_where_there_is_none_nothing_happens(tmp_path: Path) -> None:
    assert not tell(HEAD, "2026-11-30", tmp_path / "log")


def test_one_that_is_stuck_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as logger:
        logger.bind(str(tmp_path / "log"))
        begun = time.monotonic()
        while tell(HEAD, "2026-11-30", tmp_path / "log"):  # until nothing more goes in
            assert time.monotonic() - begun < 20
