"""What bundles answered to a set, side by side, as a table; and what of the set could not be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.evaluate.metrics import Metrics
    from edgekit.evaluate.on_set import Answered
    from edgekit.vqa.dataset import Dataset

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


def show_answered(console: Console, answered: Sequence[Answered], out: Path) -> None:
    """Show the scores, and where the answers are."""
    names = [each.name for each in answered]
    rows = [["on disk", *(format_bytes(each.bytes) for each in answered)]]
    for label, value in _METRICS.items():
        figures = [value(each.metrics) for each in answered]
        if any(figure is not None for figure in figures):
            rows.append([label, *("" if figure is None else f"{figure:.1f}" for figure in figures)])
    if any(each.failed for each in answered):
        rows.append(["without an answer", *(str(len(each.failed)) for each in answered)])
    console.table(["%", *names], rows, right=names)
    console.print(f"\nAnswers: {out}")


_METRICS: dict[str, Callable[[Metrics], float | None]] = {
    "closed (paper)": lambda metrics: metrics.closed.paper if metrics.closed else None,
    "closed (LLaVA-Med)": lambda metrics: metrics.closed.llava_med if metrics.closed else None,
    "open, recall": lambda metrics: metrics.open_recall,
}
