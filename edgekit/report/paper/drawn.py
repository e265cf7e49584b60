"""The paper's figures with ours in them, drawn: memory as bars, accuracy against memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgekit.report.paper.pareto import COLUMN, Point, fit, front
from edgekit.report.paper.tables import MISSING, OURS, Table
from edgekit.report.pictures import LINES, drawing
from edgekit.units import GIB

_THEIRS, _OURS = LINES[0], LINES[1]


def memory_figure(table: Table, out: Path) -> None:
    """Draw static and dynamic memory of each row of :func:`~edgekit.report.paper.tables.memory_table`, a bar each; what
    is missing has none. Errors as of :func:`~edgekit.report.pictures.drawing`."""
    with drawing(out) as (_, axes):
        places = np.arange(len(table.rows))[::-1]
        for column, (label, hatch) in enumerate((("static", ""), ("dynamic", "///"))):
            for place, row in zip(places, table.rows, strict=True):
                cell, color = row.cells[column], _OURS if row.group == OURS else _THEIRS
                if cell != MISSING:
                    axes.barh(place + 0.2 - 0.4 * column, float(cell), 0.4, color=color, hatch=hatch, edgecolor="white")
                    axes.text(float(cell), place + 0.2 - 0.4 * column, f" {cell} {label}", va="center", fontsize=8)
        axes.set_yticks(places, [row.name for row in table.rows], fontsize=9)
        axes.margins(x=0.18)
        axes.set_xlabel("memory, GiB")
        axes.set_title("Memory after loading, and while it answers (blue: published)", fontsize=11, loc="left")


def pareto_figure(models: Sequence[Point], out: Path) -> None:
    """Draw accuracy against dynamic memory on a logarithmic scale, the Pareto front, and the fitted logarithm.

    Errors as of :func:`memory_figure`.
    """
    with drawing(out) as (figure, axes):
        for ours, color, marker in ((False, _THEIRS, "o"), (True, _OURS, "s")):
            shown = [point for point in models if point.ours is ours]
            label = OURS if ours else "published"
            axes.scatter(
                [point.memory_bytes / GIB for point in shown],
                [point.accuracy for point in shown],
                color=color,
                marker=marker,
                label=label,
            )
        for point in models:
            place = (point.memory_bytes / GIB, point.accuracy)
            axes.annotate(point.name, place, xytext=(5, 5), textcoords="offset points", fontsize=8)
        best = front(models)
        axes.step(
            [point.memory_bytes / GIB for point in best],
            [point.accuracy for point in best],
            where="post",
            color="#222222",
            linewidth=1,
            label="Pareto front",
        )
        fitted = fit(models)
        if fitted is not None:
            memory = np.geomspace(*_ends([point.memory_bytes / GIB for point in models]), 50)
            start, slope = fitted
            text = f"{start:.1f} {slope:+.1f} ln(GiB)"
            axes.plot(memory, start + slope * np.log(memory), color="#AA3377", linestyle="--", label=text)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.margins(x=0.15, y=0.15)
        axes.set_xlabel("dynamic memory, GiB")
        axes.set_ylabel(f"{COLUMN}, %")
        axes.set_title("Accuracy against memory", fontsize=11, loc="left")
        figure.legend(loc="outside lower center", ncols=4, frameon=False)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
