"""How often bundles answered rightly, side by side, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.evaluate.compare import Evaluated
    from edgekit.evaluate.share import Share


def show_scores(console: Console, evaluated: Sequence[Evaluated]) -> None:
    """Show right answers by form, with ``--verbose`` by topic; of several bundles, what changed against the first."""
    first, names = evaluated[0].scores, [each.name for each in evaluated]
    rows = [["on disk", "", *(format_bytes(each.bytes) for each in evaluated)]]
    for form in first.forms:
        guessed = f"{first.guessing[form].percent:.1f}"
        rows += _row(form, guessed, [each.scores.forms[form] for each in evaluated])
    rows += _row("  names every finding", "", [each.scores.names_all for each in evaluated])
    if console.verbose:
        for topic in first.topics:
            rows += _row(f"  {topic}", "", [each.scores.topics[topic] for each in evaluated])
    console.table(["answered rightly, %", "guessing", *names], rows, right=["guessing", *names])
    console.print("\n±: half of Wilson's 95 % interval. Guessing: always the commonest answer to each topic.")
    if len(evaluated) > 1:
        console.print(f"\nAnswers that turned wrong (-) and right (+) against {names[0]}, on the same questions:")
        rows = []
        for form in first.forms:
            changes = [first.change(each.scores, form) for each in evaluated[1:]]
            rows.append([form, *(f"-{change.lost} +{change.won}" for change in changes)])
        console.table(["", *names[1:]], rows, right=names[1:])


def _row(label: str, guessed: str, shares: Sequence[Share]) -> list[list[str]]:
    """A row of the table; none where nothing was asked."""
    total = shares[0].total
    cells = [f"{share.percent:.1f} ±{(share.interval[1] - share.interval[0]) / 2:.1f}" for share in shares]
    return [[f"{label} ({total})", guessed, *cells]] if total else []
