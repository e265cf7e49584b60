"""``edgekit export``: a checkpoint's ONNX graphs alone, without a bundle around them."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common, show_notes, vision_option
from edgekit.console import Console
from edgekit.units import format_bytes


@click.command("export")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the graphs.")
@click.option("--target", "target_name", default="cpu", show_default=True, metavar="T", help="A name or a TOML.")
@vision_option
@common
def command(console: Console, checkpoint: Path, out: Path, target_name: str, vision: Path | None) -> None:
    """Write the vision, projector and decoder graphs of CHECKPOINT as it is stored (quantize it first, if you like)."""
    from edgekit.checkpoint.open import open_checkpoint
    from edgekit.pipeline import export_graphs
    from edgekit.target import target

    source = open_checkpoint(checkpoint, vision)
    show_notes(console, source.spec.notes)
    with console.progress() as progress:
        graphs = export_graphs(source, target(target_name), out, progress)
    console.document(graphs.document())
    rows = [(str(path), format_bytes(size)) for path, size in graphs.files.items()]
    console.table(("file", "bytes"), rows, right=("bytes",))
