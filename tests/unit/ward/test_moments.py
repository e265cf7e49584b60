"""How long ago something was is told by the time since this start; only across a restart by the wall's clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edgekit.ward.moments import Moment, now

DAY_S = 86400


@pytest.mark.parametrize("jump_s", [-56 * 365 * DAY_S, -1, 0, 73 * 365 * DAY_S])
def test_a_clock_that_jumps_deceives_nobody_within_a_start(jump_s: int) -> None:
    earlier = Moment("a", 100.0, 1_800_000_000)
    assert Moment("a", 160.5, 1_800_000_060 + jump_s).since(earlier) == 60.5


def test_across_a_restart_the_clock_is_all_there_is() -> None:
    earlier = Moment("a", 100.0, 1_800_000_000)
    assert Moment("b", 5.0, 1_800_000_060).since(earlier) == 60.0
    assert Moment("b", 5.0, 1_799_999_999).since(earlier) is None


def test_now_is_of_this_start() -> None:
    first = now()
    second = now()
    passed = second.since(first)
    assert passed is not None
    assert 0 <= passed < 5
    assert abs(first.wall_s - time.time()) < 5
    assert first.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_where_the_kernel_tells_no_start_a_shorter_time_is_a_new_one() -> None:
    earlier = Moment("", 100.0, 1_800_000_000)
    assert Moment("", 160.0, 0).since(earlier) == 60.0
    assert Moment("", 5.0, 1_800_000_060).since(earlier) == 60.0
    assert Moment("", 5.0, 0).since(earlier) is None
