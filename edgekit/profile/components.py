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


def side_memories(found: Footprint, target: Target) -> tuple[SideMemory, ...]:
    """The sides as the plan has them: one where memory is shared, else the device's and the host's."""
    counted = _KERNEL if found.source == "kernel" else _SAMPLED
    if target.unified:
        source = f"{counted}; the GPU's part {_LOOKED}" if target.kind.on_gpu else counted
        return (_side("memory", found, lambda peak: peak.host_bytes + peak.device_bytes, source),)
    return (
        _side("device", found, lambda peak: peak.device_bytes, _LOOKED),
        _side("host", found, lambda peak: peak.host_bytes, counted),
    )


def _side(name: str, found: Footprint, of: Callable[[PeakOf], int], source: str) -> SideMemory:
    loaded = PeakOf(found.loaded.own_bytes, found.loaded_weights_bytes, found.loaded_device_bytes)
    peaks = [of(peak) for peak in found.peaks]
    each = [of(peak) for peak in found.questions]
    return SideMemory(name, of(loaded), max(of(loaded), *peaks), round(mean(each)), source)


def measured_components(found: Footprint, weights: Mapping[str, int], target: Target) -> dict[str, int]:
    """Bytes of everything that could be measured alone, by the plan's names.

    "engine" is what opening added beside weights, arena and tokenizer (:data:`ENGINE`). Scratch is own memory on top of
    what was there after loading.
    """
    process = found.before.own_bytes
    tokenizer = max(0, found.tokenizer.own_bytes - found.before.own_bytes)
    opened = found.static_bytes + found.loaded_device_bytes
    own = found.loaded.own_bytes

    def scratch(peak: PeakOf) -> int:
        added = peak.device_bytes - found.loaded_device_bytes if target.kind.on_gpu else peak.own_bytes - own
        return max(0, added)

    return {
        **weights,
        "kv_arena": found.kv_bytes,
        "tokenizer": tokenizer,
        "process": process,
        "engine": opened - process - tokenizer - found.kv_bytes - sum(weights.values()),
        "vision_activations": scratch(found.encode),
        "decoder_activations": scratch(found.full),
    }
