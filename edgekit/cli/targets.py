"""``edgekit targets``: the devices that EdgeKit builds for, one in full, or which one this machine is."""

from __future__ import annotations

import click

from edgekit import machine
from edgekit.cli.common import common
from edgekit.cli.show.targets import list_targets, show_machine, show_target
from edgekit.console import Console
from edgekit.target import (
    DetectedTarget,
    document,
    matching_target,
    site_budget,
    target,
    targets,
    with_site_budget,
)


@click.command("targets")
@click.argument("name", required=False)
@click.option("--detect", "ask_machine", is_flag=True, help="Say what this machine is, and which target.")
@common
def command(console: Console, name: str | None, ask_machine: bool) -> None:
    """List the targets, show the one called NAME (or a TOML file's), or say which one this machine is."""
    if name and ask_machine:
        raise click.UsageError("give a NAME or --detect, not both")
    if ask_machine:
        here = machine.look()
        detected = DetectedTarget(here, matching_target(here))
        console.document(detected.document())
        show_machine(console, here, detected.target)
    elif name:
        chosen = with_site_budget(target(name))
        console.document(chosen.document())
        show_target(console, chosen)
        if path := site_budget(chosen.name):
            console.print(f"{path} is laid over the budget that ships.")
    else:
        shipped = targets()
        console.document(document(shipped))
        list_targets(console, shipped)
