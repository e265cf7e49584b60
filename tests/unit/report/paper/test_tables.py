"""Tables in Markdown, CSV and JSON: ours beside theirs, with notes on their files, and dashes for what is missing."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from edgekit.report.paper.literature import literature
from edgekit.report.paper.measured import read_measured
from edgekit.report.paper.tables import ACCURACY, OURS, accuracy_table, judged_table, memory_table
from tests.reported import evaluation, profile, write


def test_table_1_has_groups_apart_and_ours_last_with_its_file(tmp_path: Path) -> None:
    measured = read_measured([write(tmp_path, e=evaluation("a", 60.0, 31.0))])
    table = accuracy_table(literature(), measured)
    assert list(dict.fromkeys(row.group for row in table.rows)) == [
        "general, before medical training",
        "supervised fine-tuning on each set",
        "zero-shot",
        "literature, no multimodal LLMs",
        OURS,
    ]
    ours = table.rows[-1]
    assert ours.name == "a, q4 [3]"
    assert ours.cells == ("31.00 (29.0 to 33.0)", "60.00 (58.0 to 62.0)", "–", "–", "–", "–")
    assert "e.json (sha256 " in table.notes[2]


def test_markdown_has_a_cell_for_every_column(tmp_path: Path) -> None:
    measured = read_measured([write(tmp_path, e=evaluation("a|b\n", 60.0))])
    lines = [line for line in accuracy_table(literature(), measured).markdown().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(ACCURACY) + 2}
    assert "| *zero-shot* |" in "\n".join(lines)


def test_csv_is_read_back_with_nothing_for_what_is_missing(tmp_path: Path) -> None:
    table = accuracy_table(literature(), read_measured([write(tmp_path, e=evaluation("a", 60.0))]))
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert len(rows) == len(table.rows) == 23
    assert rows[-1]["SLAKE open"] == ""
    assert next(row for row in rows if row["model"] == "LLaVA-Med-Q4")["VQA-RAD closed"] == "62.87"
    assert table.document()["rows"][-1]["cells"][2] is None


def test_table_2_and_figure_3_have_only_what_was_measured(tmp_path: Path) -> None:
    measured = read_measured([write(tmp_path, e=evaluation("a", 60.0), p=profile("a", 1.0, 1.25))])
    assert len(judged_table(literature(), measured).rows) == 9
    memory = memory_table(literature(), measured)
    assert memory.rows[-1].cells == ("1.00", "1.25")
    assert next(row for row in memory.rows if row.name == "LLaVA-Med-Q8").cells == ("8.07", "–")
