"""One folder of what is kept: the one named, else systemd's, else the system's, else the user's own; always private."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from edgekit.config import state
from edgekit.config.state import flush_folder, make_private, state_folder
from edgekit.errors import EdgeKitError


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ordinary user's home, on a system without a folder of its own."""
    for name in ("EDGEKIT_STATE", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(state, "_SYSTEM", tmp_path / "var")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path / "home"


def test_each_that_is_named_counts_before_the_next(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder() == user / ".local" / "state" / "edgekit"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == user / ".local" / "state" / "edgekit"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg" / "edgekit"
    (tmp_path / "var").mkdir()
    assert state_folder() == tmp_path / "var"
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}/one:{tmp_path}/two")
    assert state_folder() == tmp_path / "one"
    monkeypatch.setenv("EDGEKIT_STATE", str(tmp_path / "named"))
    assert state_folder() == tmp_path / "named"


def test_root_and_who_has_no_home_have_the_systems(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "home", nobody)
        assert state_folder() == tmp_path / "var"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_folder() == tmp_path / "var"


def test_a_folder_is_its_owners_alone_whatever_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700, 0o700]
    (tmp_path / "a").chmod(0o750)
    make_private(tmp_path / "a")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o750, "a site's choice"


def test_what_the_system_refuses_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").touch()
    with pytest.raises(EdgeKitError, match="can't be written"):
        make_private(tmp_path / "file" / "below")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgeKitError, match="No space is left"):
        make_private(tmp_path / "new")
    with pytest.raises(OSError, match="No space"):
        flush_folder(tmp_path)
