"""A moment is told in three ways, and a kernel that doesn't tell of time servers is no error."""

from __future__ import annotations

import ctypes
import time
from types import SimpleNamespace
from typing import Any

import pytest

from edgekit.machine import moment
from edgekit.machine.moment import Moment


def test_moments_go_on() -> None:
    before = time.time()
    first, second = moment.now(), moment.now()
    assert first.boot == second.boot != ""
    assert 0 <= second.up_ms - first.up_ms < 60_000
    assert abs(first.wall_ms / 1000 - before) < 60
    assert first.synchronised in (True, False, None)


@pytest.mark.parametrize(
    ("wall_ms", "time"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_796_040_000_007, "2026-11-30T12:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (4_070_908_799_500, "2098-12-31T23:59:59.500Z"),
    ],
)
def test_a_day_is_that_of_utc(wall_ms: int, time: str) -> None:
    told = Moment(boot="", up_ms=0, wall_ms=wall_ms, synchronised=None)
    assert (told.time, told.day) == (time, time[:10])


@pytest.mark.parametrize(
    ("state", "error_us", "synchronised"),
    [(0, 500_000, True), (5, 16_000_000, False), (0, 16_000_000, False), (5, 1000, True), (-1, 0, None)],
)
def test_a_clock_is_a_time_server_s_as_long_as_its_error_is_small(
    monkeypatch: pytest.MonkeyPatch, state: int, error_us: int, synchronised: bool | None
) -> None:
    def adjtimex(words: Any) -> int:
        assert not any(words), "nothing is set by asking"
        words[3] = error_us
        return state

    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(adjtimex=adjtimex))
    assert moment.synchronised() is synchronised


def test_a_system_without_the_call_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert moment.synchronised() is None
