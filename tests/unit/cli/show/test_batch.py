"""Words about a list: what was left out, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.batch.run import Summary
from edgekit.cli.show.batch import show_left_out, show_summary
from edgekit.console import Console

SUMMARY = Summary(
    out=Path("o.jsonl"),
    model="m",
    fingerprint=None,
    rows=3,
    answered=2,
    answered_before=0,
    failed=1,
    tokens=5,
    seconds=1.5,
)


def test_few_files_are_named_and_many_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    show_left_out(Console(), [])
    show_left_out(Console(), ["a", "b"])
    show_left_out(Console(), [*"abcdefg"])
    assert capsys.readouterr().err == (
        "Left out, as no pictures: a, b\nLeft out, as no pictures: a, b, c, d, e, and 2 more\n"
    )


def test_a_summary_counts_what_was_answered_before(capsys: pytest.CaptureFixture[str]) -> None:
    show_summary(Console(), SUMMARY)
    show_summary(Console(), replace(SUMMARY, answered_before=2))
    assert capsys.readouterr().out == "2 of 3 answered: o.jsonl\n2 of 3 answered, 2 of them before: o.jsonl\n"
