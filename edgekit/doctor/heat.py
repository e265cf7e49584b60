"""Temperature and throttling, by the kernel's thermal zones and NVIDIA's driver."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.heat import zones
from edgekit.machine.host import Host
from edgekit.machine.smi import status
from edgekit.target import Target

_COOL = "Give it air: fan, vents, dust.   On a Jetson: sudo systemctl restart nvfancontrol"


def heat(host: Host, target: Target) -> Iterator[Diagnosis]:
    every = zones(host)
    for zone in every:
        if zone.slows:
            what = f"{zone.name} is at {zone.degrees:.0f} °C and slows down from {zone.limit:.0f} °C on"
            yield Diagnosis("heat", "bad", what, _COOL)
    if every:
        hot = max(every, key=lambda zone: zone.degrees)
        slows = f", slows down at {hot.limit:.0f}" if hot.limit else ""
        yield Diagnosis("heat", "good", f"{hot.degrees:.0f} °C at {hot.name}{slows}")
    of_gpu = list(_gpu(host))
    yield from of_gpu
    if not every and not of_gpu:
        yield Diagnosis("heat", "unknown", "no thermal zone can be read, as in most virtual machines")


def _gpu(host: Host) -> Iterator[Diagnosis]:
    answer = status(host.run)
    if active := answer.slowed_by:
        mend = "Check fan and power supply." if any("Power" in name for name in active) else _COOL
        yield Diagnosis("heat", "bad", f"the GPU holds its clocks back: {', '.join(active)}", mend)
    elif answer.degrees is not None:
        yield Diagnosis("heat", "good", f"{answer.degrees} °C{' at the GPU, not throttling' * answer.tells_throttling}")
