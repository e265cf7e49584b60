"""Where no systemd of the user's runs, what to do there is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgekit.deploy.laptop.manager import require_manager
from edgekit.errors import EdgeKitError
from edgekit.machine.host import Host
from edgekit.machine.programs import Reply


def host(root: Path, code: int | None, kernel: str = "6.1.0-13-amd64") -> Host:
    (root / "proc/sys/kernel").mkdir(parents=True, exist_ok=True)
    (root / "proc/sys/kernel/osrelease").write_text(kernel)
    return Host(root=root, runner=lambda command, seconds, environment: Reply(code, ""))


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_one_that_answers_is_enough(anna: None, tmp_path: Path) -> None:
    require_manager(host(tmp_path, 0))


def test_root_has_none_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(EdgeKitError, match="this is root"):
        require_manager(host(tmp_path, 0))


@pytest.mark.parametrize(
    ("kernel", "file", "said"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", "", "systemd=true"),
        ("4.4.0-19041-Microsoft", "", "--set-version"),
        ("6.1.0", ".dockerenv", "container has none"),
        ("6.1.0", "", "not started by systemd"),
        ("6.1.0", "run/systemd/system/x", "enable-linger"),
    ],
)
def test_what_to_do_is_told(anna: None, tmp_path: Path, kernel: str, file: str, said: str) -> None:
    if file:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(EdgeKitError) as caught:
        require_manager(host(tmp_path, 1, kernel))
    assert said in caught.value.hint
    assert "edgekit serve BUNDLE" in caught.value.hint
