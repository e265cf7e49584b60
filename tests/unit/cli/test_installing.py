"""Where an installation lies, as the commands about it take it."""

from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner

from edgekit.cli.installing import layout_of, place_options


def test_an_installation_is_this_machine_s_unless_it_is_said() -> None:
    @click.command()
    @place_options
    def command(prefix: str, root: Path) -> None:
        click.echo(str(layout_of(prefix, root).current))

    assert CliRunner().invoke(command, []).output == "/opt/edgekit/current\n"
    assert CliRunner().invoke(command, ["--prefix", "/data/ek", "--root", "/tmp"]).output == "/tmp/data/ek/current\n"
    assert CliRunner().invoke(command, ["--root", "/nowhere"]).exit_code == 2
