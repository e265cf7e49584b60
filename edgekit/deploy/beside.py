"""Whether a second process may answer beside the service: what the golden check may take, against what is free.

What it takes is what the bundle took when it was measured here, before it was installed; without a measurement, what
its target's budget lets it have. A check that runs out of memory tells nothing, and may cost the service its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.engines.place import gpu_for
from edgekit.errors import EngineError
from edgekit.machine.host import Host
from edgekit.machine.room import available_memory
from edgekit.machine.smi import free_memory
from edgekit.profile.store import profiles
from edgekit.target import Target
from edgekit.units import MIB, format_bytes

SPARE_BYTES: Final = 512 * MIB
"""What is left to the machine, and a quarter of what the check takes: it holds the expected answers, too, and files
whose pages it reads push out others."""
SERVING_BYTES: Final = 1024 * MIB
"""What a process takes of the host's memory beside a GPU's: Python, the runtime, CUDA's libraries. Rounded up."""


@dataclass(frozen=True)
class Bytes:
    """Bytes of the host's memory and of a GPU's own, 0 where it has none; None where that is not told."""

    host: int | None
    gpu: int | None = 0


def taken(bundle: Bundle) -> Bytes:
    """Return what ``bundle`` may take on this machine, by its newest profile, else by its target's budget."""
    target = bundle.manifest.target
    has_own = target.kind.on_gpu and not target.unified
    measured = next((one for one in profiles(bundle.path) if one.bundle.digest == bundle.digest), None)
    if measured is None:
        budget = target.budget.memory_bytes or target.budget.dynamic_bytes
        return Bytes(SERVING_BYTES, budget) if has_own else Bytes(budget)
    sides = [side.dynamic_bytes for side in measured.memory.sides]
    libraries = measured.memory.library_bytes
    if not has_own:
        return Bytes(sides[0] + libraries)
    return Bytes((sides[1] if len(sides) > 1 else SERVING_BYTES) + libraries, sides[0])


def free_here(target: Target, host: Host) -> Bytes:
    """Return what is free on this machine now; of several GPUs, on the one that answers for ``target``."""
    own: int | None = 0
    if target.kind.on_gpu and not target.unified:
        own = None
        with suppress(EngineError):  # one that does not tell what it is
            gpu = gpu_for(target, machine.look())
            own = dict(free_memory(host.run) or ()).get(gpu.uuid) if gpu else None
    return Bytes(available_memory(host.root) or None, own)


def lacking(needed: Bytes, free: Bytes, floor_bytes: int = 0) -> str:
    """Say what is missing for a second process beside the service; "" where it has room. Below ``floor_bytes`` of the
    host's memory the service would take nothing new meanwhile: they stay free, and what is to spare, too."""
    sides = (("memory", needed.host, free.host, floor_bytes), ("GPU memory", needed.gpu, free.gpu, 0))
    for name, wanted, there, kept in sides:
        if wanted is None:
            return f"how much {name} the check takes was never measured"
        if there is None:
            return f"how much {name} is free is not told"
        least = wanted + max(kept + SPARE_BYTES, wanted // 4) if wanted else 0
        if there < least:
            return f"{format_bytes(there)} of {name} are free, and the check wants {format_bytes(least)}"
    return ""
