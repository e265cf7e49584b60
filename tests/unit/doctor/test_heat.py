"""Heat: what the check says of a machine that is hot, or slows down."""

from __future__ import annotations

from edgekit.doctor.heat import heat
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    status,
    zone,
)


def test_heat(says: Says) -> None:
    hot = says(heat, ORIN6.changed(files=zone(8, "tj-thermal", 99.5)))
    assert hot[0][:2] == ("bad", "tj-thermal is at 100 °C and slows down from 99 °C on")
    off = says(heat, ORIN6.changed(files={"sys/class/thermal/thermal_zone8/temp": "-256000\n"}))
    assert off == [("good", "48 °C at cpu-thermal, slows down at 99", "")]
    slow = DESKTOP.changed(answers={"nvidia-smi -q": status("580.95.05", "13.0", reason="SW Thermal Slowdown")})
    assert says(heat, slow)[-1][:2] == ("bad", "the GPU holds its clocks back: SW Thermal Slowdown")
    assert says(heat, DESKTOP)[-1][:2] == ("good", "41 °C at the GPU, not throttling")
