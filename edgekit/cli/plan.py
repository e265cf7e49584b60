"""``edgekit plan``: what a model takes on a device before anything is built, and what would fit where it doesn't."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common, show_notes, vision_option
from edgekit.cli.show.memory import show_disk, show_matrix, show_memory
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.bundle import Bundle
    from edgekit.checkpoint.checkpoint import Checkpoint
    from edgekit.recipe import Recipe
    from edgekit.target import Target


@click.command("plan")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path), metavar="[CHECKPOINT|BUNDLE]")
@click.option("--target", "target_name", metavar="T", help="A target's name, or the path of its TOML.  [default: cpu]")
@click.option("--recipe", "recipe_name", metavar="R", help="fp32, fp16, q8, q4 or a TOML.  [default: q4]")
@click.option("--slots", type=click.IntRange(min=1), help="Conversations at once.  [default: the target's]")
@click.option("--context", type=click.IntRange(min=1), help="Tokens of each.  [default: the target's]")
@vision_option
@click.option("--all", "every", is_flag=True, help="Every recipe on every target.")
@click.option("--fit", "fits", is_flag=True, help="Fit a table of coefficients from profiles: --fit PROFILE…")
@click.option("--out", type=click.Path(path_type=Path), help="With --fit: write the table to this file.")
@click.option("--force", is_flag=True, help="Don't end with an error where it doesn't fit.")
@common
def command(
    console: Console,
    sources: tuple[Path, ...],
    target_name: str | None,
    recipe_name: str | None,
    slots: int | None,
    context: int | None,
    vision: Path | None,
    every: bool,
    fits: bool,
    out: Path | None,
    force: bool,
) -> None:
    """Show what CHECKPOINT takes on a target: memory, disk, and the peak of building it, before any of it is built.

    Where it doesn't fit, by how much, and what would. BUNDLE is planned as it was built. Without either it is the
    embedded model.

    With --fit, from the profiles that `edgekit profile` left in bundles: the table of coefficients that tells best what
    they measured, and what plans say by it. It counts once it lies at /etc/edgekit/engines.toml.
    """
    from edgekit.bundle import MANIFEST
    from edgekit.phantom.embedded import embedded

    if fits:
        from edgekit.cli.fit import fit_profiles

        fit_profiles(console, sources, out)
        return
    if len(sources) > 1 or out:
        raise click.UsageError("one model is planned at a time; several profiles, and --out, are for --fit")
    path = sources[0] if sources else embedded()
    if vision and (path / MANIFEST).exists():
        raise click.UsageError(f"--vision is for checkpoints, and {path} is a bundle")
    if every:
        if target_name or recipe_name:
            raise click.UsageError("--all takes every target and recipe; leave --target and --recipe out")
        _plan_all(console, path, vision, slots, context)
        return
    model, chosen, how = _chosen(console, path, vision, target_name, recipe_name, slots, context)
    _plan_one(console, model, chosen, how, force)


def _chosen(
    console: Console,
    path: Path,
    vision: Path | None,
    target_name: str | None,
    recipe_name: str | None,
    slots: int | None,
    context: int | None,
) -> tuple[Checkpoint | Bundle, Target, Recipe]:
    """The model, and what it is planned for: as the options say, or as a bundle was built."""
    from edgekit.bundle import MANIFEST, open_bundle
    from edgekit.plan import as_built
    from edgekit.recipe import recipe
    from edgekit.target import target, with_site_budget

    if not (path / MANIFEST).exists():
        chosen, how = target(target_name or "cpu"), recipe(recipe_name or "q4")
        return _open(console, path, vision), _resized(with_site_budget(chosen), slots, context), how
    if recipe_name or context:
        raise click.UsageError(f"--recipe and --context are for checkpoints, and {path} is a bundle")
    bundle = open_bundle(path)
    chosen, how = as_built(bundle, target(target_name) if target_name else None)
    return bundle, _resized(with_site_budget(chosen), slots, None), how


def _open(console: Console, path: Path, vision: Path | None) -> Checkpoint:
    """As a build opens it; matrices that only ``--requantize`` takes are planned, too, and a note says so."""
    from edgekit.checkpoint.open import open_checkpoint

    found = open_checkpoint(path, vision, requantize=True)
    show_notes(console, found.spec)
    return found


def _resized(target: Target, slots: int | None, context: int | None) -> Target:
    return replace(target, slots=slots or target.slots, context=context or target.context)


def _plan_one(console: Console, model: Checkpoint | Bundle, target: Target, recipe: Recipe, force: bool) -> None:
    from edgekit.errors import GateRefused
    from edgekit.plan import advice, document, plan
    from edgekit.plan.advice import hint, shortfall

    planned = plan(model, target, recipe)
    options = [] if planned.fits else advice(model, target, recipe)
    found = [
        {
            "text": option.text,
            "recipe": option.recipe,
            "slots": option.target.slots,
            "context": option.target.context,
            "free_bytes": option.free_bytes,
        }
        for option in options
    ]
    console.document({**document(planned), "would_fit": found})
    show_memory(console, planned)
    show_disk(console, planned)
    for warning in planned.over_budget:
        console.note(f"Over budget: {warning}")
    if planned.fits:
        return
    if not force:
        raise GateRefused(shortfall(planned), hint(options, model))
    console.note(f"Forced: {shortfall(planned)}\n{hint(options, model)}")


def _plan_all(console: Console, path: Path, vision: Path | None, slots: int | None, context: int | None) -> None:
    from edgekit.bundle import MANIFEST
    from edgekit.plan import document, matrix
    from edgekit.recipe import recipes
    from edgekit.target import targets

    if (path / MANIFEST).exists():
        raise click.UsageError(f"--all is for checkpoints, and {path} is a bundle, built by one recipe")
    chosen = [_resized(target, slots, context) for target in targets()]
    found = matrix(_open(console, path, vision), chosen, recipes())
    plans = {name: {how: document(one) for how, one in row.items()} for name, row in found.plans.items()}
    console.document({"fits": found.fits, "best": found.best, "plans": plans})
    show_matrix(console, found)
