"""What came of a day's list, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.batch.run import Summary

_NAMED = 5


def show_left_out(console: Console, names: Sequence[str]) -> None:
    """Say which files of a folder are asked about by nobody."""
    if names:
        more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        console.note(f"Left out, as no pictures: {', '.join(names[:_NAMED])}{more}")


def show_summary(console: Console, summary: Summary) -> None:
    """Say how many rows have answers, and where those are."""
    before = f", {summary.answered_before} of them before" if summary.answered_before else ""
    console.print(f"{summary.answered} of {summary.rows} answered{before}: {summary.out}")
