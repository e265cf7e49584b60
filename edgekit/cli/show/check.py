"""A check as tables, and in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.check import Checked, CheckedComponent
    from edgekit.check.limits import Limit


def check_line(checked: Checked) -> str:
    """Return a check in one line."""
    figures = checked.figures
    return (
        f"Checked: top-1 {100 * figures.top1_decided:.1f} % of {figures.decided} decided positions, "
        f"KL {figures.kl:.2g}, perplexity x{figures.perplexity_ratio:.3f} beside the {checked.beside}"
    )


def show_checked(console: Console, checked: Checked) -> None:
    """Show whole answers, then each component alone, with limits."""
    figures = checked.figures
    console.heading(f"{figures.sequences} answers, {figures.positions} positions, beside the {checked.beside}")
    rows = [_row(limit) for limit in checked.limits]
    rows += [
        ("", "top-1 everywhere", f"{figures.top1:.3g}", ""),
        ("", "first tokens", f"{figures.first_token:.3g}", ""),
    ]
    console.table(("", "whole answers", "measured", "limit"), rows, right=("measured",))
    console.print()
    parts = [cells for component in checked.components for cells in _component(component)]
    console.table(("", "component alone", "", "measured", "limit"), parts, right=("measured",))
    console.print()
    same = f"{figures.same_tokens} of {figures.sequences} answers are the very tokens"
    console.print(f"{same} that {checked.engine} gave where the bundle was built.")
    if checked.stood_in:
        console.print("This machine's processor ran the graphs: the engines of a GPU were not asked.")


def _row(limit: Limit) -> tuple[str, str, str, str]:
    sign = "≥" if limit.least else "≤"
    return "✓" if limit.passed else "✗", limit.name, f"{limit.measured:.3g}", f"{sign} {limit.limit:.3g}"


def _component(component: CheckedComponent) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for at, limit in enumerate(component.limits):
        mark, name, measured, bound = _row(limit)
        rows.append((mark, component.name if at == 0 else "", name, measured, bound))
    if component.measured.fault:
        rows.append(("✗", "", component.measured.fault, "", ""))
    return rows
