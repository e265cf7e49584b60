"""When something happens, in three ways that a wrong clock can't bend all at once.

The wall clock says which day it is, and may be set to any. What runs since the machine was started can't be set, and is
worth nothing without the start that it counts from: the kernel's id of it. Whether the wall clock is a time server's,
the kernel knows, too.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edgekit import RELEASE_DATE
from edgekit.machine.system import read_text

RELEASED = datetime.fromisoformat(RELEASE_DATE).replace(tzinfo=timezone.utc)
"""No right clock is before this: a device without a battery starts in 1970. It is written down in the source, since
nothing else keeps it: a file's date is that of its installation, by the clock that is in doubt, and wheels carry fixed
dates so that they can be built again."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MOST_ERROR_US = 16_000_000
"""A clock whose greatest error is less is a time server's: where the kernel's NTP_PHASE_LIMIT ends, and what
`timedatectl` goes by."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A moment.

    * ``boot``: the id of the machine's start, "" where the system tells none
    * ``up_ms``: milliseconds since then, sleep included
    * ``wall_ms``: milliseconds since 1970 in UTC, by a clock that may be wrong
    * ``synchronised``: whether a time server keeps that clock; None where it isn't told
    """

    boot: str
    up_ms: int
    wall_ms: int
    synchronised: bool | None

    @property
    def time(self) -> str:
        """The wall clock by ISO 8601: "2026-11-01T12:00:00.123Z"."""
        seconds, rest_ms = divmod(self.wall_ms, 1000)
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest_ms:03}Z"

    @property
    def day(self) -> str:
        """The wall clock's day in UTC: "2026-11-01"."""
        return self.time[:10]


def now() -> Moment:
    """Return this moment."""
    return Moment(
        boot=read_text(_BOOT_ID).strip(),
        up_ms=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000,
        wall_ms=time.time_ns() // 1_000_000,
        synchronised=synchronised(),
    )


def synchronised() -> bool | None:
    """Say whether a time server keeps the wall clock, by adjtimex(2), which waits for nobody; None where the system
    doesn't tell: containers may be forbidden to ask.
    """
    words = (ctypes.c_long * 64)()  # struct timex: its fourth member of 8 bytes is `maxerror`, all 0 asks and sets none
    try:
        state = ctypes.CDLL(None).adjtimex(words)
    except (AttributeError, OSError):
        return None
    return None if state < 0 else words[3] < _MOST_ERROR_US
