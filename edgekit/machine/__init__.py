"""What this computer is and how it fares: its processor, memory, control groups, GPUs, heat and power.

What it is, :func:`look` finds once and keeps; how it fares (free memory, heat, clocks, power) is read whenever it is
asked for. Nothing here judges, and nothing changes the environment of the process: what a child must see goes to the
child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.machine.detect import Machine

_kept: Machine | None = None


def look() -> Machine:
    """Find what this computer is, once a process: asking its driver takes time, and a service asks for years.

    What a driver that is not up yet, or a GPU that is lost, left out is looked for anew at the next call: a service
    that starts before its driver must not answer by the processor for years.

    Kept are facts that do not change while a process runs: processor, cores and instructions, the memory that there is
    (a control group's limit, as it was at the first look), the GPUs that CUDA shows (name, compute capability, memory,
    driver, UUID), a Jetson's model and release. Whatever changes (free memory, heat, clocks, power, who holds memory)
    is not in it and is read anew: :mod:`~edgekit.machine.room`, :mod:`~edgekit.machine.memory`,
    :mod:`~edgekit.machine.condition`. Raises nothing.
    """
    global _kept
    if _kept is not None:
        return _kept
    from edgekit.machine.detect import sighting  # most that reads a file of the system's needs nothing of it

    seen = sighting()
    if seen.lasts:
        _kept = seen.machine
    return seen.machine
