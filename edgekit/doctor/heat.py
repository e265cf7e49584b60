"""Temperature and throttling, by the kernel's thermal zones and NVIDIA's driver.

Zones: /sys/class/thermal/thermal_zoneN/{type,temp,trip_point_M_type,trip_point_M_temp}, in thousandths of a degree
(the kernel's sysfs-api for thermal); a Jetson's zone of a part that is off can't be read. The driver: `nvidia-smi -q`,
"Clocks Event Reasons" ("Clocks Throttle Reasons" before driver 535) and "GPU Current Temp".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgekit.doctor.finding import Finding
from edgekit.doctor.host import Host
from edgekit.doctor.nvidia import status
from edgekit.target import Target

_SLOWING = ("passive", "hot", "critical")
_REASONS = ("HW Thermal Slowdown", "SW Thermal Slowdown", "HW Power Brake Slowdown")
_COOL = "Give it air: fan, vents, dust.   On a Jetson: sudo systemctl restart nvfancontrol"


@dataclass(frozen=True)
class Zone:
    """A part with its temperature and the least one that slows it down (0: none), in °C."""

    name: str
    degrees: float
    limit: float

    @property
    def slows(self) -> bool:
        return bool(self.limit) and self.degrees >= self.limit


def heat(host: Host, target: Target) -> Iterator[Finding]:
    every = zones(host)
    for zone in every:
        if zone.slows:
            what = f"{zone.name} is at {zone.degrees:.0f} °C and slows down from {zone.limit:.0f} °C on"
            yield Finding("heat", "bad", what, _COOL)
    if every:
        hot = max(every, key=lambda zone: zone.degrees)
        slows = f", slows down at {hot.limit:.0f}" if hot.limit else ""
        yield Finding("heat", "good", f"{hot.degrees:.0f} °C at {hot.name}{slows}")
    found = list(_gpu(host))
    yield from found
    if not every and not found:
        yield Finding("heat", "unknown", "no thermal zone can be read, as in most virtual machines")


def zones(host: Host) -> list[Zone]:
    """Every thermal zone that can be read."""
    return [zone for path in host.glob("sys/class/thermal/thermal_zone*") if (zone := _zone(host, path.name))]


def _zone(host: Host, name: str) -> Zone | None:
    folder = f"sys/class/thermal/{name}"
    degrees = _degrees(host.read(f"{folder}/temp"))
    if degrees is None:
        return None
    limits = [
        limit
        for path in host.glob(f"{folder}/trip_point_*_type")
        if host.read(f"{folder}/{path.name}").strip() in _SLOWING
        and (limit := _degrees(host.read(f"{folder}/{path.name.removesuffix('type')}temp")))
    ]
    return Zone(host.read(f"{folder}/type").strip() or name, degrees, min(limits, default=0.0))


def _degrees(text: str) -> float | None:
    """Thousandths of a degree; nothing in nature here is below −50 °C, as sensors that are off claim to be."""
    match = re.fullmatch(r"\s*(-?\d{1,7})\s*", text)
    return int(match[1]) / 1000 if match and int(match[1]) > -50_000 else None


def slowed_by(host: Host) -> list[str]:
    """What holds a card's clocks back now, in the driver's words; being idle or capped by choice is not among it."""
    text = status(host).out
    return [name for name in _REASONS if re.search(rf"{name}\s*:\s*Active", text)]


def _gpu(host: Host) -> Iterator[Finding]:
    text = status(host).out
    told = re.search(r"Clocks (?:Event|Throttle) Reasons", text)
    active = slowed_by(host)
    degrees = re.search(r"GPU Current Temp\s*:\s*(\d+) C", text)
    if active:
        mend = "Check fan and power supply." if any("Power" in name for name in active) else _COOL
        yield Finding("heat", "bad", f"the GPU holds its clocks back: {', '.join(active)}", mend)
    elif degrees:
        yield Finding("heat", "good", f"{degrees[1]} °C at the GPU, not throttling" if told else f"{degrees[1]} °C")
