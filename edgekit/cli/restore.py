"""``edgekit restore``: a backup brought back, all of it but what was deleted since."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.backup import show_restored
from edgekit.console import Console
from edgekit.errors import MissingExtra


@click.command("restore")
@click.argument("backup", type=click.Path(path_type=Path))
@click.option("--keys", required=True, type=click.Path(path_type=Path), help="The file that backup --keys made.")
@common
def command(console: Console, backup: Path, keys: Path) -> None:
    """Bring BACKUP back, while the service is stopped.

    All of it is looked at before anything changes, and what was there is moved aside. What was deleted since has no
    key any more: it is counted, and left out. This needs: pip install 'edgekit[serve]'.
    """
    try:
        from edgekit.ward.backup.here import restore_here
    except ModuleNotFoundError as error:
        raise MissingExtra("A backup", "serve") from error
    with console.progress() as progress:
        restored = restore_here(backup, keys, progress)
    console.document(restored.document())
    show_restored(console, restored)
