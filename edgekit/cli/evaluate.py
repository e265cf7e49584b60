"""``edgekit evaluate``: how often bundles answer rightly, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.show.evaluate import show_scores
from edgekit.console import Console

RECIPES = ("fp32", "fp16", "q8", "q4")


@click.command("evaluate")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path), metavar="[BUNDLE]...")
@click.option("--recipe", "recipe_names", multiple=True, metavar="R", help="Without a BUNDLE.  [default: fp32 to q4]")
@click.option(
    "--questions",
    "count",
    default=2400,
    show_default=True,
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="How many to ask.",
)
@click.option("--slots", type=click.IntRange(1), help="Questions answered at a time.  [default: the target's]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a line of JSON per question here.")
@common
def command(
    console: Console,
    bundles: tuple[Path, ...],
    recipe_names: tuple[str, ...],
    count: int,
    slots: int | None,
    out: Path | None,
) -> None:
    """Ask each BUNDLE questions about phantoms, and count the right answers.

    Phantoms are synthetic radiographs, so a figure says how well a bundle kept what its checkpoint can do, and
    nothing about patients. Without a BUNDLE, the embedded model is built by each recipe and asked.
    """
    if bundles and recipe_names:
        raise click.UsageError("--recipe is for the embedded model; leave it or the BUNDLE out")
    from edgekit.evaluate.compare import document, evaluate_bundles, evaluate_recipes, require_writable, write_rows
    from edgekit.evaluate.phantoms import questions
    from edgekit.phantom.embedded import embedded
    from edgekit.recipe import recipe
    from edgekit.target import target

    if out is not None:
        require_writable(out)  # minutes of asking are not to end in an error
    recipes = [recipe(name) for name in recipe_names or RECIPES]
    with console.progress() as progress:
        asked = questions(count)
        if bundles:
            evaluated = list(evaluate_bundles(bundles, asked, slots, progress))
        else:
            evaluated = list(evaluate_recipes(embedded(), recipes, target("cpu"), asked, slots, progress))
    console.document(document(evaluated))
    show_scores(console, evaluated)
    if out is not None:
        write_rows(out, evaluated)
