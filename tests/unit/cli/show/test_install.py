"""An install for people: what is said before, and where nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.cli.show.install import show_downtime_before, show_installed
from edgekit.console import Console
from tests.deploying import NEW, OLD, Site

Capture = pytest.CaptureFixture[str]


def test_downtime_is_told_by_its_reason(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path)
    show_downtime_before(Console(), site.order(NEW), site.hands)
    assert capsys.readouterr().err == "", "nothing runs"
    site.installed(OLD)
    show_downtime_before(Console(), site.order(NEW, stops_first=True), site.hands)
    assert "compiled, checked, measured and loaded" in capsys.readouterr().err


def test_in_an_image_nothing_is_said_to_answer(tmp_path: Path, capsys: Capture) -> None:
    site = Site(tmp_path)
    site.install(NEW, image=True)
    show_installed(Console(), site.layout, NEW, site.journal.last(), on_trial=False)
    out = capsys.readouterr().out
    assert f"lies in {tmp_path}. It was not tried" in out
    assert "answers" not in out
