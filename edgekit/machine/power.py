"""A Jetson's power: its mode, its clocks, what its rails draw, what throttled it since the start.

`nvpmodel -q` ("NV Power Mode: MAXN", then its number on a line of its own, also where it ends with an error for want of
root); /etc/nvpmodel.conf ("< POWER_MODEL ID=0 NAME=MAXN >"); the INA3221 sensors (hwmon: inN_label, inN_input in mV,
currN_input in mA); the counters oc1 (under-voltage), oc2 and oc3 (average and instantaneous over-current) of hwmon
"soctherm_oc". From NVIDIA's Jetson Linux Developer Guide (Platform Power and Performance) and recordings in
github.com/rbonghi/jetson_stats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgekit.machine.host import Host

_WHOLE = ("VDD_IN", "POM_5V_IN")
_NO_RAIL = ("NC", "sum of shunt voltages")


@dataclass(frozen=True)
class PowerMode:
    """A power mode's name and its number: "MAXN", "0"."""

    name: str
    number: str


@dataclass(frozen=True)
class Throttled:
    """How often clocks were held back since the start, for under-voltage and for over-current."""

    under_voltage: int
    over_current: int


def power_mode(host: Host) -> PowerMode | None:
    """Ask for a Jetson's power mode; None where it isn't told."""
    if not host.machine.jetson:
        return None
    mode = re.search(r"NV Power Mode:\s*(\S+)\s+(\d+)", host.run("nvpmodel", "-q").out)
    return PowerMode(mode[1], mode[2]) if mode else None


def fastest_mode(host: Host) -> str:
    """Find the number of the mode without caps; "" where there is none."""
    modes = re.findall(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", host.read("etc/nvpmodel.conf"))
    return next((number for number, name in modes if name.startswith("MAXN")), "")


def clocks_held_high(host: Host) -> bool | None:
    """Say whether jetson_clocks has set every processor's least frequency to its greatest; None where it isn't told."""
    ranges = [
        (host.read(f"{folder}/scaling_min_freq"), host.read(f"{folder}/scaling_max_freq"))
        for folder in (p.relative_to(host.root) for p in host.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq"))
    ]
    if not ranges or not all(low and high for low, high in ranges):
        return None
    return all(low == high for low, high in ranges)


def throttled(host: Host) -> Iterator[Throttled | None]:
    """Read each of the module's counters; None of one that can't be read."""
    for folder in _sensors(host, "soctherm_oc"):
        counts = [host.read(f"{folder}/oc{number}_event_cnt").strip() for number in (1, 2, 3)]
        if all(count.isdecimal() for count in counts):
            yield Throttled(int(counts[0]), int(counts[1]) + int(counts[2]))
        else:
            yield None


def module_watts(host: Host) -> float | None:
    """Read what a Jetson's module draws: rail VDD_IN is the whole of it where there is one, else the rails add up (as
    jetson_stats counts, jtop/core/power.py); None without a sensor."""
    rails = dict(_rails(host))
    whole = next((rails[name] for name in _WHOLE if name in rails), None)
    return whole if whole is not None else sum(rails.values()) if rails else None


def _rails(host: Host) -> Iterator[tuple[str, float]]:
    for folder in _sensors(host, "ina3221"):
        for label in host.glob(f"{folder}/in*_label"):
            number = label.name[2:].removesuffix("_label")
            name = host.read(f"{folder}/{label.name}").strip()
            volts, amperes = (figure(host.read(f"{folder}/{file}{number}_input")) for file in ("in", "curr"))
            if name not in _NO_RAIL and volts is not None and amperes is not None:
                yield name, volts * amperes / 1e6


def _sensors(host: Host, name: str) -> Iterator[Path]:
    """The folders of the hardware monitors of that name, below the root."""
    for path in host.glob("sys/class/hwmon/hwmon*/name"):
        folder = path.parent.relative_to(host.root)
        if host.read(f"{folder}/name").strip() == name:
            yield folder


def figure(text: str) -> float | None:
    """Return a sensor's figure; None for what can be none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None
