"""Bars of a plan's memory."""

from __future__ import annotations

import io
import sys

import pytest

from edgekit.cli.show.bars import bar


def test_bars_are_plain_where_the_terminal_knows_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bar(0, 4, 8, 8) == "████"
    assert bar(4, 1, 8, 8) == "    █"
    assert bar(7, 1, 1000, 8) == "▏"
    narrow = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert bar(4, 4, 8, 8) == "    ####"
