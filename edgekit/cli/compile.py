"""``edgekit compile``: what a bundle needs to start fast and small on this very machine."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.plans import check_document, document, require_plans, show_check, show_plans, whose
from edgekit.console import Console
from edgekit.errors import EdgeKitError
from edgekit.units import format_bytes


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
    from edgekit.engines.compile import compile_bundle
    from edgekit.pipeline import check_plans

    opened = open_bundle(bundle)
    with console.progress() as progress:
        compiled = compile_bundle(opened, progress)
        checked = check_plans(opened, compiled, progress)
    for doubt in compiled.doubts:
        console.note(doubt)
    told = {
        "folder": str(compiled.folder),
        "bytes": compiled.bytes,
        "seconds": round(compiled.seconds, 2),
        "peak_bytes": compiled.peak_bytes,
    }
    why = str(checked) if isinstance(checked, EdgeKitError) else None
    more = document(compiled) | {"check": check_document(checked), "why": why}
    console.document(told | more if compiled.plans else told)
    if compiled.plans:
        show_plans(console, opened, compiled)
        console.print()
    console.print(
        f"{compiled.folder}: {format_bytes(compiled.bytes)} in {compiled.seconds:.1f} s, "
        f"with {format_bytes(compiled.peak_bytes)} of memory"
    )
    if compiled.plans:
        console.print(f"TensorRT's engines are built, for {whose(opened, compiled)}.")
    show_check(console, opened, compiled, checked)
    require_plans(console, compiled, checked, force=False)
