"""The NVIDIA GPUs of a machine, and which of them a process computes on.

CUDA counts GPUs by their speed and the driver by their slot, so the one that is meant is named by its UUID. What
``CUDA_VISIBLE_DEVICES`` says is the user's choice: a number there is the one that nvidia-smi shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.machine.system import field_of, read_text

VISIBLE = "CUDA_VISIBLE_DEVICES"


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


def untold(gpus: Iterable[Gpu]) -> Gpu | None:
    """A GPU that does not tell its compute capability, so that nothing knows which engines are for it."""
    return next((gpu for gpu in gpus if not gpu.compute_capability), None)


def silence(gpu: Gpu) -> str:
    """What is wrong with an :func:`untold` GPU."""
    return f"{gpu.name} does not tell its compute capability"


def how_to_tell() -> str:
    """What has an :func:`untold` GPU tell its compute capability."""
    try:
        import pynvml  # noqa: F401
    except ImportError:
        return "Run: pip install nvidia-ml-py"
    return "Run `nvidia-smi`: it says what keeps the driver from telling."


def keep_to(compute_capability: str) -> None:
    """Have CUDA show this process, and those that it starts, the fitting GPU alone; it must not have started yet.

    It is one of those that the user chose, where ``CUDA_VISIBLE_DEVICES`` says so. Where none fits, the numbers there
    become UUIDs, as CUDA counts otherwise; nothing changes where there is one GPU alone.
    """
    chosen, gpus = os.environ.get(VISIBLE), driver_gpus() or ()
    if len(gpus) < 2 if chosen is None else not _understood(chosen):
        return
    found = fitting(gpus, compute_capability)
    kept = [found] if found is not None else list(gpus) if chosen else []
    if kept and all(gpu.uuid for gpu in kept):
        os.environ[VISIBLE] = ",".join(gpu.uuid for gpu in kept)


def kept_to() -> str:
    """The UUID of the GPU that this process keeps to; "" before it does."""
    chosen = os.environ.get(VISIBLE, "")
    return chosen if chosen.startswith("GPU-") and "," not in chosen else ""


def driver_gpus() -> tuple[Gpu, ...] | None:
    """The GPUs that NVIDIA's management library knows and CUDA shows; None without its Python module or its driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver
        return None
    try:
        found = [_described(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return None
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return tuple(shown(found))


def all_hidden() -> bool:
    """Whether the user chose to have none, whatever there is."""
    return os.environ.get(VISIBLE, "unset").strip() in ("", "-1")


def listed_gpus(root: Path) -> Iterator[Gpu]:
    """The GPUs that the kernel driver lists, by name only."""
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        if name := field_of(read_text(path), "Model"):
            yield Gpu(name)


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


def _understood(chosen: str, variables: Mapping[str, str] = os.environ) -> bool:
    """Parts of a GPU ("MIG-…") are not looked into, and numbers by speed are CUDA's to know."""
    numbers = any(name.strip().isdecimal() for name in chosen.split(","))
    by_speed = numbers and variables.get("CUDA_DEVICE_ORDER") == "FASTEST_FIRST"
    return not by_speed and "MIG-" not in chosen


def shown(gpus: Sequence[Gpu], variables: Mapping[str, str] = os.environ) -> Iterator[Gpu]:
    """Those that ``CUDA_VISIBLE_DEVICES`` names, in its order; like CUDA, none behind one that is not there."""
    chosen = variables.get(VISIBLE)
    if chosen is None or not _understood(chosen, variables):
        yield from gpus
        return
    for name in map(str.strip, chosen.split(",")):
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
