"""How much of a GPU's memory a process holds, from whoever tells it on this machine.

NVIDIA's management library (nvmlDeviceGetComputeRunningProcesses: pid, usedGpuMemory in bytes, None on WSL and where
it may not be seen); on a Jetson the service of jetson-stats (``jtop.processes``: rows of pid, user, gpu, type,
priority, state, CPU %, memory and GPU memory in KiB, name; ``jtop.memory["RAM"]`` in KiB: jtop/jtop.py of its source),
whose figures are half a second old; without that, what /proc/meminfo says of the memory that CPU and GPU share.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any, Protocol

from edgekit.machine.detect import Machine
from edgekit.machine.nvml import NvmlMemory, size_of
from edgekit.machine.system import field_of, read_text

_log = logging.getLogger(__name__)
_PID, _GPU_KIB = 0, 8
_INTERVAL_S = 0.5


class GpuMemory(Protocol):
    """An interface, called ``source``, counts memory of a GPU. ``process_bytes``: of process ``pid``, None where that
    isn't told; ``total_bytes``: of everyone on that GPU, or in that memory."""

    source: str

    def process_bytes(self) -> int | None: ...
    def total_bytes(self) -> int: ...
    def close(self) -> None: ...


def gpu_memory(machine: Machine, root: Path = Path("/")) -> GpuMemory | None:
    """Open the best source that this machine has; None where it has no NVIDIA GPU, or nobody tells. Raises nothing."""
    if machine.jetson:
        return _opened(JtopMemory) or (MeminfoMemory(root) if read_text(root / "proc/meminfo") else None)
    return _opened(NvmlMemory, machine.gpus[0].uuid) if machine.gpus else None


def _opened(kind: Any, *arguments: object, seconds: float = 15) -> GpuMemory | None:
    """Opened in a thread, since a service that hangs would hold its client for ever."""
    opened: list[GpuMemory] = []

    def open_it() -> None:
        try:
            memory: GpuMemory = kind(*arguments)
            memory.total_bytes()  # what opens may still refuse to tell
            opened.append(memory)
        except Exception as error:  # absent, refused or garbage: three libraries' errors share no base class
            _log.info("%s tells nothing here: %s", kind.source, error)

    thread = threading.Thread(target=open_it, name=f"open {kind.source}", daemon=True)
    thread.start()
    thread.join(seconds)
    return opened[0] if opened else None


class JtopMemory:
    """The service of jetson-stats, through its public interface; raises JtopException where it doesn't run."""

    source = "jtop"

    def __init__(self, pid: int | None = None) -> None:
        from jtop import jtop

        self._pid = pid or os.getpid()
        self._service = jtop(interval=_INTERVAL_S)
        self._service.start()

    def process_bytes(self) -> int | None:
        for row in self._service.processes:
            if len(row) > _GPU_KIB and row[_PID] == self._pid:
                return size_of(row[_GPU_KIB], 1024)
        return None

    def total_bytes(self) -> int:
        return int(self._service.memory["RAM"]["used"]) * 1024

    def close(self) -> None:
        self._service.close()


class MeminfoMemory:
    """What everyone took of the memory that a CPU and its GPU share."""

    source = "/proc/meminfo"

    def __init__(self, root: Path = Path("/")) -> None:
        self._path = root / "proc/meminfo"

    def process_bytes(self) -> int | None:
        return None

    def total_bytes(self) -> int:
        text = read_text(self._path)
        total, free = (field_of(text, name).split(" ")[0] for name in ("MemTotal", "MemAvailable"))
        return 1024 * (int(total) - int(free)) if total.isdecimal() and free.isdecimal() else 0

    def close(self) -> None: ...
