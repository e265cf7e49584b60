"""What this computer is and how it fares: its processor, memory, control groups, GPUs, heat and power.

What it is, :func:`look` finds once and keeps; how it fares (free memory, heat, clocks, power) is read whenever it is
asked for. Nothing here judges, and nothing changes the environment of the process: what a child must see goes to the
child.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.machine.detect import Machine


@cache
def look() -> Machine:
    """Find what this computer is, once a process: asking its driver takes time, and a service asks for years.

    Kept are facts that do not change while a process runs: processor, cores and instructions, the memory that there is
    (a control group's limit, as it was at the first look), the GPUs that CUDA shows (name, compute capability, memory,
    driver, UUID), a Jetson's model and release. Whatever changes (free memory, heat, clocks, power, who holds memory)
    is not in it and is read anew: :mod:`~edgekit.machine.room`, :mod:`~edgekit.machine.memory`,
    :mod:`~edgekit.machine.condition`. Raises nothing.
    """
    from edgekit.machine.detect import detect  # most that reads a file of the system's needs nothing of it

    return detect()
