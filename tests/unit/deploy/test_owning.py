"""The configuration is the service's: its folder, what lies there, what root makes there later; never what a link leads
to, or another name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.cli.main import main
from edgekit.deploy.owning import HandOver
from edgekit.deploy.steps import Hands
from edgekit.errors import ConfigError
from tests.deploying import FileServices, Site

USER, GROUP = 61234, 61235
STEP = HandOver("/etc/edgekit", "edgekit")
Given = dict[str, tuple[int, int]]


class _Services(FileServices):
    def ids(self, user: str) -> tuple[int, int]:
        assert user == "edgekit"
        return USER, GROUP


@pytest.fixture
def hands(site: Site) -> Hands:
    return replace(site.hands, services=_Services(site.layout))


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Who was given what, by its path: simulated, so that it is seen without being root."""
    paths: Given = {}

    def give(descriptor: int, user: int, group: int) -> None:
        paths[os.readlink(f"/proc/self/fd/{descriptor}")] = (user, group)

    monkeypatch.setattr(os, "fchown", give)
    return paths


def test_the_folder_is_made_and_given_and_others_are_shut_out(site: Site, hands: Hands, given: Given) -> None:
    assert STEP.do(hands) is None
    folder = site.layout.configuration
    assert given == {str(folder): (USER, GROUP)}
    assert folder.stat().st_mode & 0o777 == 0o750
    assert STEP.show(hands) == f"chown edgekit:edgekit, chmod 0750 {folder}, and what lies in it"
    STEP.undo(hands, STEP.before(hands))
    assert folder.is_dir()


def test_what_lies_in_it_is_given_and_nothing_outside(site: Site, hands: Hands, given: Given, tmp_path: Path) -> None:
    folder, outside = site.layout.configuration, tmp_path / "outside"
    (folder / "tls").mkdir(parents=True)
    outside.mkdir()
    for path in (folder / "tokens.toml", folder / "tls" / "authority.pem", outside / "hosts", outside / "shadow"):
        path.write_text(path.name)
        path.chmod(0o640)
    (folder / "to-file").symlink_to(outside / "hosts")
    (folder / "to-folder").symlink_to(outside)
    os.link(outside / "shadow", folder / "shadow")
    os.mkfifo(folder / "pipe")
    assert STEP.do(hands) == {"note": f"Of several names, and left to whom they belong: {folder}/shadow"}
    names = ("tls", "tokens.toml", "tls/authority.pem")
    assert set(given) == {str(folder), *(str(folder / name) for name in names)}
    assert (folder / "tokens.toml").stat().st_mode & 0o777 == 0o640, "only the folder itself is closed"


def test_a_file_that_the_service_takes_away_meanwhile_is_passed_over(
    site: Site, hands: Hands, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = site.layout.configuration / "gone"
    file.parent.mkdir(parents=True)
    file.touch()
    look = os.lstat

    def vanish(path: str, *, dir_fd: int) -> os.stat_result:
        seen = look(path, dir_fd=dir_fd)
        os.unlink(path, dir_fd=dir_fd)
        return seen

    monkeypatch.setattr(os, "lstat", vanish)
    assert STEP.do(hands) is None
    assert set(given) == {str(file.parent)}


@pytest.mark.parametrize("what", ["link", "file"])
def test_what_is_no_folder_is_refused(site: Site, hands: Hands, given: Given, what: str, tmp_path: Path) -> None:
    folder = site.layout.configuration
    folder.parent.mkdir(parents=True)
    folder.symlink_to(tmp_path) if what == "link" else folder.touch()
    with pytest.raises(ConfigError, match="is no folder"):
        STEP.do(hands)
    assert not given


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_what_root_makes_there_later_is_the_service_s(
    site: Site, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    STEP.do(hands)
    folder = site.layout.configuration
    monkeypatch.setenv("EDGEKIT_SITE", str(folder))
    monkeypatch.setenv("EDGEKIT_STATE", str(site.folder / "state"))
    for command in ("token add ward-7", "tls make", "user add anna"):
        assert main(command.split()) == 0
    made = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*")}
    assert {"tokens.toml", "tls", "ward.key"} <= set(made)
    assert [name for name, there in made.items() if there.st_uid != USER and not there.st_mode & 0o004] == []
    assert {there.st_uid for name, there in made.items() if name in ("tls", "tokens.toml", "ward.key")} == {USER}
