"""What bundles answered to a set, side by side, as a table; and what of the set could not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.evaluate.answered import Answered
    from edgekit.evaluate.bootstrap import Difference
    from edgekit.evaluate.foreign import Foreign
    from edgekit.evaluate.paired import Comparison, McNemar
    from edgekit.evaluate.scores import Figure, Figures, Metric
    from edgekit.vqa.dataset import Dataset
    from edgekit.vqa.item import Id

_NAMED = 10


def show_left_out(console: Console, dataset: Dataset) -> None:
    """Say which set is asked, and which of its rows are not, each with its reason."""
    console.note(f"{dataset.title} ({dataset.form}), {dataset.split}: {len(dataset.items)} questions")
    if dataset.looks_like is not None:
        seen = f"Its rows look like the form {dataset.looks_like}, and are read as {dataset.form}"
        console.note(f"{seen}: what they say of types may be lost")
    for row in dataset.left_out if console.verbose else dataset.left_out[:_NAMED]:
        console.note(f"Not asked, {row.id!r}: {row.reason}")
    if dataset.left_out:
        more = "" if console.verbose or len(dataset.left_out) <= _NAMED else "; --verbose names them all"
        console.note(f"{len(dataset.left_out)} rows are not asked{more}")


def show_foreign(console: Console, foreign: Foreign) -> None:
    """Say which lines of a file of predictions are passed over, and which questions have none."""
    if foreign.unknown:
        console.note(f"Passed over, as the set does not ask them: {_named(console, foreign.unknown)}")
    for each in foreign.answered:
        if each.failed:
            ids = _named(console, [prediction.question_id for prediction in each.failed])
            console.note(f"No answer of {each.name} to {len(each.failed)} questions, which count as wrong: {ids}")
    if foreign.other_prompts:
        console.note(f"{foreign.other_prompts} prompts are not the set's questions: are they of another split?")


def show_answered(console: Console, answered: Sequence[Answered]) -> None:
    """Show the scores beside those of answers that have seen no picture; with ``--verbose``, by what a set says of its
    questions; of several, what changed against the first."""
    names = [each.name for each in answered]
    baselines = answered[0].baselines
    guessed = [] if baselines is None else [("commonest", baselines.majority), ("random", baselines.random)]
    head = [*(name for name, _ in guessed), *names]
    rows = []
    if any(each.bytes is not None for each in answered):
        sizes = ["" if each.bytes is None else format_bytes(each.bytes) for each in answered]
        rows.append(["on disk", *("" for _ in guessed), *sizes])
    figures = [each.scores.figures for each in answered]
    rows += _rows(_LABELS, "", [*(each for _, each in guessed), *figures])
    if console.verbose:
        for label, values in answered[0].scores.groups.items():
            for value in values:
                by = [each.scores.groups.get(label, {}).get(value, {}) for each in answered]
                rows += _rows(_BY_LABEL, f"  {label.replace('_', ' ')} {value}, ", [*({} for _ in guessed), *by])
    if any(each.failed for each in answered):
        rows.append(["without an answer", *("" for _ in guessed), *(str(len(each.failed)) for each in answered)])
    console.table(["%", *head], rows, right=head)
    console.print(
        "\n±: half of a 95 % interval, of pictures drawn anew. Commonest, random: of the split's own answers."
    )
    if len(answered) > 1:
        from edgekit.evaluate.answered import comparisons

        _show_comparisons(console, comparisons(answered))


def _rows(labels: Mapping[Metric, str], before: str, figures: Sequence[Figures]) -> list[list[str]]:
    """A row for each metric that somebody has."""
    rows = []
    for metric, label in labels.items():
        cells = [each.get(metric) for each in figures]
        count = next((cell.count for cell in cells if cell is not None), 0)
        if count:
            rows.append([f"{before}{label} ({count})", *(_cell(cell) for cell in cells)])
    return rows


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    if figure.interval is None:
        return f"{figure.percent:.1f}"
    low, high = figure.interval
    return f"{figure.percent:.1f} ±{(high - low) / 2:.1f}"


def _show_comparisons(console: Console, comparisons: Sequence[Comparison]) -> None:
    names = [each.second for each in comparisons]
    rows = []
    for label, test in (("closed (paper)", "paper"), ("closed (LLaVA-Med)", "llava_med")):
        tests: list[McNemar | None] = [getattr(each, test) for each in comparisons]
        if any(tests):
            rows.append(
                [label, *("" if one is None else f"-{one.lost} +{one.won}, {_p(one.p_value)}" for one in tests)]
            )
    recalls = [each.open_recall for each in comparisons]
    if any(recalls):
        rows.append(["open, recall", *("" if one is None else _difference(one) for one in recalls)])
    console.print(f"\nAgainst {comparisons[0].first}, on the same questions (McNemar's test; paired bootstrap):")
    console.table(["", *names], rows, right=names)


def _difference(difference: Difference) -> str:
    if difference.interval is None or difference.p_value is None:
        return f"{difference.difference:+.1f}"
    low, high = difference.interval
    return f"{difference.difference:+.1f} ({low:+.1f} to {high:+.1f}), {_p(difference.p_value)}"


def _p(value: float) -> str:
    return f"p = {value:.2g}" if value >= 0.001 else "p < 0.001"


def _named(console: Console, ids: Sequence[Id]) -> str:
    shown = ids if console.verbose else ids[:_NAMED]
    more = "" if len(shown) == len(ids) else f" and {len(ids) - len(shown)} more; --verbose names them all"
    return f"{', '.join(map(repr, shown))}{more}"


_LABELS: dict[Metric, str] = {
    "closed_paper": "closed (paper)",
    "closed_llava_med": "closed (LLaVA-Med)",
    "open_recall": "open, recall",
    "exact_match": "exact match",
    "token_f1": "F1 of words",
}
_BY_LABEL: dict[Metric, str] = {"closed_paper": "closed (paper)", "open_recall": "open, recall"}
