"""Power, temperature, throttling and power mode at a moment, as far as the device tells.

A Jetson's power comes from its own sensors, a card's from nvidia-smi.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.machine.heat import zones
from edgekit.machine.host import Host
from edgekit.machine.power import figure, module_watts, power_mode
from edgekit.machine.smi import draw, status


@dataclass(frozen=True)
class Condition:
    """How the device fared at one moment; None and "" where it doesn't tell.

    ``throttling`` names what held clocks back, in the device's words.
    """

    power_w: float | None = None
    temperature_c: float | None = None
    throttling: tuple[str, ...] = ()
    power_mode: str = ""


def condition(host: Host, uuid: str = "") -> Condition:
    """Read how the device fares now, of its cards the one with that ``uuid``, or the first; raises nothing.

    A :class:`Host` asks each question once: take a new one each time.
    """
    card_w, card_c = map(figure, draw(host.run, uuid))
    degrees = [zone.degrees for zone in zones(host)] + ([card_c] if card_c is not None else [])
    hot = [f"{zone.name} at {zone.degrees:.0f} °C" for zone in zones(host) if zone.slows]
    mode = power_mode(host)
    return Condition(
        power_w=module_watts(host) if host.machine.jetson else card_w,
        temperature_c=max(degrees, default=None),
        throttling=(*hot, *status(host.run).slowed_by),
        power_mode=mode.name if mode else "",
    )
