"""``edgekit status``: how this machine's installation fares."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.cli.show.status import show_status
from edgekit.console import Console


@click.command("status")
@place_options
@common
def command(console: Console, prefix: str | None, root: Path) -> None:
    """Show which release runs, on trial or committed, whether it answers, and why the last one went back.

    Exit code 1 where it does not answer.
    """
    from edgekit.deploy.health import unhealthy
    from edgekit.deploy.here import hands_here
    from edgekit.deploy.status import status

    told = status(hands_here(layout_of(prefix, root)), unhealthy)
    console.document(told.document())
    show_status(console, told)
    if told.standing.running and told.unhealthy:
        raise click.exceptions.Exit(1)
