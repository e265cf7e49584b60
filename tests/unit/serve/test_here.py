"""A service tells the commands of its machine where it is, as long as it runs and no longer."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.serve.here import NAME, ServiceHere, service_here, telling
from tests.mirrored import ROOT

SERVICE = ServiceHere("https://127.0.0.1:9000/", ("https://ward7.local:9000/",))


def test_it_is_known_as_long_as_it_runs(tmp_path: Path) -> None:
    assert service_here(tmp_path) is None
    with telling(tmp_path, SERVICE):
        assert service_here(tmp_path) == SERVICE
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert service_here(tmp_path) is None, "what stands there is of one that is gone"
    with telling(tmp_path, ServiceHere("http://a/")):
        assert service_here(tmp_path) == ServiceHere("http://a/"), "nothing of a longer text stays"


def test_one_that_was_killed_is_gone(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from edgekit.serve.here import ServiceHere, telling
with telling(Path(sys.argv[1]), ServiceHere("http://a/")):
    print("told", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"told\n"
        assert service_here(tmp_path) == ServiceHere("http://a/")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (tmp_path / NAME).read_text() == '{"url": "http://a/", "others": []}'
    assert service_here(tmp_path) is None


def test_a_second_one_serves_and_leaves_what_the_first_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with telling(tmp_path, SERVICE), telling(tmp_path, ServiceHere("http://a/")):
        assert service_here(tmp_path) == SERVICE
    assert "can't tell where the page is" in caplog.text


@pytest.mark.parametrize(
    "content", ["", "{", '{"url": 3}', "[]", '{"else": 1}', '{"url": "http://a:70000/"}', '{"url": "file:///a"}']
)
def test_what_is_damaged_says_nothing(tmp_path: Path, content: str) -> None:
    with telling(tmp_path, SERVICE):
        (tmp_path / NAME).write_text(content, encoding="utf-8")
        assert service_here(tmp_path) is None


def test_a_place_that_can_t_be_written_holds_nobody_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with telling(tmp_path, SERVICE):
        assert not (tmp_path / "elsewhere").exists()
        assert service_here(tmp_path) is None
    assert "can't tell where the page is" in caplog.text


def test_a_file_system_without_locks_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with telling(tmp_path, SERVICE):
        assert service_here(tmp_path) is None


@pytest.mark.parametrize(("user", "is_made"), [(0, False), (1000, True)])
def test_root_makes_no_folder_that_others_would_have_to_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, is_made: bool
) -> None:
    state, owner = tmp_path / "state", tmp_path.stat()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "fchown", lambda *arguments: None)
    with telling(state, SERVICE):
        assert state.is_dir() == is_made
        assert (service_here(state) == SERVICE) == is_made
    assert tmp_path.stat().st_uid == owner.st_uid
