"""A footprint told in a plan's words: its sides of memory, and its components as far as they can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import mean

from edgekit.profile.footprint import Footprint, PeakOf
from edgekit.profile.record import SideMemory
from edgekit.target import Target

_KERNEL = "the kernel's count (VmHWM)"
_SAMPLED = "sampled every millisecond"
_LOOKED = "sampled every 10 ms"
ENGINE = ("engine_host", "engine_device", "beside_weights")
"""The plan's components that opening an engine adds together; measured, they are one: "engine"."""


def side_memories(footprint: Footprint, target: Target) -> tuple[SideMemory, ...]:
    """Return the sides as the plan has them: one where memory is shared, else the device's and the host's."""
    counted = _KERNEL if footprint.source == "kernel" else _SAMPLED
    if target.unified:
        source = f"{counted}; the GPU's part {_LOOKED}" if target.kind.on_gpu else counted
        return (_side("memory", footprint, lambda peak: peak.host_bytes + peak.device_bytes, source),)
    return (
        _side("device", footprint, lambda peak: peak.device_bytes, _LOOKED),
        _side("host", footprint, lambda peak: peak.host_bytes, counted),
    )


def _side(name: str, footprint: Footprint, size_of: Callable[[PeakOf], int], source: str) -> SideMemory:
    loaded = PeakOf(footprint.loaded.own_bytes, footprint.loaded_weights_bytes, footprint.loaded_device_bytes)
    peaks = [size_of(peak) for peak in footprint.peaks]
    each = [size_of(peak) for peak in footprint.questions]
    return SideMemory(name, size_of(loaded), max(size_of(loaded), *peaks), round(mean(each)), source)


def measured_components(footprint: Footprint, weights: Mapping[str, int], target: Target) -> dict[str, int]:
    """Return the bytes of everything that could be measured alone, by the plan's names.

    "engine" is what opening added beside weights, arena and tokenizer (:data:`ENGINE`). Scratch is own memory on top of
    what was there after loading.
    """
    process = footprint.before.own_bytes
    tokenizer = max(0, footprint.tokenizer.own_bytes - footprint.before.own_bytes)
    opened = footprint.static_bytes + footprint.loaded_device_bytes
    own = footprint.loaded.own_bytes

    def scratch(peak: PeakOf) -> int:
        added = peak.device_bytes - footprint.loaded_device_bytes if target.kind.on_gpu else peak.own_bytes - own
        return max(0, added)

    return {
        **weights,
        "kv_arena": footprint.kv_bytes,
        "tokenizer": tokenizer,
        "process": process,
        "engine": opened - process - tokenizer - footprint.kv_bytes - sum(weights.values()),
        "vision_activations": scratch(footprint.encode),
        "decoder_activations": scratch(footprint.full),
    }
