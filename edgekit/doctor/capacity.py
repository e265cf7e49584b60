"""Room: memory, swap and disk against what a target needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.host import Host
from edgekit.machine.room import available_memory, swap_areas
from edgekit.machine.smi import free_memory
from edgekit.target import Target
from edgekit.units import GIB, format_bytes

# What Python, the runtime and CUDA's libraries take beside a model, and a package being unpacked: rounded up.
_FLOOR = GIB
SERVICE = "var/lib"


def memory(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Compare the free memory with what a target may take: all of the model where the device has no other, else what
    serves the GPU; then the GPU's own."""
    free = available_memory(host.root)
    if not free:
        yield Diagnosis("memory", "unknown", "/proc/meminfo does not tell what is free")
        return
    budget = target.budget
    promised = budget.memory_bytes or budget.dynamic_bytes or budget.static_bytes or 0
    needed = max(_FLOOR, promised if target.unified else 0)
    what = f"{format_bytes(free)} free of {format_bytes(host.machine.memory_bytes)}"
    if free < needed:
        short = f"{what}; target {target.name} may take {format_bytes(needed)}"
        yield Diagnosis("memory", "bad", short, "ps aux --sort=-rss | head   (end what is not needed)")
    else:
        yield Diagnosis("memory", "good", what)
    if wants_gpu(target) and not target.unified:
        yield from _gpu_memory(host, target, promised)


def _gpu_memory(host: Host, target: Target, promised: int) -> Iterator[Diagnosis]:
    free_bytes = free_memory(host.run)
    if free_bytes is None or (host.hidden and not host.machine.gpus):
        return  # `driver` says so, or `gpu`
    hidden = {gpu.uuid for gpu in host.hidden}
    free = [size for uuid, size in free_bytes if uuid not in hidden]
    if not free:
        yield Diagnosis("gpu memory", "unknown", "nvidia-smi does not tell what is free")
    elif max(free) < promised:
        what = f"{format_bytes(max(free))} free; target {target.name} may take {format_bytes(promised)}"
        yield Diagnosis("gpu memory", "bad", what, "nvidia-smi   (it lists who holds memory)")
    else:
        yield Diagnosis("gpu memory", "good", f"{format_bytes(max(free))} free")


def swap(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say where memory goes that is not looked at: nowhere, into compressed memory (zram), or onto a disk."""
    areas = swap_areas(host.root)
    if areas is None:
        yield Diagnosis("swap", "unknown", "/proc/swaps can't be read")
        return
    if not areas:
        yield Diagnosis("swap", "good", "none: what memory can't hold is ended, not slowed down")
        return
    zram = sum(area.size_bytes for area in areas if area.is_zram)
    size, used = sum(area.size_bytes for area in areas), sum(area.used_bytes for area in areas)
    kind = "compressed memory (zram)" if zram == size else "disk and zram" if zram else "disk"
    yield Diagnosis("swap", "good", f"{format_bytes(size)} on {kind}, {format_bytes(used)} used")


def disk(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for room where bundles go: here while building; below /var/lib as a service, two releases side by side."""
    budget = target.budget
    needed = max(_FLOOR, budget.disk_bytes or 2 * (budget.static_bytes or 0))
    seen: dict[int, str] = {}
    for folder in (host.folder, host.root / SERVICE):
        place = _existing(folder)
        try:
            device, free = place.stat().st_dev, host.disk_free(place)
        except OSError as error:
            yield Diagnosis("disk", "unknown", f"{folder}: {error.strerror}")
            continue
        if seen.setdefault(device, str(folder)) != str(folder):
            continue
        what = f"{format_bytes(free)} free at {folder}"
        if free < needed:
            short = f"{what}; target {target.name} takes {format_bytes(needed)} with two releases"
            yield Diagnosis("disk", "bad", short, f"sudo du -xhd1 {place} | sort -h | tail   (see what takes the room)")
        else:
            yield Diagnosis("disk", "good", what)


def _existing(path: Path) -> Path:
    """The folder, or the nearest above it that there is."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), path)
