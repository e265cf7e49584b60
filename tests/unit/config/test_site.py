"""One folder of a site's settings: the one named, else the system's, else the user's own."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.config import site
from edgekit.config.site import locked, site_file, site_folder
from edgekit.errors import ConfigError, EdgeKitError


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ordinary user's home, on a system without a folder of its own."""
    monkeypatch.delenv("EDGEKIT_SITE")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(site, "_SYSTEM", tmp_path / "etc")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path / "home"


def test_who_tries_it_at_his_desk_needs_no_root(user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site_folder() == user / ".config" / "edgekit"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert site_folder() == user / ".config" / "edgekit"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert site_folder() == tmp_path / "config" / "edgekit"


def test_the_systems_folder_counts_where_it_exists_and_for_root(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 0)
        assert site_folder() == tmp_path / "etc"
    assert site_folder() != tmp_path / "etc"
    (tmp_path / "etc").mkdir()
    assert site_folder() == tmp_path / "etc"
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "named"))
    assert site_folder() == tmp_path / "named"


@pytest.mark.usefixtures("user")
def test_a_user_without_a_home_has_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert site_folder() == tmp_path / "etc"


def test_a_file_is_there_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert site_file("engines.toml") is None
    (tmp_path / "engines.toml").touch()
    assert site_file("engines.toml") == tmp_path / "engines.toml"


HOLD = """
import sys
from pathlib import Path
from edgekit.config.site import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_folder_that_others_may_not_look_into_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(ConfigError, match=f"Only root and the service's user may look into {tmp_path}"):
        site_file("engines.toml")


def test_a_lock_is_one_processs_until_it_ends(tmp_path: Path) -> None:
    path, command = tmp_path / "new" / "file", [sys.executable, "-c", HOLD, str(tmp_path / "new" / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        lock = path.with_name(".file.lock")
        assert lock.stat().st_mode & 0o777 == 0o600
        with open(lock) as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        other.kill()
    with locked(path):
        path.write_text("ours")


def test_a_lock_is_no_link(tmp_path: Path) -> None:
    (tmp_path / ".file.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EdgeKitError, match="can't be written"), locked(tmp_path / "file"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_folders_that_are_made_belong_to_the_owner_of_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = list[tuple[str, Path]]()
    real = Path("/proc/self/fd")
    monkeypatch.setattr(
        site, "give_to_owner_of_folder", lambda file, above: given.append((os.readlink(real / str(file)), above))
    )
    with locked(tmp_path / "site" / "tls" / "file"):
        pass
    assert given == [
        (str(tmp_path / "site"), tmp_path),
        (str(tmp_path / "site" / "tls"), tmp_path / "site"),
        (str(tmp_path / "site" / "tls" / ".file.lock"), tmp_path / "site" / "tls"),
    ]
