"""When something was, so that a clock that jumps deceives nobody.

A device without a battery starts in 1970, is set to the right day by a time server minutes later, and back again by a
dead one. How long ago something was is therefore told by the time since this start (CLOCK_BOOTTIME, which goes on in
sleep and can't be set), for as long as the kernel's boot id is the same; only across a restart by the wall's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from edgekit.machine import moment


@dataclass(frozen=True)
class Moment:
    """``boot``: the kernel's id of this start, "" where it tells none; ``up_s``: seconds since; ``wall_s``: seconds
    since 1970 by the clock.
    """

    boot: str
    up_s: float
    wall_s: int

    def since(self, earlier: Moment) -> float | None:
        """Return the seconds from ``earlier`` until this moment.

        None where that can't be told: another start, and a clock that says less than it did then.
        """
        if self.boot == earlier.boot and self.up_s >= earlier.up_s:
            return self.up_s - earlier.up_s
        passed = self.wall_s - earlier.wall_s
        return float(passed) if passed >= 0 else None


Clock: TypeAlias = Callable[[], Moment]
"""Says which moment it is."""


def now() -> Moment:
    """Return this moment, by the system."""
    read = moment.now()
    return Moment(read.boot, read.up_ms / 1000, read.wall_ms // 1000)
