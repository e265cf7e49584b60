"""The page: each table with its notes and its figure, ours standing out, and what is written in them as text."""

from __future__ import annotations

import base64

from edgekit.report.paper.page import page
from edgekit.report.paper.tables import Row, Table

TABLE = Table("T <1>", ("a", "b"), (Row("x", "theirs", ("1", "–")), Row("y", "ours", ("2", "<3>"))), ("From & of.",))


def test_groups_rows_and_notes_stand_in_it_as_text() -> None:
    text = page([TABLE], {}, "ours")
    assert "<h2>T &lt;1&gt;</h2>" in text
    assert '<tr class="group"><td colspan="3">theirs</td></tr>' in text
    assert "<tr><td>x</td><td>1</td><td>–</td></tr>" in text
    assert '<tr class="ours"><td>y</td><td>2</td><td>&lt;3&gt;</td></tr>' in text
    assert "<li>From &amp; of.</li>" in text
    assert "<img" not in text


def test_a_figure_stands_behind_its_table() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    text = page([TABLE], {TABLE.title: svg}, "ours")
    assert f"base64,{base64.b64encode(svg).decode()}" in text
    assert text.index("From &amp; of.") < text.index("<img")
