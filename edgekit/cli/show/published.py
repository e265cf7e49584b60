"""Published memory figures beside ours, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console
from edgekit.units import GIB

if TYPE_CHECKING:
    from edgekit.report.memory import MemoryReport, Ours, Variant

_VARIANTS = {"fp16": "16-bit", "q8": "Q8", "q4": "Q4"}


def show_published(console: Console, report: MemoryReport) -> None:
    """Show what was published and what is planned on every target; then, for each device, what was measured."""
    names = list(report.variants[0].planned)
    rows = [
        (*head, published, *(_cell(variant.planned[name], kind) for name in names))
        for variant in report.variants
        for kind, head, published in _lines(variant)
    ]
    columns = ("GiB", "", "paper", *names)
    console.table(columns, rows, right=columns[2:])
    console.print(
        "\nPaper: El Mir, Luoga et al.; its Q8 is arithmetic, – was not published."
        f"\nOurs: planned with {report.slots} slot of {report.context} tokens. Of a card, its own memory; cpu and"
        "\norin share one memory, so there it is the whole process. ✗: doesn't fit."
    )
    _show_measured(console, report.variants)


def _show_measured(console: Console, variants: Sequence[Variant]) -> None:
    """A table for each device: its name may be long, and stands above."""
    columns = ("GiB", "", "paper", "measured", "of paper's", "highest")
    for device in sorted({device for variant in variants for device in variant.measured}):
        rows = []
        for variant in variants:
            if ours := variant.measured.get(device):
                for kind, head, published in _lines(variant):
                    highest = f"{ours.peak_bytes / GIB:.2f}" if kind == "dynamic" else ""
                    rows.append((*head, published, _cell(ours, kind), _ratio(ours, kind), highest))
        console.heading(f"\nMeasured on {device} tokens")
        console.table(columns, rows, right=columns[2:])


def _lines(variant: Variant) -> list[tuple[str, tuple[str, str], str]]:
    """The two lines of a variant: which they are of, how they begin, and what was published."""
    name = f"{variant.model} {_VARIANTS[variant.recipe]}"
    static, dynamic = variant.published.static_bytes, variant.published.dynamic_bytes
    return [("static", (name, "static"), _gib(static)), ("dynamic", ("", "dynamic"), _gib(dynamic))]


def _gib(size: int | None) -> str:
    return "–" if size is None else f"{size / GIB:.2f}"


def _cell(ours: Ours, kind: str) -> str:
    size = ours.static_bytes if kind == "static" else ours.dynamic_bytes
    return f"{size / GIB:.2f}{'' if ours.fits else ' ✗'}"


def _ratio(ours: Ours, kind: str) -> str:
    ratio = ours.static_ratio if kind == "static" else ours.dynamic_ratio
    return "–" if ratio is None else f"{100 * ratio:.0f} %"
