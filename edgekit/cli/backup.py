"""``edgekit backup``: a copy of what the service keeps, made while it runs."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.backup import show_backed_up
from edgekit.console import Console
from edgekit.errors import MissingExtra


@click.command("backup")
@click.argument("place", required=False, type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(path_type=Path), help="Copy the keys to this file, to be kept apart.")
@common
def command(console: Console, place: Path | None, keys: Path | None) -> None:
    """Back up what the service keeps into PLACE, a folder or a .tar that is not there yet; and its keys, by --keys.

    The service may run. A backup can't be read without the keys, and what is deleted later can't be read in it any
    more, as long as the keys are copied anew. This needs: pip install 'edgekit[serve]'.
    """
    if place is None and keys is None:
        raise click.UsageError("give a PLACE for the data, or --keys FILE, or both")
    try:
        from edgekit.ward.backup.here import back_up_here
    except ModuleNotFoundError as error:
        raise MissingExtra("A backup", "serve") from error
    with console.progress() as progress:
        backed_up = back_up_here(place, keys, progress)
    console.document(backed_up.document())
    show_backed_up(console, backed_up)
