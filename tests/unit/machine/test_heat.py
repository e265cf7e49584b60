"""Thermal zones, of recorded machines."""

from __future__ import annotations

from pathlib import Path

from edgekit.machine.heat import Zone, zones
from tests.unit.machine.recordings import ORIN6, VM, zone


def test_zones_that_can_be_read(tmp_path: Path) -> None:
    """The zone of a part that is off is none."""
    assert zones(ORIN6.at(tmp_path / "orin")) == [Zone("cpu-thermal", 48.3, 99.0), Zone("tj-thermal", 50.1, 99.0)]
    assert zones(VM.at(tmp_path / "vm")) == []


def test_a_zone_slows_down_from_its_least_limit_on(tmp_path: Path) -> None:
    [cool, hot] = zones(ORIN6.changed(files=zone(8, "tj-thermal", 99, 99)).at(tmp_path))
    assert not cool.slows
    assert hot.slows
    assert not Zone("without a limit", 120.0, 0.0).slows


def test_a_sensor_that_is_off_is_no_cold_one(tmp_path: Path) -> None:
    name = "sys/class/thermal/thermal_zone0/temp"
    assert len(zones(ORIN6.changed(files={name: "-256000\n"}).at(tmp_path))) == 1
