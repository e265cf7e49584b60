"""Which GPU a process computes on."""

from __future__ import annotations

import os

from edgekit.machine.gpus import VISIBLE, fitting, understood
from edgekit.machine.nvml import driver_gpus


def keep_to(compute_capability: str) -> None:
    """Have CUDA show this process, and those that it starts, the fitting GPU alone; it must not have started yet.

    It is one of those that the user chose, where ``CUDA_VISIBLE_DEVICES`` says so. Where none fits, the numbers there
    become UUIDs, as CUDA counts otherwise; nothing changes where there is one GPU alone.
    """
    chosen, gpus = os.environ.get(VISIBLE), driver_gpus() or ()
    if len(gpus) < 2 if chosen is None else not understood(chosen):
        return
    found = fitting(gpus, compute_capability)
    kept = [found] if found is not None else list(gpus) if chosen else []
    if kept and all(gpu.uuid for gpu in kept):
        os.environ[VISIBLE] = ",".join(gpu.uuid for gpu in kept)


def kept_to() -> str:
    """The UUID of the GPU that this process keeps to; "" before it does."""
    chosen = os.environ.get(VISIBLE, "")
    return chosen if chosen.startswith("GPU-") and "," not in chosen else ""
