"""What a machine's unit has to know of it, and what it must not be told."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.unit import Settings
from edgekit.deploy.unit.settings import hidden_credentials, systemd_version, with_credentials
from edgekit.errors import ConfigError
from edgekit.target import target
from edgekit.units import GIB


def test_a_certificate_has_a_key() -> None:
    with pytest.raises(ConfigError, match="belong together"):
        Settings(memory_bytes=GIB, certificate=PurePosixPath("/etc/credstore/tls.pem"))
    assert Settings(memory_bytes=GIB).credentials == {}


@pytest.mark.parametrize("path", ["/etc/edgekit/ward.key", "/var/lib/edgekit/deeper/ward.key"])
def test_nothing_is_read_as_root_where_the_service_could_lay_a_link(path: str) -> None:
    with pytest.raises(ConfigError, match="where the service itself may write") as caught:
        Settings(memory_bytes=GIB, ward_key=PurePosixPath(path))
    assert "/etc/credstore" in caught.value.hint


@pytest.mark.parametrize("path", ["ward.key", "/etc/a key", "/etc/../ward.key", "/etc/%n", "/etc/x\nUser=root", "/"])
def test_a_path_stands_in_a_unit_as_it_is(path: str) -> None:
    with pytest.raises(ConfigError, match="can't stand in a unit"):
        Settings(memory_bytes=GIB, ward_key=PurePosixPath(path))
    with pytest.raises(ConfigError, match="can't stand in a unit"):
        Settings(memory_bytes=GIB, python=PurePosixPath(path))


def test_a_site_s_credentials_are_those_that_lie_in_root_s_folder(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    plain = Settings(memory_bytes=GIB)
    assert with_credentials(plain, layout) == plain
    folder = tmp_path / "etc/credstore"
    folder.mkdir(parents=True)
    for name in ("edgekit.tls.crt", "edgekit.tls.key", "other.key"):
        (folder / name).touch()
    assert with_credentials(plain, layout).credentials == {
        "tls.crt": PurePosixPath("/etc/credstore/edgekit.tls.crt"),
        "tls.key": PurePosixPath("/etc/credstore/edgekit.tls.key"),
    }
    (folder / "edgekit.ward.key").touch()
    (folder / "edgekit.tls.key").unlink()
    with pytest.raises(ConfigError, match="belong together"):
        with_credentials(plain, layout)


def test_credentials_that_only_root_can_see_are_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout, plain = Layout(tmp_path), Settings(memory_bytes=GIB)
    folder = tmp_path / "etc/credstore"
    folder.mkdir(parents=True)
    (folder / "edgekit.ward.key").touch()
    assert not hidden_credentials(layout)
    look = os.stat

    def shut(path: Any, *arguments: Any, **more: Any) -> os.stat_result:
        if str(path).startswith(f"{folder}/"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", shut)
        credentials, is_hidden = with_credentials(plain, layout).credentials, hidden_credentials(layout)
    assert (credentials, is_hidden) == ({}, True)


@pytest.mark.parametrize("lead", ["nowhere", "edgekit.ward.key", "."])
def test_a_credential_s_link_that_leads_to_no_file_is_named(tmp_path: Path, lead: str) -> None:
    folder = tmp_path / "etc/credstore"
    folder.mkdir(parents=True)
    (folder / "edgekit.ward.key").symlink_to(lead)
    with pytest.raises(ConfigError, match=r"edgekit\.ward\.key is no file, nor a link that leads to one"):
        with_credentials(Settings(memory_bytes=GIB), Layout(tmp_path))


def test_what_is_left_for_the_service() -> None:
    assert Settings(memory_bytes=8 * GIB).host_bytes(target("cpu")) == 7 * GIB
    assert Settings(memory_bytes=8 * GIB + 3).host_bytes(target("cpu")) == 7 * GIB, "another kernel, the same unit"
    assert Settings(memory_bytes=32 * GIB).host_bytes(target("rtx3050")) == 31 * GIB
    orin = target("orin")
    assert orin.budget.dynamic_bytes is not None
    assert Settings(memory_bytes=64 * GIB).host_bytes(orin) == 58 * GIB - orin.budget.dynamic_bytes
    assert Settings(memory_bytes=8 * GIB).host_bytes(orin) == 4 * GIB


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["lib/systemd/libsystemd-shared-249.so"], 249),
        (["usr/lib64/systemd/libsystemd-shared-255.18-1.fc40.so"], 255),
        (["lib/systemd/libsystemd-shared-247.so", "usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so"], 252),
        (["lib/systemd/libsystemd-shared.so", "lib/libsystemd-shared-252.so"], 0),
    ],
)
def test_a_systemd_is_known_by_its_library(names: list[str], version: int, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert systemd_version(tmp_path) == version


def test_a_stop_takes_longer_than_the_grace_time() -> None:
    assert Settings(memory_bytes=GIB).stop_s == 45
    assert Settings(memory_bytes=GIB, grace_s=0.2).stop_s == 16
