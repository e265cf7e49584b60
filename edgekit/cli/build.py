"""``edgekit build``: from a checkpoint to a sealed bundle."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import CALIBRATE, common, requantize_flag, vision_option
from edgekit.cli.show.build import show_built
from edgekit.cli.show.plans import require_plans
from edgekit.console import Console
from edgekit.units import parse_bytes

DEFAULT_OUT = Path("build/out")


@click.command("build")
@click.argument("checkpoint", required=False, type=click.Path(path_type=Path))
@click.option("--target", "target_name", required=True, metavar="T", help="A target's name, or the path of its TOML.")
@click.option(
    "--recipe", "recipe_name", default="q4", show_default=True, metavar="R", help="fp32, fp16, q8, q4 or a TOML."
)
@click.option("--out", type=click.Path(path_type=Path), help="The bundle's folder.  [default: build/out/NAME-T-R]")
@vision_option
@click.option("--calibrate", type=click.Path(path_type=Path), metavar="DATA", help=CALIBRATE)
@click.option("--fit", metavar="BYTES", help='Widen what loses most, as far as weights fit in this ("4 GiB").')
@requantize_flag
@click.option("--force", is_flag=True, help="Build although it doesn't fit or answers wrongly; the manifest keeps it.")
@common
def command(
    console: Console,
    checkpoint: Path | None,
    target_name: str,
    recipe_name: str,
    out: Path | None,
    vision: Path | None,
    calibrate: Path | None,
    fit: str | None,
    requantize: bool,
    force: bool,
) -> None:
    """Quantize CHECKPOINT, write its graphs, and seal them into a bundle that `edgekit ask` can run.

    Without CHECKPOINT it is the embedded model, which answers questions about synthetic radiographs.
    """
    from edgekit.phantom.embedded import embedded
    from edgekit.pipeline import build
    from edgekit.recipe import recipe
    from edgekit.target import target

    source = checkpoint or embedded()
    chosen, precision = target(target_name), recipe(recipe_name)
    place = out or DEFAULT_OUT / f"{source.resolve().name}-{chosen.name}-{precision.name}"
    with console.progress() as progress:
        built = build(
            source,
            chosen,
            precision,
            place,
            vision=vision,
            requantize=requantize,
            calibrate=calibrate,
            fit=parse_bytes(fit) if fit else None,
            force=force,
            progress=progress,
        )
    for remark in built.remarks:
        console.note(remark)
    console.document(built.document())
    show_built(console, built)
    require_plans(console, built.prepared, force)
