"""``edgekit evaluate``: how often bundles answer rightly, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.evaluate.compare import Evaluated
    from edgekit.evaluate.share import Share

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
    from edgekit.evaluate.compare import evaluate_bundles, evaluate_recipes, require_writable, write_rows
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
            found = list(evaluate_bundles(bundles, asked, slots, progress))
        else:
            found = list(evaluate_recipes(embedded(), recipes, target("cpu"), asked, slots, progress))
    documents = [_document(one) for one in found]
    console.document(documents[0] if len(documents) == 1 else {"bundles": documents})
    _show(console, found)
    if out is not None:
        write_rows(out, found)


def _document(one: Evaluated) -> dict[str, Any]:
    scores = one.scores
    return {
        "name": one.name,
        "recipe": one.recipe,
        "bytes": one.bytes,
        "digest": one.digest,
        "closed": scores.metrics.closed,
        "open_recall": scores.metrics.open_recall,
        "right": {
            **{form: _share(share) for form, share in scores.forms.items()},
            "names_every_finding": _share(scores.names_all),
        },
        "guessing": {form: share.percent for form, share in scores.guessing.items()},
        "topics": {topic: _share(share) for topic, share in scores.topics.items()},
        "rows": scores.rows,
    }


def _share(share: Share) -> dict[str, Any]:
    return {"percent": share.percent, "interval": share.interval, "right": share.right, "total": share.total}


def _show(console: Console, found: Sequence[Evaluated]) -> None:
    first, names = found[0].scores, [one.name for one in found]
    rows = [["on disk", "", *(format_bytes(one.bytes) for one in found)]]
    for form in first.forms:
        guessed = f"{first.guessing[form].percent:.1f}"
        rows += _row(form, guessed, [one.scores.forms[form] for one in found])
    rows += _row("  names every finding", "", [one.scores.names_all for one in found])
    if console.verbose:
        for topic in first.topics:
            rows += _row(f"  {topic}", "", [one.scores.topics[topic] for one in found])
    console.table(["answered rightly, %", "guessing", *names], rows, right=["guessing", *names])
    console.print("\n±: half of Wilson's 95 % interval. Guessing: always the commonest answer to each topic.")
    if len(found) > 1:
        console.print(f"\nAnswers that turned wrong (-) and right (+) against {names[0]}, on the same questions:")
        rows = [
            [
                form,
                *(f"-{change.lost} +{change.won}" for change in (first.change(one.scores, form) for one in found[1:])),
            ]
            for form in first.forms
        ]
        console.table(["", *names[1:]], rows, right=names[1:])


def _row(label: str, guessed: str, shares: Sequence[Share]) -> list[list[str]]:
    """A row of the table; none where nothing was asked."""
    total = shares[0].total
    cells = [f"{share.percent:.1f} ±{(share.interval[1] - share.interval[0]) / 2:.1f}" for share in shares]
    return [[f"{label} ({total})", guessed, *cells]] if total else []
