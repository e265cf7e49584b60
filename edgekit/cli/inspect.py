"""``edgekit inspect``: what a checkpoint holds, and what it may be used for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.checkpoint.inspect import Inspection


@click.command("inspect")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--vision", type=click.Path(path_type=Path), help="Take the vision tower from this checkpoint instead.")
@common
def command(console: Console, checkpoint: Path, vision: Path | None) -> None:
    """Show CHECKPOINT's family, parts, parameters, template, licence and intended use; its weights are not read."""
    from edgekit.checkpoint import open_checkpoint
    from edgekit.checkpoint.inspect import inspect

    found = inspect(open_checkpoint(checkpoint, vision))
    console.document(found)
    console.fields(_describe(found))
    console.print()
    rows = [
        (part.name, part.kind, f"{part.parameters:,}", ", ".join(part.dtypes), format_bytes(part.bytes))
        for part in found.parts
    ]
    console.table(("part", "kind", "parameters", "stored as", "bytes"), rows, right=("parameters", "bytes"))


def _describe(found: Inspection) -> list[tuple[str, str]]:
    template = found.template
    prompt = f"{template.system}{template.user.format(f'{template.image}QUESTION')}{template.opening}"
    return [
        ("family", found.family),
        ("parameters", f"{found.parameters:,} in {format_bytes(found.bytes)}"),
        ("context", f"{found.context} tokens, {found.tokens_per_image} of them per image"),
        ("images", f"{found.image_size} × {found.image_size} pixels"),
        ("vocabulary", f"{found.vocab} tokens"),
        ("template", f"{template.name}: {prompt!r}"),
        ("licence", found.licence or "none given: ask whoever published it"),
        *([("intended use", found.intended_use)] if found.intended_use else []),
        *(("note", note) for note in found.notes),
    ]
