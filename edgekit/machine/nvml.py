"""NVIDIA's management library (NVML), through its Python module: the GPUs that the driver knows, and their memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from edgekit.machine.gpus import Gpu, listed_gpus, shown

T = TypeVar("T")


def how_to_tell() -> str:
    """Say what has an :func:`~edgekit.machine.gpus.untold` GPU tell its compute capability."""
    if not installed():
        return "Run: pip install nvidia-ml-py"
    return "Run `nvidia-smi`: it says what keeps the driver from telling."


def installed() -> bool:
    """Say whether the library's Python module is there, so that the driver can be asked once it runs."""
    try:
        import pynvml  # noqa: F401
    except ImportError:
        return False
    return True


def driver_gpus() -> tuple[Gpu, ...] | None:
    """List the GPUs that the library knows and CUDA shows; None without its Python module or its driver."""
    gpus = _ask(lambda nvml: [_described(nvml, index) for index in range(nvml.nvmlDeviceGetCount())])
    return None if gpus is None else tuple(shown(gpus))


def several_gpus(root: Path = Path("/")) -> bool:
    """Say whether the driver knows more than one GPU, shown or hidden."""
    count = _ask(lambda nvml: int(nvml.nvmlDeviceGetCount()))
    return (len(list(listed_gpus(root))) if count is None else count) > 1


def _ask(question: Callable[[Any], T]) -> T | None:
    """What the library answers; None without its Python module or its driver, or where it fails."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver
        return None
    try:
        return question(pynvml)
    except pynvml.NVMLError:
        return None
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


class NvmlMemory:
    """Counts memory of the GPU ``uuid``, or else of the first; its errors are those of ``pynvml``."""

    source = "NVML"

    def __init__(self, uuid: str = "", pid: int | None = None) -> None:
        import pynvml

        self._nvml = pynvml
        self._pid = pid or os.getpid()
        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByUUID(uuid) if uuid else pynvml.nvmlDeviceGetHandleByIndex(0)

    def process_bytes(self) -> int | None:
        try:
            processes = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
        except self._nvml.NVMLError:
            return None
        # A process that has not touched the GPU yet is not listed; in a container, pids are of another namespace.
        mine = [process.usedGpuMemory for process in processes if process.pid == self._pid]
        return size_of(mine[0]) if mine else None

    def total_bytes(self) -> int:
        return int(self._nvml.nvmlDeviceGetMemoryInfo(self._handle).used)

    def close(self) -> None:
        self._nvml.nvmlShutdown()


def _described(nvml: Any, index: int) -> Gpu:
    """By its number alone where it can't be asked ("GPU is lost", for one): it is there, and nobody knows its kind."""
    with suppress(nvml.NVMLError):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
        memory = _memory(nvml, handle)
        driver, name = _text(nvml.nvmlSystemGetDriverVersion()), _text(nvml.nvmlDeviceGetName(handle))
        # One that shares the machine's memory has no other beside it to be told from, and CUDA may not know its UUID.
        uuid = _text(nvml.nvmlDeviceGetUUID(handle)) if memory else ""
        return Gpu(name, f"{major}.{minor}", memory, driver, uuid)
    return Gpu(f"NVIDIA GPU {index}")


def _memory(nvml: Any, handle: Any) -> int:
    """Of the GPU's own; 0 where it shares the machine's, as a Jetson's does, which NVML calls "not supported"."""
    try:
        return int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    except nvml.NVMLError_NotSupported:
        return 0


def _text(value: str | bytes) -> str:
    """Older versions of the module return bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def size_of(value: object, unit: int = 1) -> int | None:
    """Return a number of bytes; None for whatever else an interface may say."""
    return value * unit if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
