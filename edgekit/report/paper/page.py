"""One page with all tables and figures in it, that opens from a stick: no script, nothing fetched, on a phone too."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from edgekit.report.paper.tables import Table

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>EdgeKit: accuracy and memory beside what was published</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.5rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #8884 }
th:first-child, td:first-child { text-align: left; min-width: 9rem }
tr.group td { font-style: italic; padding-top: 1rem; border-bottom-width: 2px }
tr.ours td { font-weight: 600 }
ol { font-size: .85rem; overflow-wrap: anywhere }
img { max-width: 100%; height: auto; background: white }
</style>
<h1>Accuracy and memory beside what was published</h1>
"""


def page(tables: Sequence[Table], figures: Mapping[str, bytes], ours: str) -> str:
    """Return the page: ``tables``, behind each the SVG of its title in ``figures``; rows of the group ``ours`` stand
    out."""
    parts = [_HEAD]
    for table in tables:
        parts += [f"<h2>{escape(table.title)}</h2>\n", _table(table, ours), _notes(table.notes)]
        svg = figures.get(table.title)
        if svg is not None:
            data = base64.b64encode(svg).decode("ascii")
            parts.append(f'<img alt="{escape(table.title)}" src="data:image/svg+xml;base64,{data}">\n')
    return "".join(parts)


def _table(table: Table, ours: str) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in ("", *table.columns))
    lines = [f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n']
    group = None
    for row in table.rows:
        if row.group != group:
            group = row.group
            lines.append(f'<tr class="group"><td colspan="{len(row.cells) + 1}">{escape(group)}</td></tr>\n')
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (row.name, *row.cells))
        mark = ' class="ours"' if row.group == ours else ""
        lines.append(f"<tr{mark}>{cells}</tr>\n")
    return "".join([*lines, "</tbody></table></div>\n"])


def _notes(notes: Sequence[str]) -> str:
    return f"<ol>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ol>\n"
