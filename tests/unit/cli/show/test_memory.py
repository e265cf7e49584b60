"""Bars of a plan's memory."""

from __future__ import annotations

import io
import sys

import pytest

from edgekit.cli.show.memory import _bar


def test_bars_are_plain_where_the_terminal_knows_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _bar(0, 4, 8, 8) == "████"
    assert _bar(4, 1, 8, 8) == "    █"
    assert _bar(7, 1, 1000, 8) == "▏"
    narrow = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert _bar(4, 4, 8, 8) == "    ####"
