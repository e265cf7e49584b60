"""The whole report: the same bytes each time, and a page that fetches nothing."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edgekit.errors import MissingExtra
from edgekit.report.paper.measured import read_measured
from edgekit.report.paper.write import write_paper
from tests.reported import evaluation, profile, write

FILES = {
    *(f"figure{number}.{kind}" for number in (3, 4) for kind in ("svg", "png", "csv")),
    *("table1.csv", "table2.csv", "report.md", "report.html"),
}


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_it_is_written_twice_alike_and_its_page_needs_nothing_else(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=evaluation("<a & b>", 60.0), p=profile("<a & b>", 1.0, 1.25))
    for out in ("one", "two"):
        report = write_paper(read_measured([folder]), tmp_path / out)
    assert {file.name for file in report.files} == FILES
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    page = (tmp_path / "one/report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert "&lt;a &amp; b&gt;" in page
    assert not {"script", "link", "a", "iframe"} & {tag for tag, _ in tags.tags}
    images = [attributes["src"] or "" for tag, attributes in tags.tags if tag == "img"]
    assert len(images) == 2
    assert all(source.startswith("data:image/svg+xml;base64,") for source in images)
    assert not re.search(r"(src|href)=.https?:", page)
    assert report.document()["tables"][0]["rows"][-1]["model"].startswith("<a & b>")


def test_with_nothing_measured_the_published_stands_alone(tmp_path: Path) -> None:
    report = write_paper([], tmp_path)
    assert all(row.group != "measured here" for table in report.tables for row in table.rows)


def test_without_matplotlib_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match="'report'"):
        write_paper([], tmp_path / "out")
    assert not (tmp_path / "out").exists()
