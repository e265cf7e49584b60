"""The paper's tables with ours beside them, as Markdown, CSV or HTML has them: cells, and notes on where each is from.

A figure that nobody published or measured is a dash, never another's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.report.paper.literature import Literature
from edgekit.report.paper.measured import DOMAINS, SETS, Figure, Measured
from edgekit.units import GIB

MISSING = "–"
ACCURACY = tuple(f"{title} {kind}" for title in SETS for kind in ("open", "closed"))
JUDGED = ("conversation", "description", *DOMAINS.values(), "overall")
_GROUPS = {
    "baseline": "general, before medical training",
    "supervised": "supervised fine-tuning on each set",
    "zero-shot": "zero-shot",
    "literature": "literature, no multimodal LLMs",
}
OURS = "measured here"


@dataclass(frozen=True)
class Row:
    """A line of a table: a model's ``name``, in which ``group`` it stands, and a cell for each column."""

    name: str
    group: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table with its ``title`` and ``columns``; ``notes`` say where figures come from and what they mean."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    def markdown(self) -> str:
        """Return it in Markdown, groups as lines of their own."""
        lines = [f"## {self.title}", "", _line(["", *self.columns]), _line(["---", *("---:" for _ in self.columns)])]
        group = None
        for row in self.rows:
            if row.group != group:
                group = row.group
                lines.append(_line([f"*{group}*", *("" for _ in self.columns)]))
            lines.append(_line([row.name, *row.cells]))
        return "\n".join([*lines, "", *(f"{number}. {note}" for number, note in enumerate(self.notes, 1)), ""])

    def csv(self) -> str:
        """Return it as CSV, a line a model; empty where a figure is missing."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["model", "group", *self.columns])
        for row in self.rows:
            writer.writerow([row.name, row.group, *("" if cell == MISSING else cell for cell in row.cells)])
        return text.getvalue()

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; null where a figure is missing."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [
                {
                    "model": row.name,
                    "group": row.group,
                    "cells": [None if cell == MISSING else cell for cell in row.cells],
                }
                for row in self.rows
            ],
            "notes": list(self.notes),
        }


def accuracy_table(published: Literature, measured: Sequence[Measured]) -> Table:
    """Return Table I: open recall and closed accuracy as the paper counts it."""
    theirs = [
        Row(each.model, group, _published(each.figures, ACCURACY))
        for key, group in _GROUPS.items()
        for each in published.accuracy
        if each.group == key
    ]
    notes = _Notes(f"Published: {published.source}.", "In percent. Ours: the test split, SLAKE's English rows.")
    ours = [_ours(each, each.accuracy, ACCURACY, notes) for each in measured if each.accuracy]
    return Table("Table I: answers about medical pictures", ACCURACY, (*theirs, *ours), notes.all)


def judged_table(published: Literature, measured: Sequence[Measured]) -> Table:
    """Return Table II: what a judge gave, in percent of what it gave the reference's answers."""
    theirs = [Row(each.model, "judged by GPT-4", _published(each.figures, JUDGED)) for each in published.judged]
    notes = _Notes(f"Published: {published.source}.", "Two judges are two scales: compare figures of one judge alone.")
    ours = [_ours(each, each.judged, JUDGED, notes) for each in measured if each.judged]
    return Table("Table II: long answers, by a judge", JUDGED, (*theirs, *ours), notes.all)


def memory_table(published: Literature, measured: Sequence[Measured]) -> Table:
    """Return the figures of Figure 3: memory after loading, and while it answers, in GiB."""
    columns = ("static, GiB", "dynamic, GiB")
    theirs = [
        Row(each.model, "published", (_gib(each.published.static_bytes), _gib(each.published.dynamic_bytes)))
        for each in published.accuracy
        if each.published.static_bytes or each.published.dynamic_bytes
    ]
    notes = _Notes(f"Published: {published.source}.", "Static of 8-bit variants follows from the paper's tables.")
    ours = []
    for each in measured:
        figures = (each.static_bytes, each.dynamic_bytes)
        if any(figures):
            marks = notes.marks(figure for figure in figures if figure is not None)
            cells = tuple(_gib(None if figure is None else figure.value) for figure in figures)
            ours.append(Row(f"{_named(each)} {marks}", OURS, cells))
    return Table("Figure 3: memory", columns, (*theirs, *ours), notes.all)


class _Notes:
    """Notes that are numbered as they are first referred to."""

    def __init__(self, *notes: str) -> None:
        self._notes = list(notes)

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def marks(self, figures: Iterable[Figure]) -> str:
        """Return the numbers of the figures' files, as in "[3, 4]"."""
        numbers = []
        for source in dict.fromkeys(str(figure.source) for figure in figures):
            if source not in self._notes:
                self._notes.append(source)
            numbers.append(self._notes.index(source) + 1)
        return f"[{', '.join(map(str, numbers))}]"


def _ours(measured: Measured, figures: Mapping[str, Figure], columns: Sequence[str], notes: _Notes) -> Row:
    given = [figures.get(column) for column in columns]
    marks = notes.marks(figure for figure in given if figure is not None)
    return Row(f"{_named(measured)} {marks}", OURS, tuple(map(_cell, given)))


def _named(measured: Measured) -> str:
    recipe = measured.recipe
    return measured.name if not recipe or recipe in measured.name else f"{measured.name}, {recipe}"


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return MISSING
    if figure.interval is None:
        return f"{figure.value:.2f}"
    return f"{figure.value:.2f} ({figure.interval[0]:.1f} to {figure.interval[1]:.1f})"


def _published(figures: Mapping[str, float], columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{figures[column]:.2f}" if column in figures else MISSING for column in columns)


def _gib(size: float | None) -> str:
    return MISSING if size is None else f"{size / GIB:.2f}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
