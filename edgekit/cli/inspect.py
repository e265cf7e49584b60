"""``edgekit inspect``: what a checkpoint or a bundle holds, and what it may be used for."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common, vision_option
from edgekit.cli.show.inspect import show_bundle, show_checkpoint
from edgekit.cli.show.verify import verify
from edgekit.console import Console


@click.command("inspect")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@vision_option
@click.option("--verify", "ask_hashes", is_flag=True, help="Of a bundle, read every file and compare its hash.")
@common
def command(console: Console, checkpoint: Path, vision: Path | None, ask_hashes: bool) -> None:
    """Show CHECKPOINT's family, parts, parameters, template, licence and intended use.

    CHECKPOINT may be a bundle, too: then its target, recipe, files, compiled forms and licence, and whether it is
    unharmed.
    """
    from edgekit.bundle import MANIFEST

    if (checkpoint / MANIFEST).exists():
        if vision:
            raise click.UsageError(f"--vision is for checkpoints, and {checkpoint} is a bundle")
        _bundle(console, checkpoint, ask_hashes)
    elif ask_hashes:
        raise click.UsageError(f"--verify is for bundles, and {checkpoint} is none")
    else:
        _checkpoint(console, checkpoint, vision)


def _bundle(console: Console, path: Path, ask_hashes: bool) -> None:
    from edgekit.bundle import open_bundle
    from edgekit.check.inspect import inspect_bundle

    bundle = open_bundle(path)
    if ask_hashes:
        verify(console, bundle)
    inspection = inspect_bundle(bundle, ask_hashes)
    console.document(inspection.document())
    show_bundle(console, inspection)


def _checkpoint(console: Console, path: Path, vision: Path | None) -> None:
    from edgekit.checkpoint.inspect import inspect
    from edgekit.checkpoint.open import open_checkpoint

    inspection = inspect(open_checkpoint(path, vision, requantize=True))
    console.document(inspection.document())
    show_checkpoint(console, inspection)
