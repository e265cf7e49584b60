"""``edgekit status``: how this machine's installation fares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.installing import layout_of, place_options
from edgekit.cli.show.status import nightly_fields, show_failed, show_status
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.deploy.layout import Layout


@click.command("status")
@click.option("--check", is_flag=True, help="Check it now, as every night: its files, then its golden answers.")
@place_options
@common
def command(console: Console, check: bool, prefix: str | None, root: Path, user: bool) -> None:
    """Show which release runs, on trial or committed, whether it answers, why the last one went back, and what the
    nightly check said.

    Exit code 1 where it does not answer; of --check, 3 where that fails.
    """
    if check:
        _check(console, layout_of(prefix, root, user=user))
        return
    from edgekit.deploy.health import unhealthy
    from edgekit.deploy.here import hands_here
    from edgekit.deploy.status import status

    told = status(hands_here(layout_of(prefix, root, user=user)), unhealthy)
    console.document(told.document())
    show_status(console, told)
    if told.standing.running and told.unhealthy:
        raise click.exceptions.Exit(1)


def _check(console: Console, layout: Layout) -> None:
    from edgekit.deploy.here import hands_here, require_root
    from edgekit.deploy.nightly import check_nightly
    from edgekit.deploy.nightly_here import means_here

    require_root(layout)
    with console.progress() as progress:
        nightly = check_nightly(hands_here(layout, progress=progress), means_here(layout, progress))
    console.document(nightly.document() if nightly else {"release": ""})
    if nightly is None:
        console.print("Nothing is installed.")
        return
    console.fields(nightly_fields(nightly))
    show_failed(console, nightly)
    if nightly.failed:
        raise click.exceptions.Exit(3)
