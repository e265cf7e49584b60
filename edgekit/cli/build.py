"""``edgekit build``: from a checkpoint to a sealed bundle."""

from __future__ import annotations

import platform
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.common import CALIBRATE, common, requantize_flag, show_notes, vision_option
from edgekit.cli.plans import check_document, document, require_plans, show_check, show_plans, whose
from edgekit.console import Console
from edgekit.errors import EdgeKitError
from edgekit.units import format_bytes, parse_bytes

if TYPE_CHECKING:
    from edgekit.fitting import Decided
    from edgekit.pipeline import Built

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
    from edgekit.engines.compile import Compiled
    from edgekit.phantom.embedded import embedded
    from edgekit.pipeline import build
    from edgekit.recipe import recipe
    from edgekit.target import target

    source = checkpoint or embedded()
    chosen, how = target(target_name), recipe(recipe_name)
    place = out or DEFAULT_OUT / f"{source.resolve().name}-{chosen.name}-{how.name}"
    with console.progress() as progress:
        built = build(
            source,
            chosen,
            how,
            place,
            vision=vision,
            requantize=requantize,
            calibrate=calibrate,
            fit=parse_bytes(fit) if fit else None,
            force=force,
            progress=progress,
        )
    _note(console, built)
    console.document(_document(built))
    _show(console, built)
    if isinstance(built.form, Compiled):
        require_plans(console, built.form, built.on_gpu, force)


def _note(console: Console, built: Built) -> None:
    """What was not as asked, what the model's reading noticed, and what was forced."""
    for note in built.notes:
        console.note(note)
    show_notes(console, built.bundle.manifest.spec)
    for doubt in getattr(built.form, "doubts", ()):
        console.note(doubt)
    for reason in built.bundle.manifest.forced:
        console.note(f"Forced: {reason}")


def _document(built: Built) -> dict[str, Any]:
    from edgekit.cli.check import document as check

    bundle, decided = built.bundle, built.decided
    return {
        "bundle": str(bundle.path),
        "digest": bundle.digest,
        "bytes": bundle.bytes,
        "check": check(built.checked),
        "components": built.plan.components,
        "compiled": built.compiled,
        "why": _why(built),
        "method": bundle.manifest.recipe.method,
        "sensitivity": decided.sensitivity,
        "wider": decided.choice.wider if decided.choice else [],
        "forced": bundle.manifest.forced,
        **_plans(built),
    }


def _why(built: Built) -> str | None:
    """Why nothing was compiled here, or why what was could not be checked; None where neither is so."""
    from edgekit.engines.compile import NotCompiled

    if isinstance(built.form, NotCompiled):
        return str(built.form.why)
    return str(built.on_gpu) if isinstance(built.on_gpu, EdgeKitError) else None


def _plans(built: Built) -> dict[str, Any]:
    """TensorRT's, where they were built here."""
    from edgekit.engines.compile import Compiled

    if not isinstance(built.form, Compiled) or not built.form.plans:
        return {}
    return {**document(built.form), "gpu_check": check_document(built.on_gpu)}


def _show(console: Console, built: Built) -> None:
    from edgekit.cli.check import line

    bundle = built.bundle
    _show_choice(console, built.decided)
    columns = ("component", "precision", "in memory")
    weights = [part for part in built.plan.parts if part.basis == "exact"]
    console.table(columns, [(part.name, part.form, format_bytes(part.bytes)) for part in weights], right=columns[2:])
    console.print(f"\n{bundle.path}: {format_bytes(bundle.bytes)} on disk, for {bundle.manifest.target.title}")
    console.print(line(built.checked))
    if bundle.manifest.target.engine == "tensorrt":
        _show_engines(console, built)
    if _answers(built):
        console.print(f"Ask it: edgekit ask {shlex.quote(str(bundle.path))} QUESTION --image FILE")
    if notice := bundle.manifest.spec.intended_use:
        console.print(f"\n{notice}")


def _answers(built: Built) -> bool:
    """Whether this machine would: the device needs its engines, any other takes its processor."""
    from edgekit.engines.compile import Compiled
    from edgekit.engines.place import gpu_for

    target = built.bundle.manifest.target
    if target.engine != "tensorrt" or (isinstance(built.form, Compiled) and not built.form.ahead):
        return not isinstance(built.on_gpu, EdgeKitError)
    try:
        return gpu_for(target) is None
    except EdgeKitError:
        return False


def _show_engines(console: Console, built: Built) -> None:
    """What became of TensorRT's engines, and what is still to do."""
    from edgekit.engines.compile import NotCompiled

    form, target = built.form, built.bundle.manifest.target
    compile_it = f"edgekit compile {shlex.quote(str(built.bundle.path))}"
    if not isinstance(form, NotCompiled):
        console.print()
        show_plans(console, built.bundle, form)
        console.print(f"\nTensorRT's engines are built, for {whose(built.bundle, form)}.")
        show_check(console, built.bundle, form, built.on_gpu)
        return
    if form.tried or target.arch == platform.machine():
        console.print(f"TensorRT's engines are not built: {form.why.message}\n{form.why.hint}".rstrip())
    if form.tried:
        console.print(
            f"The bundle is whole, but a device with that GPU does not answer without engines. Build them: {compile_it}"
        )
    elif target.arch == "x86_64":
        console.print(f"Still to do, on the device or on any x86-64 machine with the extra rtx: {compile_it}")
    elif target.arch == "any":
        console.print(f"Still to do, on the device: {compile_it}")
    else:
        memory = format_bytes(built.plan.building.compile_bytes)
        console.print(
            f"Still to do: TensorRT's engines are built on the device, in minutes and with about {memory} of memory. "
            f"There, with JetPack 6.2 or newer and the extra jetson (pip install 'edgekit[jetson]'), run: {compile_it}"
        )


def _show_choice(console: Console, decided: Decided) -> None:
    """What each part loses in the recipe's precision, and which were widened."""
    if decided.sensitivity is None or decided.choice is None:
        return
    losses = sorted(decided.sensitivity.losses.items(), key=lambda pair: -pair[1])
    rows = [(name, f"{loss:.2g}", "wider" if name in decided.choice.wider else "") for name, loss in losses]
    console.table(("part", "nats lost", ""), rows, right=("nats lost",))
    console.print(f"Weights take {format_bytes(decided.choice.bytes)}.\n")
