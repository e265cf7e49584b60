"""Whether the machine has memory left for another answer, where CPU and GPU have one: the limit of the service's unit
does not see what the GPU holds there, and a machine that runs out of memory hangs as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgekit.machine.room import free_memory
from edgekit.target import Target
from edgekit.units import format_bytes

MEMORY_SHORT = "memory_short"
"""What programs are told."""
_SHARE = 8
"""Of what a target reserves for the system and other services, an eighth has to be left."""


@dataclass(frozen=True)
class MemoryGuard:
    """Refuses new work where fewer than ``floor_bytes`` are left; ``free`` tells how many are, 0 where nobody knows."""

    floor_bytes: int
    free: Callable[[], int] = free_memory

    def shortage(self) -> str:
        """Say what is wrong, in a sentence; "" where nothing is."""
        left = self.free() if self.floor_bytes else 0
        if not left or left >= self.floor_bytes:
            return ""
        return (
            f"This machine has {format_bytes(left)} of memory left, and {format_bytes(self.floor_bytes)} have to be: "
            "end other programs on it."
        )


def guard_for(target: Target) -> MemoryGuard:
    """Return the guard of a target; where its GPU has a memory of its own, or it has none, it lets all pass."""
    shares = target.unified and target.kind.on_gpu
    return MemoryGuard(target.reserved_bytes // _SHARE if shares else 0)
