"""The NVIDIA GPUs of a machine, and which of them a process computes on.

CUDA counts GPUs by their speed and the driver by their slot, so the one that is meant is named by its UUID. What
``CUDA_VISIBLE_DEVICES`` says is the user's choice: a number there is the one that nvidia-smi shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgekit.system import field_of, read_text

VISIBLE, _ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU. Without the NVML library only its name is known; on a Jetson its memory is the machine's."""

    name: str
    compute_capability: str = ""
    memory_bytes: int = 0
    driver: str = ""
    uuid: str = ""


def fitting(gpus: Iterable[Gpu], compute_capability: str) -> Gpu | None:
    """The GPU of that compute capability; of several, the one with the most memory."""
    of_that_kind = [gpu for gpu in gpus if gpu.compute_capability == compute_capability]
    return max(of_that_kind, key=lambda gpu: gpu.memory_bytes, default=None)


def keep_to(compute_capability: str) -> None:
    """Have CUDA show this process, and those that it starts, the fitting GPU alone. It must not have started yet.

    Nothing changes on a machine with one GPU, where none fits, and where the user has chosen.
    """
    os.environ.setdefault(_ORDER, "PCI_BUS_ID")
    if VISIBLE in os.environ:
        return
    gpus = list(driver_gpus())
    if len(gpus) > 1 and (found := fitting(gpus, compute_capability)) is not None and found.uuid:
        os.environ[VISIBLE] = found.uuid


def chosen() -> str:
    """The number or UUID of the GPU that CUDA shows first; "" where all are shown."""
    return os.environ.get(VISIBLE, "").partition(",")[0].strip()


def driver_gpus() -> Iterator[Gpu]:
    """The GPUs that NVIDIA's management library knows and CUDA shows; none without its Python module or its driver."""
    try:
        import pynvml
    except ImportError:
        return
    with suppress(pynvml.NVMLError):  # no driver, or one that can't say
        pynvml.nvmlInit()
        try:
            driver = _text(pynvml.nvmlSystemGetDriverVersion())
            found = []
            for index in range(pynvml.nvmlDeviceGetCount()):
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
                memory = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
                name, uuid = _text(pynvml.nvmlDeviceGetName(handle)), _text(pynvml.nvmlDeviceGetUUID(handle))
                found.append(Gpu(name, f"{major}.{minor}", memory, driver, uuid))
        finally:
            pynvml.nvmlShutdown()
        yield from _shown(found)


def listed_gpus(root: Path) -> Iterator[Gpu]:
    """The GPUs that the kernel driver lists, by name only."""
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        if name := field_of(read_text(path), "Model"):
            yield Gpu(name)


def _shown(gpus: list[Gpu]) -> Iterator[Gpu]:
    """Those that ``CUDA_VISIBLE_DEVICES`` names, in its order; like CUDA, none behind one that is not there."""
    if VISIBLE not in os.environ:
        yield from gpus
        return
    for name in map(str.strip, os.environ[VISIBLE].split(",")):
        if name.isdecimal():
            named = gpus[int(name) : int(name) + 1]
        else:
            named = [gpu for gpu in gpus if name and gpu.uuid.startswith(name)][:1]
        if not named:
            return
        yield named[0]


def _text(value: str | bytes) -> str:
    """Older versions of the module return bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value
