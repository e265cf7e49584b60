"""Audits to look at: a key, moments that go on second by second, and a folder with lines in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from edgekit.machine.moment import Moment
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.head import Head

KEY = bytes(range(32))
BEGUN_MS = 1_796_040_000_000
"""2026-11-30T12:00:00Z."""


def moment(second: float, *, boot: str = "boot-1", synchronised: bool | None = True) -> Moment:
    """So many seconds later, on a machine that had run for a minute."""
    ms = round(1000 * second)
    return Moment(boot=boot, up_ms=60_000 + ms, wall_ms=BEGUN_MS + ms, synchronised=synchronised)


def ticking(step_s: float = 1.0) -> Callable[[], Moment]:
    """A clock that is read once a step."""
    seconds = itertools.count(0.0, step_s)
    return lambda: moment(next(seconds))


def silent(head: Head, day: str) -> None:
    """Tell nobody."""


def opened(folder: Path, clock: Callable[[], Moment] | None = None) -> Audit:
    """An audit that tells nobody its heads."""
    return Audit.open(folder, KEY, clock=clock or ticking(), tell=silent)


def written(folder: Path, lines: int, step_s: float = 1.0) -> list[Head]:
    """Write an audit of so many lines, and return the head behind each."""
    audit = opened(folder, ticking(step_s))
    return [audit.note("conversation_read", "account anna", conversation=f"c{number}") for number in range(lines)]
