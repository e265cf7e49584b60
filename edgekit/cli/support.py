"""``edgekit support``: one archive for help from afar, which shows what is in it before it is written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.support import show_archive, show_written
from edgekit.config.state import state_folder
from edgekit.console import Console


@click.command("support")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where.  [default: edgekit-support-TIME.tar.gz, here]")
@common
def command(console: Console, bundle: Path | None, out: Path | None) -> None:
    """Gather what helps from afar into one archive: nothing of patients, no secrets, no names.

    It shows what is in it, and asks at a terminal before it is written. BUNDLE is what is served, where that is neither
    installed nor the embedded model.
    """
    from edgekit.serve.support import support_here
    from edgekit.support.archive import require_new

    if out is not None:
        require_new(out)
    with console.progress() as progress:
        archive = support_here(state_folder(), bundle, progress)
    show_archive(console, archive)
    path = out or Path(archive.file_name)
    if _is_asked(console) and not click.confirm(f"\nWrite this to {path}?", default=True):
        console.print("Nothing was written.")
        return
    written = archive.write(path)
    console.document(written.document())
    show_written(console, written)


def _is_asked(console: Console) -> bool:
    return not console.json and sys.stdin.isatty() and sys.stdout.isatty()
