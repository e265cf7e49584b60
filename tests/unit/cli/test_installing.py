"""Where an installation lies, as the commands about it take it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click
import pytest
from click.testing import CliRunner

from edgekit.cli.installing import layout_of, place_options
from edgekit.config.site import site_folder
from edgekit.config.state import state_folder
from edgekit.deploy.layout import Layout
from edgekit.deploy.unit.settings import Settings
from edgekit.deploy.unit.text import unit_text
from edgekit.deploy.watching import watch_units
from edgekit.errors import ConfigError
from edgekit.target import target
from edgekit.units import GIB


def test_an_installation_is_this_machine_s_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    @place_options
    def command(prefix: str | None, root: Path, user: bool) -> None:
        click.echo(str(layout_of(prefix, root, user=user).current))

    monkeypatch.setattr("edgekit.deploy.layout.installed_prefix", lambda root: None)
    assert CliRunner().invoke(command, []).output == "/opt/edgekit/current\n"
    assert CliRunner().invoke(command, ["--prefix", "/data/ek", "--root", "/tmp"]).output == "/tmp/data/ek/current\n"
    assert CliRunner().invoke(command, ["--root", "/nowhere"]).exit_code == 2
    for name in ("EDGEKIT_SITE", "EDGEKIT_STATE"):
        monkeypatch.setenv(name, "/nowhere")
    home = {"HOME": "/home/anna", "XDG_DATA_HOME": None, "XDG_STATE_HOME": None, "XDG_CONFIG_HOME": None}
    told = CliRunner().invoke(command, ["--user"], env=home).output
    assert told == "/home/anna/.local/share/edgekit/current\n"
    assert site_folder() == Path("/home/anna/.config/edgekit"), "not the machine's, which may be closed to him"
    assert state_folder() == Path("/home/anna/.local/state/edgekit")
    for more in (["--prefix", "/data/ek"], ["--root", "/tmp"]):
        assert "leave out --prefix and --root" in CliRunner().invoke(command, ["--user", *more], env=home).output


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_installation_elsewhere_is_meant_and_there_is_no_second(tmp_path: Path, is_begun: bool) -> None:
    """By the units as they are written, also where an install was cut before the service's own."""
    there = Layout(tmp_path, PurePosixPath("/data/ek"))
    there.unit.parent.mkdir(parents=True)
    if is_begun:
        for path, text in watch_units(there).items():
            there.at(path).write_text(text)
    else:
        there.unit.write_text(unit_text(there, target("cpu"), (), Settings(memory_bytes=GIB)))
    assert layout_of(None, tmp_path) == layout_of("/data/ek", tmp_path) == there
    with pytest.raises(ConfigError, match="installation lies in /data/ek, and not in /opt/edgekit") as error:
        layout_of("/opt/edgekit", tmp_path)
    assert "edgekit uninstall --prefix /data/ek" in error.value.hint


def test_a_unit_that_is_not_ours_names_no_prefix(tmp_path: Path) -> None:
    unit = Layout(tmp_path).unit
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    assert layout_of(None, tmp_path) == Layout(tmp_path)
    assert layout_of("/data/ek", tmp_path).prefix == PurePosixPath("/data/ek")
