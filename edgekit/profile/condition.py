"""Power, temperature, throttling and power mode at a moment, as far as the device tells.

A Jetson's power comes from its INA3221 sensors (hwmon: inN_label, inN_input in mV, currN_input in mA); rail VDD_IN is
the whole module where there is one, else the rails add up (as jetson_stats counts, jtop/core/power.py). A card's comes
from nvidia-smi. Temperatures, what slows clocks down and the power mode are read as the doctor reads them.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.heat import slowed_by, zones
from edgekit.doctor.host import Host
from edgekit.doctor.jetson import power_mode
from edgekit.machine.gpus import kept_to
from edgekit.profile.record import Condition

_QUERY = ("nvidia-smi", "--query-gpu=power.draw,temperature.gpu", "--format=csv,noheader,nounits")
_WHOLE = ("VDD_IN", "POM_5V_IN")
_NO_RAIL = ("NC", "sum of shunt voltages")


def condition(host: Host) -> Condition:
    """How the device is now; raises nothing. A :class:`Host` asks each question once: take a new one each time."""
    card_w, card_c = _card(host)
    degrees = [zone.degrees for zone in zones(host)] + ([card_c] if card_c is not None else [])
    hot = [f"{zone.name} at {zone.degrees:.0f} °C" for zone in zones(host) if zone.slows]
    mode = power_mode(host)
    return Condition(
        power_w=_module_w(host) if host.machine.jetson else card_w,
        temperature_c=max(degrees, default=None),
        throttling=(*hot, *slowed_by(host)),
        power_mode=mode[0] if mode else "",
    )


def _card(host: Host) -> tuple[float | None, float | None]:
    """Watts and °C of the NVIDIA card that is computed on."""
    reply = host.run(*_QUERY, *([f"--id={gpu}"] if (gpu := kept_to()) else []))
    cells = (reply.out.splitlines() or [""])[0].split(",") if reply.code == 0 else []
    if len(cells) != 2:
        return None, None
    return _number(cells[0]), _number(cells[1])


def _module_w(host: Host) -> float | None:
    """Watts of a Jetson's module."""
    rails = dict(_rails(host))
    whole = next((rails[name] for name in _WHOLE if name in rails), None)
    return whole if whole is not None else sum(rails.values()) if rails else None


def _rails(host: Host) -> Iterator[tuple[str, float]]:
    for path in host.glob("sys/class/hwmon/hwmon*/name"):
        folder = path.parent.relative_to(host.root)
        if host.read(f"{folder}/name").strip() != "ina3221":
            continue
        for label in host.glob(f"{folder}/in*_label"):
            number = label.name[2:].removesuffix("_label")
            name = host.read(f"{folder}/{label.name}").strip()
            volts, amperes = (_number(host.read(f"{folder}/{file}{number}_input")) for file in ("in", "curr"))
            if name not in _NO_RAIL and volts is not None and amperes is not None:
                yield name, volts * amperes / 1e6


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e6 else None
