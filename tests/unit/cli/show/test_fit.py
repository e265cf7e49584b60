"""Fitted tables: alone where they go to a file by the shell, else what was planned, is planned now, and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.cli.show.fit import show_fitted
from edgekit.console import Console
from edgekit.profile.fitted import FittedTables
from edgekit.units import GIB
from tests.rendered import rows
from tests.unit.profile.made import profile

TABLES = FittedTables({}, (), None)


def test_tables_alone_are_all_of_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    show_fitted(Console(), TABLES)
    assert capsys.readouterr().out == f"{TABLES.text}\n"


def test_shares_are_of_what_was_measured(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 1 GiB that was planned to the byte and is planned a tenth larger, and 1.5 that were planned as 3."""
    planned: Any = SimpleNamespace(static_bytes=11 * GIB // 10, dynamic_bytes=9 * GIB // 8)
    monkeypatch.setattr(FittedTables, "planned_now", lambda self: iter([(profile(), planned)]))
    show_fitted(Console(), replace(TABLES, out=Path("engines.toml")))
    shown = rows(capsys.readouterr().out)
    assert shown[1] == ["llava-test q4", "static", "1.00 GiB (+0.0 %)", "1.10 GiB (+10.0 %)", "1.00 GiB"]
    assert shown[2] == ["llava-test q4", "dynamic", "3.00 GiB (+100.0 %)", "1.12 GiB (-25.0 %)", "1.50 GiB"]
