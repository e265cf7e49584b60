"""How much of the disk is taken by what is kept, and whether there is room for more."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edgekit.serve.refusal import NEVER_RETRY, Refusal
from edgekit.serve.settings import Keep
from edgekit.ward.reserve import NAME, Reserve

MEASURE_S = 60.0
"""How often all files are counted: ten thousand take a few hundredths of a second."""


class Room:
    """The room of the folder ``state``; in the store's thread alone."""

    def __init__(self, state: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._state = state
        self._clock = clock
        self._taken_bytes = 0
        self._measured_s: float | None = None
        self.reserve = Reserve(state)

    def require_spare(self) -> None:
        """Refuse, with status 507, what is new while what was set aside for a full disk is in use."""
        if self.reserve.is_in_use:
            self.reserve.take()
        if self.reserve.is_in_use:
            raise _full("The disk is full: nothing new is kept until there is room. What is there can be deleted.")

    def require(self, keep: Keep, more_bytes: int = 0) -> None:
        """Refuse, with status 507, to keep more than the site lets be kept, or where the rest of the disk is needed."""
        self.require_spare()
        free = shutil.disk_usage(self._state).free
        if free < keep.free_bytes + more_bytes:
            raise _full("The disk is almost full: nothing more is kept until there is room.")
        if keep.disk_bytes and self.taken_bytes() + more_bytes > keep.disk_bytes:
            raise _full("As much is kept as may be: delete conversations that are not needed any more.")

    def taken_bytes(self) -> int:
        """Return about how many bytes are kept."""
        now_s = self._clock()
        if self._measured_s is None or now_s - self._measured_s >= MEASURE_S:
            self._taken_bytes, self._measured_s = _size(self._state), now_s
        return self._taken_bytes

    def add(self, size_bytes: int) -> None:
        """Count what was just kept."""
        self._taken_bytes += size_bytes


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        with suppress(OSError):  # removed meanwhile: the rest of its folder is counted next time
            total += sum(os.lstat(os.path.join(place, name)).st_size for name in names if name != NAME)
    return total


def _full(message: str) -> Refusal:
    return Refusal(507, message, "disk_full", headers=NEVER_RETRY)
