"""What was published: rows as the tables have them, and the memory that was published with them."""

from __future__ import annotations

from collections import Counter

from edgekit.report.paper.literature import literature
from edgekit.report.paper.tables import ACCURACY, JUDGED
from edgekit.units import GIB


def test_the_tables_have_the_paper_s_rows_and_figures() -> None:
    published = literature()
    assert Counter(each.group for each in published.accuracy) == {
        "baseline": 1, "supervised": 6, "zero-shot": 9, "literature": 6,
    }  # fmt: skip
    assert len(published.judged) == 9
    by_name = {(each.group, each.model): each for each in published.accuracy}
    q4 = by_name["zero-shot", "LLaVA-Med-Q4"]
    assert [q4.figures[column] for column in ACCURACY] == [29.82, 62.87, 43.98, 62.50, 9.85, 69.15]
    assert by_name["supervised", "TinyLLaVA-Med-F (1.5B)"].figures["PathVQA open"] == 39.25
    assert set(by_name["literature", "PubMedCLIP"].figures) == set(ACCURACY[:4])  # no PathVQA was published
    fq4 = next(each for each in published.judged if each.model == "TinyLLaVA-Med-FQ4")
    assert [fq4.figures[column] for column in JUDGED] == [51.60, 38.07, 59.42, 41.94, 49.43, 49.93, 40.42, 48.09]


def test_every_figure_is_a_percentage_of_a_column_that_is_shown() -> None:
    published = literature()
    for row, columns in ((published.accuracy, ACCURACY), (published.judged, JUDGED)):
        for each in row:
            assert set(each.figures) <= set(columns)
            assert all(0 < figure < 100 for figure in each.figures.values())


def test_memory_is_that_of_the_variant() -> None:
    by_name = {each.model: each for each in literature().accuracy if each.memory is not None}
    assert len(by_name) == 5
    assert by_name["TinyLLaVA-Med-FQ4"].published.dynamic_bytes == round(1.68 * GIB)
    assert by_name["LLaVA-Med-Q8"].published.dynamic_bytes is None
    assert literature().accuracy[0].published.static_bytes is None
