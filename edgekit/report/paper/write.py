"""The paper's tables and figures with ours, written into a folder: Markdown, CSV, SVG, PNG, and one page with all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.files import write_text, writing
from edgekit.report.paper.drawn import memory_figure, pareto_figure
from edgekit.report.paper.literature import literature
from edgekit.report.paper.measured import Measured
from edgekit.report.paper.page import page
from edgekit.report.paper.pareto import COLUMN, Point, front, points
from edgekit.report.paper.tables import OURS, Row, Table, accuracy_table, judged_table, memory_table
from edgekit.units import GIB


@dataclass(frozen=True)
class PaperReport:
    """The tables, and the files that were written."""

    tables: tuple[Table, ...]
    files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """Return both as JSON has them."""
        return {"tables": [table.document() for table in self.tables], "files": [str(file) for file in self.files]}


def write_paper(measured: Sequence[Measured], out: Path) -> PaperReport:
    """Write tables and figures into the folder ``out``; the same figures write the same bytes.

    :class:`~edgekit.errors.MissingExtra` without matplotlib, before anything is written.
    """
    published = literature()
    memory, models = memory_table(published, measured), points(published, measured)
    tables = {
        "table1": accuracy_table(published, measured),
        "table2": judged_table(published, measured),
        "figure3": memory,
        "figure4": pareto_table(models),
    }
    files = [out / f"{name}.{kind}" for name in ("figure3", "figure4") for kind in ("svg", "png")]
    for file in files:
        if file.stem == "figure3":
            memory_figure(memory, file)
        else:
            pareto_figure(models, file)
    svgs = {tables[name].title: (out / f"{name}.svg").read_bytes() for name in ("figure3", "figure4")}
    texts = {f"{name}.csv": table.csv() for name, table in tables.items()}
    texts["report.md"] = "\n".join(table.markdown() for table in tables.values())
    texts["report.html"] = page(list(tables.values()), svgs, OURS)
    for name, text in texts.items():
        with writing(out / name):
            write_text(out / name, text)
    return PaperReport(tuple(tables.values()), (*files, *(out / name for name in texts)))


def pareto_table(models: Sequence[Point]) -> Table:
    """Return the figures of Figure 4, and which of them are on the Pareto front."""
    best = front(models)
    rows = tuple(
        Row(
            point.name,
            OURS if point.ours else "published",
            (f"{point.memory_bytes / GIB:.2f}", f"{point.accuracy:.2f}", "yes" if point in best else "no"),
        )
        for point in models
    )
    notes = ("Models of which both figures are known; where each comes from stands with the tables above.",)
    return Table("Figure 4: accuracy against memory", ("dynamic, GiB", f"{COLUMN}, %", "Pareto front"), rows, notes)
