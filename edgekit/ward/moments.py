"""When something was, so that a clock that jumps deceives nobody.

A device without a battery starts in 1970, is set to the right day by a time server minutes later, and back again by a
dead one. How long ago something was is therefore told by the time since this start (CLOCK_BOOTTIME, which goes on in
sleep and can't be set), for as long as the kernel's boot id is the same; only across a restart by the wall's clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # random(4)


@dataclass(frozen=True)
class Moment:
    """``boot``: the kernel's id of this start; ``up_s``: seconds since; ``wall_s``: seconds since 1970 by the clock."""

    boot: str
    up_s: float
    wall_s: int

    def since(self, earlier: Moment) -> float | None:
        """Return the seconds from ``earlier`` until this moment.

        None where that can't be told: another start, and a clock that says less than it did then.
        """
        if self.boot == earlier.boot:
            return self.up_s - earlier.up_s
        passed = self.wall_s - earlier.wall_s
        return float(passed) if passed >= 0 else None


Clock: TypeAlias = Callable[[], Moment]
"""Says which moment it is."""


def now() -> Moment:
    """Return this moment, by the system."""
    return Moment(_boot(), time.clock_gettime(time.CLOCK_BOOTTIME), int(time.time()))


@cache
def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:  # no /proc: each process counts as a start of its own
        return f"process {time.clock_gettime_ns(time.CLOCK_BOOTTIME)}"
