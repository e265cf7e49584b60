"""``edgekit tune``: training; so far of the embedded model alone."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.errors import MissingExtra


@click.group("tune")
@common
def command(console: Console) -> None:
    """Train a model. This needs PyTorch: pip install 'edgekit[tune]'."""


@command.command("embedded")
@click.argument("out", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same model.")
@common
def embedded(console: Console, out: Path, seed: int) -> None:
    """Make the embedded model anew, from nothing, and write its checkpoint to DIR: under an hour on two cores."""
    try:
        from edgekit.tune.embedded import train_embedded
        from edgekit.tune.training import Curriculum
    except ModuleNotFoundError as missing:
        if missing.name not in ("torch", "transformers"):
            raise
        raise MissingExtra("Training", "tune") from missing
    with console.progress() as progress:
        training = train_embedded(out, Curriculum(seed=seed), progress)
    console.document(training.document())
    reached = ", ".join(f"{form} {100 * share:.1f} %" for form, share in training.reached.items())
    console.print(f"{out}: {reached} on the validation split, after {training.seconds // 60} minutes")
    console.print(
        f"Its figures on the test split: edgekit build {shlex.quote(str(out))} --target cpu, then edgekit evaluate"
    )
