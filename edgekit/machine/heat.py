"""Temperatures, by the kernel's thermal zones.

/sys/class/thermal/thermal_zoneN/{type,temp,trip_point_M_type,trip_point_M_temp}, in thousandths of a degree (the
kernel's sysfs-api for thermal); a Jetson's zone of a part that is off can't be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.machine.host import Host

_SLOWING = ("passive", "hot", "critical")


@dataclass(frozen=True)
class Zone:
    """A part with its temperature and the least one that slows it down (0: none), in °C."""

    name: str
    degrees: float
    limit: float

    @property
    def slows(self) -> bool:
        return bool(self.limit) and self.degrees >= self.limit


def zones(host: Host) -> list[Zone]:
    """List every thermal zone that can be read."""
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
