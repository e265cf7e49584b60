"""``edgekit uninstall``: the service and its releases removed."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.console import Console


@click.command("uninstall")
@click.option("--data", is_flag=True, help="Remove accounts, conversations and configuration, too. Back them up first.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@place_options
@common
def command(console: Console, data: bool, dry_run: bool, prefix: str | None, root: Path, user: bool) -> None:
    """Stop the service and remove it with all its releases. What it keeps, and its configuration, stay."""
    from edgekit.deploy.here import hands_here, require_root
    from edgekit.deploy.uninstall import plan_removal, uninstall

    hands = hands_here(layout_of(prefix, root, user=user))
    if dry_run:
        done = plan_removal(hands, data=data)
    else:
        require_root(hands.layout)
        done = uninstall(hands, data=data)
    console.document(done.document())
    for path in done.removed:
        console.print(f"{'would remove' if dry_run else 'removed'}  {path}")
    for path in done.kept:
        console.print(f"{'would keep' if dry_run else 'kept'}  {path}")
