"""``edgekit evaluate``: how often bundles answer rightly, side by side."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.cli.evaluating import Asking, Data, asking_options, data_options, subjects
from edgekit.cli.judging import Judge, judge_all, judge_options, judged_document, require_judged
from edgekit.cli.show.answered import show_answered, show_foreign, show_left_out
from edgekit.cli.show.confidence import show_calibrated
from edgekit.cli.show.evaluate import show_scores
from edgekit.cli.show.judged import show_judged
from edgekit.console import Console
from edgekit.errors import EdgeKitError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("evaluate")
@click.argument("bundles", nargs=-1, type=click.Path(path_type=Path), metavar="[BUNDLE]...")
@click.option("--recipe", "recipe_names", multiple=True, metavar="R", help="Without a BUNDLE.  [default: fp32 to q4]")
@click.option("--predictions", type=_FILE, help="Score the answers in this file, and ask nobody.")
@data_options
@asking_options
@judge_options
@common
def command(
    console: Console,
    bundles: tuple[Path, ...],
    recipe_names: tuple[str, ...],
    predictions: Path | None,
    data: Data,
    asking: Asking,
    judge: Judge,
) -> None:
    """Ask each BUNDLE questions whose answers are known, and count the right answers.

    Without --data, about phantoms: synthetic radiographs, so a figure says how well a bundle kept what its checkpoint
    can do, and nothing about patients. With it, a split of VQA-RAD, SLAKE, PathVQA or a set in LLaVA's form; what was
    answered is kept: the same command goes on where it was stopped. Without a BUNDLE, the embedded model is built by
    each recipe and asked. With --predictions, answers to a set that anybody wrote, in LLaVA's form, are scored.
    With --judge another model scores long answers, those to LLaVA-Med's conversation set.

    With --calibrate-confidence it is learned from how sure on which an answer may be relied, by these questions: `ask`
    and the service then say where one may not.
    """
    if asking.calibrate_confidence and not bundles:
        raise click.UsageError("--calibrate-confidence is kept in a bundle; name the BUNDLE, or leave it out")
    if judge.wanted and data.phantoms:
        raise click.UsageError("say which conversation set --judge is for by --data and --split")
    if predictions is not None:
        if bundles or recipe_names:
            raise click.UsageError("--predictions is scored without asking; leave it, or the BUNDLE or --recipe, out")
        if data.phantoms:
            raise click.UsageError("say which set --predictions answers by --data and --split")
        asking.require_none()
        _score(console, predictions, data, judge)
    elif data.phantoms:
        _phantoms(console, bundles, recipe_names, data.count, asking)
    else:
        _set(console, bundles, recipe_names, data, asking, judge)


def _phantoms(
    console: Console, bundles: tuple[Path, ...], recipe_names: tuple[str, ...], count: int, asking: Asking
) -> None:
    if asking.max_tokens is not None:
        raise click.UsageError("--max-tokens is for a set; give --data, or leave it out")
    if asking.on is not None:
        raise click.UsageError("--on is for a set; give --data, or leave it out")
    asked = subjects(bundles, recipe_names)
    from edgekit.evaluate.calibrating import calibrate_on_phantoms, require_place, with_confidence
    from edgekit.evaluate.compare import document, evaluate_phantoms, require_writable, write_rows
    from edgekit.evaluate.phantoms import questions

    if asking.out is not None:
        require_writable(asking.out)  # minutes of asking are not to end in an error
    if asking.calibrate_confidence:
        require_place(bundles)
    with console.progress() as progress:
        evaluated = list(evaluate_phantoms(asked, questions(count), asking.slots, progress))
        calibrated = (
            calibrate_on_phantoms(bundles, evaluated, questions(count), progress) if asking.calibrate_confidence else []
        )
    console.document(with_confidence(document(evaluated), calibrated))
    show_scores(console, evaluated)
    if calibrated:
        show_calibrated(console, asked.names, calibrated)
    if asking.out is not None:
        write_rows(asking.out, evaluated)


def _set(
    console: Console, bundles: tuple[Path, ...], recipe_names: tuple[str, ...], data: Data, asking: Asking, judge: Judge
) -> None:
    """Ask a set; :class:`EdgeKitError` at the end where questions have no answer."""
    if asking.on is not None and not bundles:
        raise click.UsageError("--on needs a BUNDLE that every node can read")
    asked = subjects(bundles, recipe_names)
    from edgekit.evaluate.answered import document
    from edgekit.evaluate.asking import MAX_TOKENS, QuestionSet
    from edgekit.evaluate.bootstrap import require_scipy
    from edgekit.evaluate.calibrating import calibrate_on_set, require_place, with_confidence
    from edgekit.evaluate.on_set import evaluate_set
    from edgekit.evaluate.predictions import default_out
    from edgekit.runtime import SamplingParams

    require_scipy()
    if asking.calibrate_confidence:
        require_place(bundles)
    dataset = data.read()
    show_left_out(console, dataset)
    judging = judge.judging(dataset)
    questions = QuestionSet(dataset=dataset, params=SamplingParams(max_tokens=asking.max_tokens or MAX_TOKENS))
    out = asking.out or default_out(dataset)
    with console.progress() as progress:
        if asking.on is None:
            answered = evaluate_set(asked, questions, out, asking.slots, progress)
        else:
            from edgekit.evaluate.on_ray import evaluate_on_ray

            answered = evaluate_on_ray(asking.on, asked, questions, out, asking.slots, progress)
        calibrated = calibrate_on_set(bundles, answered, questions, progress) if asking.calibrate_confidence else []
    judged = judge_all(console, judging, answered, out)
    console.document(with_confidence(judged_document(document(answered), judged), calibrated))
    show_answered(console, answered)
    show_judged(console, judged, out)
    if calibrated:
        show_calibrated(console, asked.names, calibrated)
    console.print(f"\nAnswers: {out}")
    failed = sum(len(each.failed) for each in answered)
    if failed:
        raise EdgeKitError(
            f"{failed} of {len(answered) * len(dataset.items)} questions have no answer",
            f"See 'error' in {out}; the same command asks them again.",
        )
    require_judged(judged)


def _score(console: Console, predictions: Path, data: Data, judge: Judge) -> None:
    """Score what a file holds."""
    from edgekit.evaluate.answered import document
    from edgekit.evaluate.bootstrap import require_scipy
    from edgekit.evaluate.foreign import read_predictions

    require_scipy()
    dataset = data.read(with_pictures=False)
    show_left_out(console, dataset)
    judging = judge.judging(dataset)
    foreign = read_predictions(predictions, dataset)
    show_foreign(console, foreign)
    judged = judge_all(console, judging, foreign.answered, predictions)
    console.document(judged_document(document(foreign.answered), judged))
    show_answered(console, foreign.answered)
    show_judged(console, judged, predictions)
    require_judged(judged)
