"""A profile to be judged, shown and stored, with figures that are easy to reckon with."""

from __future__ import annotations

from typing import Any

from edgekit import config
from edgekit.profile.record import FORMAT, Moment, Profile, ProfiledDevice, RowRate, SideMemory, Spread, Times
from edgekit.units import GIB, MIB

DEVICE = ProfiledDevice(
    engine="onnxruntime",
    engine_version="1.31.1",
    arch="x86_64",
    cpu="Some processor",
    cores=4,
    features=("avx2",),
    memory_bytes=8 * GIB,
)


def spread(value: float) -> Spread:
    return Spread.of([value])


def profile(**changed: Any) -> Profile:
    """2 slots of 1,024 tokens on 8 GiB: 1 GiB after loading, 1.5 at the peak, 2 s to the first token, 10 tokens/s.

    ``changed``: keys of its file.
    """
    flat = {
        "format": FORMAT,
        "edgekit": "0.1.0",
        "made": "2026-11-01T12:00:00Z",
        "digest": "d" * 64,
        "model": "llava-test",
        "recipe": "q4",
        "target": "cpu",
        "slots": 2,
        "context": 1024,
        "compiled": True,
        "device": DEVICE,
        "sides": (SideMemory("memory", GIB, 3 * GIB // 2, 5 * GIB // 4, "the kernel's count (VmHWM)"),),
        "share_bytes": GIB // 2,
        "library_bytes": GIB // 8,
        "weights": {"decoder": 512 * MIB},
        "components": {"decoder": 512 * MIB, "engine": 110 * MIB, "process": 50 * MIB},
        "planned": {
            "decoder": 512 * MIB,
            "engine_host": 60 * MIB,
            "beside_weights": 39 * MIB,
            "process": 60 * MIB,
            "pictures": 100 * MIB,
        },
        "planned_static_bytes": GIB,
        "planned_dynamic_bytes": 3 * GIB,
        "planned_service_bytes": 100 * MIB,
        "growth_bytes": 0.0,
        "load_warm_s": spread(0.5),
        "load_cold_s": 4.0,
        "times": Times(
            encode_ms=spread(700),
            first_token_ms=spread(2000),
            inter_token_ms=spread(100),
            second_turn_ms=spread(300),
            together_ms=spread(3000),
            together=2,
        ),
        "rows": (RowRate(1, spread(10)), RowRate(2, spread(18))),
        "disk_bytes": 2 * GIB,
        "cgroup_peak_bytes": None,
        "moments": (Moment("opening", 0.0, MIB, MIB), Moment("questions", 1.0, GIB, MIB)),
    }
    return config.load(Profile, config.dump({**flat, **changed}), "a profile made up")


def changed(profile: Profile, **keys: Any) -> Profile:
    """The profile with other values for keys of its file."""
    return config.load(Profile, {**config.dump(profile), **config.dump(keys)}, "a profile made up")
