"""The service is stopped for a check in the hours that the site names, and in no others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from edgekit.deploy.hours import forbidden
from edgekit.machine.moment import RELEASED

EAST = timezone(timedelta(hours=3))


def at(hour: int, zone: timezone = EAST) -> datetime:
    day = RELEASED + timedelta(days=400)
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=zone)


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [("2-5", {2, 3, 4}), ("22-4", {22, 23, 0, 1, 2, 3}), ("0-24", set(range(24))), ("23-24", {23})],
)
def test_hours_are_those_of_the_local_clock(setting: str, allowed: set[int]) -> None:
    assert {hour for hour in range(24) if not forbidden(setting, at(hour))} == allowed


def test_nothing_is_stopped_that_nobody_allowed() -> None:
    assert "does not let" in forbidden("", at(3))
    for wrong in ("yes", "5", "5-5", "24-3", "2-25", "2-5 ", "-2-5"):
        assert "names no hours" in forbidden(wrong, at(3)), wrong


def test_a_wrong_clock_names_no_night() -> None:
    assert "1970-01-01" in forbidden("0-24", datetime(1970, 1, 1, 3, tzinfo=timezone.utc))
