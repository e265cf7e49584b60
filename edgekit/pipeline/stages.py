"""``build``: the stages in order, from a checkpoint to a sealed bundle that this machine can run.

plan (does it fit?) → quantize (lazily) → export → golden answers and their check → seal → compile, where this
machine can.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from edgekit import __version__
from edgekit.bundle import FORMAT, MANIFEST, Manifest, open_bundle, sealing, unsealed
from edgekit.check import Checked, check, require_answers
from edgekit.check.cache import CacheLoss, cache_loss
from edgekit.check.fidelity import fidelity, write_fidelity
from edgekit.check.golden import write_record
from edgekit.check.make import ask_engine, make_golden
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.engines.open import engine_here, give_back_freed_memory
from edgekit.errors import BundleError, ConfigError, EdgeKitError
from edgekit.export.export import SPELLINGS, export
from edgekit.files import new_directory, require_space
from edgekit.inputs.examples import Example
from edgekit.pipeline.built import Built, GraphFiles
from edgekit.pipeline.precision import decide, forget, held_out, quantized
from edgekit.pipeline.prepared import prepare_here
from edgekit.plan import MemoryPlan, plan, require_fit
from edgekit.plan.advice import shortfall
from edgekit.plan.planning import usable_context
from edgekit.progress import Progress, silent
from edgekit.recipe import Recipe
from edgekit.runtime.model import open_tokenizer
from edgekit.target import Target


def build(
    checkpoint: Path,
    target: Target,
    recipe: Recipe,
    out: Path,
    *,
    vision: Path | None = None,
    calibrate: Path | None = None,
    fit: int | None = None,
    requantize: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Built:
    """Plan, quantize, export, check, seal to ``out``, and compile where this machine is of the target's kind.

    ``calibrate``: examples (:func:`~edgekit.inputs.examples.read_examples`) that the quantized weights are fitted to;
    the check asks others of them (else it asks about phantoms). What is done of that is kept beside ``out`` until the
    bundle is there, so that an interrupted build goes on. ``fit``: bytes of weights within which each part's precision
    is chosen so that least is lost. ``vision`` and ``requantize`` are :func:`~edgekit.checkpoint.open_checkpoint`'s.

    Raises :class:`~edgekit.errors.EdgeKitError`, and ``out`` is then as it was before;
    :class:`~edgekit.errors.GateRefused` where it can't fit the target or its answers fall short, unless ``force``. Once
    it is sealed, what goes wrong stands in what is returned.
    """
    source = open_checkpoint(checkpoint, vision, requantize=requantize)
    decided = decide(source, recipe, target, calibrate, fit, progress)
    recipe = decided.recipe
    planned = plan(source, target, recipe)
    if not force:
        require_fit(planned, source, recipe)
    _require_own_place(out, source.path.name, target, recipe)
    manifest = _manifest(source, target, recipe, planned)
    packed = quantized(source, recipe, calibrate, out, progress)
    also_forced: list[str] = []
    with sealing(out, manifest, progress, also_forced) as folder:
        require_space(out, planned.disk.bundle_bytes)
        spelling = SPELLINGS[target.kind.spelling]
        export(packed.checkpoint, target.activations, manifest.context, folder, progress, spelling)
        (folder / "tokenizer.json").write_text(source.tokenizer_json, encoding="utf-8")
        examples = held_out(calibrate) if calibrate else ()
        checked = _golden(source, packed.checkpoint, folder, manifest, examples, progress)
        if not force:
            require_answers(checked)
        elif not checked.passed:
            also_forced.append(checked.shortfall)
        cache, notes = _cache_loss(folder, manifest, progress)
        write_fidelity(folder, fidelity(source, packed, checked, recipe, cache))
    forget(out)
    prepared = prepare_here(open_bundle(out), progress)
    return Built(plan=planned, checked=checked, prepared=prepared, decided=decided, notes=(*packed.notes, *notes))


def _manifest(source: Checkpoint, target: Target, recipe: Recipe, planned: MemoryPlan) -> Manifest:
    return Manifest(
        format=FORMAT,
        edgekit=__version__,
        source=source.path.name,
        spec=source.spec,
        recipe=recipe,
        target=target,
        context=planned.target.context,
        forced=() if planned.fits else (shortfall(planned),),
        files={},
    )


def _cache_loss(folder: Path, manifest: Manifest, progress: Progress) -> tuple[CacheLoss | None, tuple[str, ...]]:
    """What an int8 cache takes by itself, where there is one; or a note that it could not be measured."""
    if manifest.recipe.kv != "int8":
        return None, ()
    try:
        return cache_loss(unsealed(folder, manifest), progress), ()
    except EdgeKitError as error:  # the bundle is none the worse for a figure that it lacks
        return None, (f"What an int8 cache takes by itself was not measured: {error.message}",)


def _golden(
    source: Checkpoint,
    quantized: Checkpoint,
    folder: Path,
    manifest: Manifest,
    examples: Sequence[Example],
    progress: Progress,
) -> Checked:
    """Make the golden record and check the graphs against it, on the CPU whatever the target: it is what is here."""
    draft = unsealed(folder, manifest)
    with closing(engine_here(draft)) as engine:
        answers = ask_engine(draft, open_tokenizer(draft), engine, examples, progress)
    give_back_freed_memory()  # the reference has it while it reads
    golden = make_golden(source, quantized, draft, answers, progress)
    give_back_freed_memory()
    with closing(engine_here(draft)) as engine:
        checked = check(unsealed(folder, manifest), engine, progress)
    give_back_freed_memory()
    errors = {component.name: component.measured.error for component in checked.components}
    write_record(folder, replace(golden, errors=errors))
    return checked


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


def export_graphs(source: Checkpoint, target: Target, out: Path, progress: Progress = silent) -> GraphFiles:
    """Write a checkpoint's graphs, as it is stored, to a new folder ``out``; the files written."""
    with new_directory(out) as folder:
        context = usable_context(source.spec, target)
        export(source, target.activations, context, folder, progress, SPELLINGS[target.kind.spelling])
    return GraphFiles({path: path.stat().st_size for path in sorted(out.rglob("*")) if path.is_file()})
