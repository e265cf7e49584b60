"""``edgekit evaluate``: how often bundles answer rightly, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.evaluating import Asking, Data, asking_options, data_options, subjects
from edgekit.cli.show.answered import show_answered, show_left_out
from edgekit.cli.show.evaluate import show_scores
from edgekit.console import Console
from edgekit.errors import EdgeKitError


@click.command("evaluate")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path), metavar="[BUNDLE]...")
@click.option("--recipe", "recipe_names", multiple=True, metavar="R", help="Without a BUNDLE.  [default: fp32 to q4]")
@data_options
@asking_options
@common
def command(
    console: Console, bundles: tuple[Path, ...], recipe_names: tuple[str, ...], data: Data, asking: Asking
) -> None:
    """Ask each BUNDLE questions whose answers are known, and count the right answers.

    Without --data, about phantoms: synthetic radiographs, so a figure says how well a bundle kept what its checkpoint
    can do, and nothing about patients. With it, a split of VQA-RAD, SLAKE, PathVQA or a set in LLaVA's form; what was
    answered is kept: the same command goes on where it was stopped. Without a BUNDLE, the embedded model is built by
    each recipe and asked.
    """
    if data.phantoms:
        _phantoms(console, bundles, recipe_names, data.count, asking)
    else:
        _set(console, bundles, recipe_names, data, asking)


def _phantoms(
    console: Console, bundles: tuple[Path, ...], recipe_names: tuple[str, ...], count: int, asking: Asking
) -> None:
    if asking.max_tokens is not None:
        raise click.UsageError("--max-tokens is for a set; give --data, or leave it out")
    asked = subjects(bundles, recipe_names)
    from edgekit.evaluate.compare import document, evaluate_phantoms, require_writable, write_rows
    from edgekit.evaluate.phantoms import questions

    if asking.out is not None:
        require_writable(asking.out)  # minutes of asking are not to end in an error
    with console.progress() as progress:
        evaluated = list(evaluate_phantoms(asked, questions(count), asking.slots, progress))
    console.document(document(evaluated))
    show_scores(console, evaluated)
    if asking.out is not None:
        write_rows(asking.out, evaluated)


def _set(
    console: Console, bundles: tuple[Path, ...], recipe_names: tuple[str, ...], data: Data, asking: Asking
) -> None:
    """Ask a set; :class:`EdgeKitError` at the end where questions have no answer."""
    asked = subjects(bundles, recipe_names)
    from edgekit.evaluate.asking import MAX_TOKENS, QuestionSet
    from edgekit.evaluate.on_set import document, evaluate_set
    from edgekit.evaluate.predictions import default_out
    from edgekit.runtime import SamplingParams

    dataset = data.read()
    show_left_out(console, dataset)
    questions = QuestionSet(dataset=dataset, params=SamplingParams(max_tokens=asking.max_tokens or MAX_TOKENS))
    out = asking.out or default_out(dataset)
    with console.progress() as progress:
        answered = evaluate_set(asked, questions, out, asking.slots, progress)
    console.document(document(answered))
    show_answered(console, answered, out)
    failed = sum(len(each.failed) for each in answered)
    if failed:
        raise EdgeKitError(
            f"{failed} of {len(answered) * len(dataset.items)} questions have no answer",
            f"See 'error' in {out}; the same command asks them again.",
        )
