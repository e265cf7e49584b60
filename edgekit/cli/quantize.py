"""``edgekit quantize``: a smaller checkpoint, which every other command takes in the original's place."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import CALIBRATE, common, requantize_flag, show_notes, vision_option
from edgekit.console import Console
from edgekit.units import format_bytes


@click.command("quantize")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "--recipe", "recipe_name", default="q4", show_default=True, metavar="R", help="fp32, fp16, q8, q4 or a TOML."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the new checkpoint.")
@vision_option
@click.option("--calibrate", type=click.Path(path_type=Path), metavar="DATA", help=CALIBRATE)
@requantize_flag
@common
def command(
    console: Console,
    checkpoint: Path,
    recipe_name: str,
    out: Path,
    vision: Path | None,
    calibrate: Path | None,
    requantize: bool,
) -> None:
    """Write CHECKPOINT's weights in a recipe's precision, in EdgeKit's own format."""
    from edgekit.checkpoint.open import open_checkpoint
    from edgekit.pipeline.precision import quantize_to
    from edgekit.recipe import recipe

    source = open_checkpoint(checkpoint, vision, requantize=requantize)
    show_notes(console, source.spec.notes)
    with console.progress() as progress:
        quantized = quantize_to(source, recipe(recipe_name), out, calibrate, progress)
    for note in quantized.notes:
        console.note(note)
    console.document(quantized.document())
    sizes = f"{format_bytes(quantized.bytes)}, from {format_bytes(quantized.source_bytes)}"
    console.print(f"{out}: {sizes} ({quantized.recipe.title})")
