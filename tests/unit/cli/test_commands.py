"""Commands are loaded when they are run, and each of the list is there."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from edgekit.cli.commands import COMMANDS, ON_GPU, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_its_name(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name in (name, "command")


def test_names_that_are_no_command() -> None:
    assert cli.get_command(click.Context(cli), "commands") is None, "a module, and no command"
    wrong = CliRunner().invoke(cli, ["bulid"])
    assert wrong.exit_code == 2
    assert "there is no command 'bulid'" in wrong.output
    assert "build" in wrong.output


def test_those_that_compute_are_commands() -> None:
    assert COMMANDS.keys() >= ON_GPU
