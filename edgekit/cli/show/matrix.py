"""Plans of every recipe on every target: what stays free of their memory, or is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.plan import Matrix, MemoryPlan


def show_matrix(console: Console, matrix: Matrix) -> None:
    """Show targets down, recipes across: what stays free, or what is missing; and the best that fits."""
    recipes: Sequence[str] = list(next(iter(matrix.plans.values())))
    rows = []
    for name, row in matrix.plans.items():
        target = next(iter(row.values())).target
        cells = [_cell(row[recipe]) for recipe in recipes]
        rows.append((name, f"{target.slots} × {target.context}", *cells, matrix.best[name] or "none"))
    console.table(("target", "slots", *recipes, "best"), rows, right=tuple(recipes))
    console.print("\nMemory that stays free; with − what is missing.")


def _cell(planned: MemoryPlan) -> str:
    size = format_bytes(abs(planned.free_bytes))
    return size if planned.fits else f"−{size}"
