"""``edgekit rollback``: back to the release before."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.cli.show.install import SHORT
from edgekit.console import Console


@click.command("rollback")
@click.option("--failed", is_flag=True, help="Only from a trial whose service failed for good: for systemd.")
@click.option("--boot", is_flag=True, help="Only from a trial that the last start of the machine began: for systemd.")
@place_options
@common
def command(console: Console, failed: bool, boot: bool, prefix: str | None, root: Path, user: bool) -> None:
    """Go back to the release before the one that runs, from a trial or after it was committed."""
    from edgekit.deploy.here import at_boot, hands_here, require_root
    from edgekit.deploy.install import downtime_s
    from edgekit.deploy.rollback import end_failed, roll_back
    from edgekit.deploy.trial import end_at_boot

    if failed and boot:
        raise click.UsageError("--failed and --boot are two different ones")
    hands = hands_here(layout_of(prefix, root, user=user))
    require_root(hands.layout)
    go_back = end_failed if failed else roll_back
    operation = end_at_boot(at_boot(hands)) if boot else go_back(hands)
    running = hands.layout.running() or ""
    downtime = downtime_s(operation) if operation else None
    reason = operation.reason if operation else ""
    console.document({"release": running, "changed": operation is not None, "reason": reason, "downtime_s": downtime})
    if operation is None:
        console.print("Nothing to go back from.")
    elif running:
        console.print(f"Release {running[:SHORT]} runs again{f': {reason}' if reason else ''}.")
    else:
        console.print("There was no release before: nothing is installed now.")
