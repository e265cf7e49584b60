"""The NVIDIA GPUs of a machine, and which of them a process computes on.

CUDA counts GPUs by their speed and the driver by their slot, so the one that is meant is named by its UUID. What
``CUDA_VISIBLE_DEVICES`` says is the user's choice: a number there is the one that nvidia-smi shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.machine.system import field_of, read_text

VISIBLE = "CUDA_VISIBLE_DEVICES"
_ORDER = "CUDA_DEVICE_ORDER"


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU. Without the NVML library only its name is known; on a Jetson its memory is the machine's."""

    name: str
    compute_capability: str = ""
    memory_bytes: int = 0
    driver: str = ""
    uuid: str = ""


def matching(gpus: Iterable[Gpu], compute_capability: str) -> Gpu | None:
    """Choose the GPU of that compute capability; of several, the one with the most memory."""
    of_that_kind = [gpu for gpu in gpus if gpu.compute_capability == compute_capability]
    return max(of_that_kind, key=lambda gpu: gpu.memory_bytes, default=None)


def untold(gpus: Iterable[Gpu]) -> Gpu | None:
    """Find a GPU that does not tell its compute capability, so that nothing knows which engines are for it."""
    return next((gpu for gpu in gpus if not gpu.compute_capability), None)


def silence(gpu: Gpu) -> str:
    """Say what is wrong with an :func:`untold` GPU."""
    return f"{gpu.name} does not tell its compute capability"


def shown_alone(
    gpus: Sequence[Gpu], compute_capability: str, variables: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the variables that have CUDA show a process the fitting one of ``gpus`` alone; {} where that is no
    choice, as with one GPU, or one that does not tell its UUID.

    ``gpus`` are those that the user chose, where ``CUDA_VISIBLE_DEVICES`` says so. Where none fits, the numbers there
    become UUIDs, as CUDA counts otherwise.
    """
    chosen = variables.get(VISIBLE)
    if len(gpus) < 2 if chosen is None else not understood(chosen, variables):
        return {}
    gpu = matching(gpus, compute_capability)
    kept = [gpu] if gpu is not None else list(gpus) if chosen else []
    return {VISIBLE: ",".join(gpu.uuid for gpu in kept)} if kept and all(gpu.uuid for gpu in kept) else {}


def counted_by_slot(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that have CUDA count in a process as nvidia-smi does; {} where the user gave no numbers, or
    said how they count."""
    numbers = any(name.strip().isdecimal() for name in variables.get(VISIBLE, "").split(","))
    return {_ORDER: "PCI_BUS_ID"} if numbers and _ORDER not in variables else {}


def all_hidden() -> bool:
    """Say whether the user chose to have none, whatever there is."""
    return os.environ.get(VISIBLE, "unset").strip() in ("", "-1")


def listed_gpus(root: Path) -> Iterator[Gpu]:
    """List the GPUs that the kernel driver knows, by name only."""
    for path in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        if name := field_of(read_text(path), "Model"):
            yield Gpu(name)


def understood(chosen: str, variables: Mapping[str, str] = os.environ) -> bool:
    """Say whether a choice can be followed: parts of a GPU ("MIG-…") are not looked into, and numbers by speed are
    CUDA's to know."""
    numbers = any(name.strip().isdecimal() for name in chosen.split(","))
    by_speed = numbers and variables.get(_ORDER) == "FASTEST_FIRST"
    return not by_speed and "MIG-" not in chosen


def shown(gpus: Sequence[Gpu], variables: Mapping[str, str] = os.environ) -> Iterator[Gpu]:
    """Yield those that ``CUDA_VISIBLE_DEVICES`` names, in its order; like CUDA, none behind one that is not there."""
    chosen = variables.get(VISIBLE)
    if chosen is None or not understood(chosen, variables):
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
