"""``edgekit plan``: what a model takes on a device before anything is built, and what would fit where it doesn't."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common, show_notes, vision_option
from edgekit.cli.show.fit import show_fitted
from edgekit.cli.show.matrix import show_matrix
from edgekit.cli.show.memory import show_plan
from edgekit.console import Console


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
    from edgekit.plan import advised_plan
    from edgekit.plan.asked import asked
    from edgekit.target import with_site_budget

    if fits:
        _fit(console, sources, out)
        return
    path = _only(sources, out)
    _require_one_kind(path, vision, every, target_name, recipe_name, context)
    if every:
        _plan_all(console, path, vision, slots, context)
        return
    wanted = asked(path, vision, target_name, recipe_name)
    show_notes(console, wanted.notes)
    advised = advised_plan(wanted.model, with_site_budget(wanted.target).resized(slots, context), wanted.recipe)
    console.document(advised.document())
    show_plan(console, advised.plan, context)
    if advised.refusal is not None:
        if not force:
            raise advised.refusal
        console.note(f"Forced: {advised.refusal}")


def _only(sources: tuple[Path, ...], out: Path | None) -> Path:
    from edgekit.phantom.embedded import embedded

    if len(sources) > 1 or out:
        raise click.UsageError("one model is planned at a time; several profiles, and --out, are for --fit")
    return sources[0] if sources else embedded()


def _require_one_kind(
    path: Path, vision: Path | None, every: bool, target: str | None, recipe: str | None, context: int | None
) -> None:
    """Refuse options that are not for what ``path`` is, or not for each other."""
    from edgekit.plan.asked import is_bundle

    bundled = is_bundle(path)
    refusals = {
        f"--vision is for checkpoints, and {path} is a bundle": bundled and vision,
        "--all takes every target and recipe; leave --target and --recipe out": every and (target or recipe),
        f"--all is for checkpoints, and {path} is a bundle, built by one recipe": every and bundled,
        f"--recipe and --context are for checkpoints, and {path} is a bundle": bundled and (recipe or context),
    }
    for sentence, applies in refusals.items():
        if applies:
            raise click.UsageError(sentence)


def _fit(console: Console, profiles: tuple[Path, ...], out: Path | None) -> None:
    from edgekit.profile.fitted import fit_profiles

    if not profiles:
        raise click.UsageError("--fit takes profiles: BUNDLE/profiles/*.json, or bundles that have some")
    fitted = fit_profiles(profiles, out)
    console.document(fitted.document())
    show_fitted(console, fitted)


def _plan_all(console: Console, path: Path, vision: Path | None, slots: int | None, context: int | None) -> None:
    from edgekit.plan.asked import checkpoint_at
    from edgekit.plan.matrix import shipped_matrix

    model = checkpoint_at(path, vision)
    show_notes(console, model.spec.notes)
    plans = shipped_matrix(model, slots, context)
    console.document(plans.document())
    show_matrix(console, plans)
