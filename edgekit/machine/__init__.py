"""What this computer is and how it fares: its processor, memory, control groups, GPUs, heat and power.

What it is, :func:`look` finds once; how it fares is read whenever it is asked for. Nothing here judges, and nothing
changes the environment of the process: what a child must see goes to the child.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.machine.detect import Machine


@cache
def look() -> Machine:
    """Find what this computer is, once: that does not change while a process runs, and asking its driver takes time.

    Raises nothing.
    """
    from edgekit.machine.detect import detect  # most that reads a file of the system's needs nothing of it

    return detect()
