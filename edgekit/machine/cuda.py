"""What CUDA tells, through cuda-python: which version the driver runs, and by which number it calls a GPU."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

from edgekit.errors import EngineError
from edgekit.machine.gpus import VISIBLE, Gpu, understood


def driver_cuda() -> str:
    """Return the version of the CUDA that the driver runs, "12.6", which on a Jetson is the system's; "" without a
    driver, or without the extra that asks it. (cudaRuntimeGetVersion is cuda-python's own, whatever the device has.)"""
    try:
        from cuda.bindings import runtime

        error, number = runtime.cudaDriverGetVersion()
    except (ImportError, OSError, RuntimeError):
        return ""
    return "" if int(error) or not number else f"{number // 1000}.{number % 1000 // 10}"


def ordinal(gpu: Gpu | None) -> int:
    """Return the number by which CUDA calls ``gpu`` in this process: it counts by speed, and only what it is shown.

    0, its first, where that is no question: no GPU, none that tells its UUID, no CUDA that can be asked, a part of a
    GPU. :class:`EngineError` where the user's numbers have CUDA show others than nvidia-smi's.
    """
    chosen = os.environ.get(VISIBLE, "")
    if gpu is None or not gpu.uuid or not understood(chosen):
        return 0
    uuids = _uuids()
    if gpu.uuid in uuids:
        return uuids.index(gpu.uuid)
    if uuids and any(name.strip().isdecimal() for name in chosen.split(",")):
        raise EngineError(
            f"{VISIBLE}={chosen} is {gpu.name} to nvidia-smi and another GPU to CUDA, which counts by speed",
            f"Run: export {VISIBLE}={gpu.uuid}, or CUDA_DEVICE_ORDER=PCI_BUS_ID",
        )
    return 0


def _uuids() -> list[str]:
    """Of every GPU that CUDA shows, in its order; [] where it can't be asked, which whoever computes says better."""
    try:
        from cuda.bindings import runtime

        error, count = runtime.cudaGetDeviceCount()
        if int(error):
            return []
        replies = [runtime.cudaGetDeviceProperties(index) for index in range(count)]
    except (ImportError, OSError, RuntimeError):
        return []
    return [] if any(int(error) for error, _ in replies) else [_uuid(properties) for _, properties in replies]


def _uuid(properties: Any) -> str:
    """As NVIDIA's library writes it: "GPU-3f2b9c1e-0a77-4d12-9c55-6b1f0e2d8a34"."""
    return f"GPU-{UUID(bytes=bytes(properties.uuid.bytes))}"
