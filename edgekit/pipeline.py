"""``build``: the stages in order, from a checkpoint to a sealed bundle that this machine can run.

plan (does it fit?) → quantize (lazily) → export → seal → compile, where this machine can.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from edgekit import __version__
from edgekit.bundle import FORMAT, MANIFEST, Bundle, Manifest, open_bundle, sealing
from edgekit.checkpoint import open_checkpoint
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.engines.compile import compile_here
from edgekit.errors import BundleError, ConfigError
from edgekit.export.export import export
from edgekit.files import new_directory, require_space
from edgekit.plan import MemoryPlan, plan, require_fit
from edgekit.plan.advice import shortfall
from edgekit.plan.planning import usable_context
from edgekit.progress import Progress, silent
from edgekit.quantize import write_checkpoint
from edgekit.quantize.calibrate import made, with_method
from edgekit.recipe import Recipe
from edgekit.target import Target


@dataclass(frozen=True)
class Built:
    """A finished bundle, what was planned for it, whether this machine has compiled it for itself, and what was not as
    asked, a sentence each."""

    bundle: Bundle
    plan: MemoryPlan
    compiled: bool
    notes: tuple[str, ...] = ()


def build(
    checkpoint: Path,
    target: Target,
    recipe: Recipe,
    out: Path,
    *,
    vision: Path | None = None,
    calibrate: Path | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Built:
    """Plan, quantize, export, seal to ``out``, and compile where this machine is of the target's kind.

    ``calibrate``: examples (:func:`~edgekit.inputs.examples.read_examples`) that the quantized weights are fitted to.
    What is done of that is kept beside ``out`` until the bundle is there, so that an interrupted build goes on.
    Raises :class:`~edgekit.errors.EdgeKitError`, and ``out`` is then as it was before;
    :class:`~edgekit.errors.GateRefused` where it can't fit the target, unless ``force``.
    """
    source = open_checkpoint(checkpoint, vision)
    recipe = with_method(source, recipe, calibrate)
    planned = plan(source, target, recipe)
    if not force:
        require_fit(planned, source, recipe)
    forced = () if planned.fits else (shortfall(planned),)
    context = planned.target.context
    _require_own_place(out, source.path.name, target, recipe)
    manifest = Manifest(FORMAT, __version__, source.path.name, source.spec, recipe, target, context, forced, {})
    quantized = made(source, recipe, calibrate, _kept(out), progress)
    with sealing(out, manifest, progress) as folder:
        require_space(out, planned.disk.bundle_bytes)
        export(quantized.checkpoint, target.activations, context, folder, progress)
        (folder / "tokenizer.json").write_text(source.tokenizer_json, encoding="utf-8")
    shutil.rmtree(_kept(out), ignore_errors=True)
    bundle = open_bundle(out)
    return Built(bundle, planned, compile_here(bundle, progress), quantized.notes)


def _kept(out: Path) -> Path:
    """Where an interrupted calibration for ``out`` goes on from."""
    return out.with_name(f".{out.name}.calibration")


def _require_own_place(out: Path, source: str, target: Target, recipe: Recipe) -> None:
    """Only a bundle of the same model for the same target by the same recipe makes way for a new one."""
    if not (out / MANIFEST).exists():
        return
    try:
        there = open_bundle(out).manifest
    except BundleError:
        return  # damaged, or of another format: building it again is what its error advises
    for what, old, new in (
        ("checkpoint", there.source, source),
        ("target", there.target.name, target.name),
        ("recipe", there.recipe.name, recipe.name),
    ):
        if old != new:
            raise ConfigError(
                f"{out} holds a bundle of another {what}: {old}, not {new}",
                "Choose another place with --out, or remove it first.",
            )


def export_graphs(source: Checkpoint, target: Target, out: Path, progress: Progress = silent) -> list[Path]:
    """Write a checkpoint's graphs, as it is stored, to a new folder ``out``; the files written."""
    with new_directory(out) as folder:
        export(source, target.activations, usable_context(source.spec, target), folder, progress)
    return sorted(path for path in out.rglob("*") if path.is_file())


def quantize_to(
    source: Checkpoint, recipe: Recipe, out: Path, data: Path | None = None, progress: Progress = silent
) -> tuple[str, ...]:
    """Write a checkpoint in the recipe's precision to a new folder ``out``, fitted to the examples of ``data`` where
    there are any; what was not as asked, a sentence each. An interrupted calibration goes on as a build's does."""
    how = with_method(source, recipe, data)
    quantized = made(source, how, data, _kept(out), progress)
    write_checkpoint(quantized.checkpoint, how, out, progress)
    shutil.rmtree(_kept(out), ignore_errors=True)
    return quantized.notes
