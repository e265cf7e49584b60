"""``edgekit commit``: what is on trial stays."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.cli.show.install import SHORT
from edgekit.console import Console


@click.command("commit")
@click.option("--if-healthy", is_flag=True, help="Look once, and commit after ten healthy minutes: for the timer.")
@place_options
@common
def command(console: Console, if_healthy: bool, prefix: str | None, root: Path, user: bool) -> None:
    """Commit the release that is on trial: nothing goes back from it by itself any more."""
    from edgekit.deploy.health import unhealthy
    from edgekit.deploy.here import hands_here, require_root
    from edgekit.deploy.states import read_committed
    from edgekit.deploy.trial import commit, left_of, watch

    hands = hands_here(layout_of(prefix, root, user=user))
    require_root(hands.layout)
    if if_healthy:
        look = watch(hands, lambda: unhealthy(hands))
        console.document({"outcome": look.outcome, "why": look.why})
        console.print(f"{look.outcome}: {look.why}" if look.why else look.outcome)
        return
    operation = commit(hands)
    release = str(operation.about["release"])
    console.document({"release": release, "state": "committed"})
    before = read_committed(hands.layout)
    kept = " The one before is kept, for `edgekit rollback`." if before and before.previous else ""
    console.print(f"Release {release[:SHORT]} is committed.{kept}")
    for problem in left_of(operation):
        console.note(f"Something of the old releases stays: {problem}")
