"""``edgekit compile``: what a bundle needs to start fast and small on this very machine."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.plans import require_plans, show_prepared
from edgekit.console import Console


@click.command("compile")
@click.argument("bundle", type=click.Path(path_type=Path))
@common
def command(console: Console, bundle: Path) -> None:
    """Pack BUNDLE's weights for this machine's processor; every start maps them from then on. For a target of
    TensorRT's: build its engines, on the device, or for RTX cards on any x86-64 machine with the extra rtx.

    `edgekit build` has done so already, if it ran on this machine; do it again after an update of ONNX Runtime or
    TensorRT. Engines that were built on the device are asked the bundle's golden questions at once.
    """
    from edgekit.bundle import open_bundle
    from edgekit.pipeline import prepare

    with console.progress() as progress:
        prepared = prepare(open_bundle(bundle), progress)
    for doubt in prepared.doubts:
        console.note(doubt)
    console.document(prepared.document())
    show_prepared(console, prepared)
    require_plans(console, prepared, force=False)
