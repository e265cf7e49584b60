"""Figures: every model and every figure that is known stands in them, as text."""

from __future__ import annotations

from pathlib import Path

from edgekit.report.paper.drawn import memory_figure, pareto_figure
from edgekit.report.paper.literature import literature
from edgekit.report.paper.measured import read_measured
from edgekit.report.paper.pareto import points
from edgekit.report.paper.tables import memory_table
from tests.reported import evaluation, profile, write


def test_what_is_known_is_drawn_and_what_is_missing_is_not(tmp_path: Path) -> None:
    measured = read_measured([write(tmp_path, e=evaluation("our $bundle", 60.0), p=profile("our $bundle", 1.0, 1.25))])
    memory_figure(memory_table(literature(), measured), tmp_path / "memory.svg")
    drawn = (tmp_path / "memory.svg").read_text()
    assert all(text in drawn for text in ("LLaVA-Med-Q8", "8.07 static", "1.25 dynamic", "our $bundle"))
    assert drawn.count(" dynamic<") == 4
    pareto_figure(points(literature(), measured), tmp_path / "pareto.svg")
    drawn = (tmp_path / "pareto.svg").read_text()
    assert all(text in drawn for text in ("TinyLLaVA-Med-FQ4", "our $bundle", "Pareto front", "ln(GiB)"))
    assert "mathdefault" not in drawn


def test_one_model_has_no_logarithm(tmp_path: Path) -> None:
    pareto_figure(points(literature(), [])[:1], tmp_path / "one.svg")
    assert "ln(GiB)" not in (tmp_path / "one.svg").read_text()
