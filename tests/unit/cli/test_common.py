"""The flags of every command, and where they arrive."""

from __future__ import annotations

import logging

import click
import pytest
from click.testing import CliRunner

from edgekit.cli.common import common, show_notes
from edgekit.console import Console


@click.command()
@common
def command(console: Console) -> None:
    click.echo(f"{console.json} {console.verbose} {console.debug}")


@pytest.mark.parametrize(
    ("arguments", "flags", "level"),
    [
        ([], "False False False", logging.NOTSET),
        (["--json"], "True False False", logging.NOTSET),
        (["--verbose"], "False True False", logging.INFO),
        (["--debug"], "False False True", logging.DEBUG),
        (["--verbose", "--debug", "--json"], "True True True", logging.DEBUG),
    ],
)
def test_flags_reach_the_console_and_the_log(arguments: list[str], flags: str, level: int) -> None:
    logger = logging.getLogger("edgekit")
    logger.setLevel(logging.NOTSET)
    assert CliRunner().invoke(command, arguments).output.strip() == flags
    assert logger.level == level


def test_notes_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_notes(Console(json=True), ["one", "two"])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Note: one\nNote: two\n")
