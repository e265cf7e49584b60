"""``edgekit doctor``: what this machine has and lacks for a target, with the commands that mend it."""

from __future__ import annotations

import click

from edgekit.cli.common import common
from edgekit.cli.show.doctor import show_report
from edgekit.console import Console
from edgekit.doctor import Host, examine
from edgekit.target import target


@click.command("doctor")
@click.option("--target", "target_name", metavar="T", help="A target's name or TOML.  [default: what this machine is]")
@common
def command(console: Console, target_name: str | None) -> None:
    """Check this machine: driver, libraries, permissions, room, clock, power, packages.

    Nothing is changed and nothing needs root. Exit code 1 where something is bad for the target.
    """
    report = examine(Host(), target(target_name) if target_name else None)
    console.document(report.document())
    show_report(console, report)
    if not report.healthy:
        raise click.exceptions.Exit(1)
