"""A Jetson's power mode, clocks and counters, of a recorded one. Its rails: test_condition.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.power import PowerMode, Throttled, clocks_held_high, fastest_mode, figure, power_mode, throttled
from tests.unit.machine.recordings import DESKTOP, ORIN6, THOR7

FREQUENCY = "sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq"


def test_the_power_mode_and_the_one_without_caps(tmp_path: Path) -> None:
    assert power_mode(ORIN6.at(tmp_path / "orin")) == PowerMode("MAXN", "0")  # though it ends with an error
    assert power_mode(THOR7.at(tmp_path / "thor")) == PowerMode("120W", "1")
    assert power_mode(DESKTOP.at(tmp_path / "desktop")) is None
    assert power_mode(ORIN6.changed(answers={"nvpmodel -q": "?"}).at(tmp_path / "mute")) is None
    assert fastest_mode(ORIN6.at(tmp_path / "orin")) == "0"
    assert fastest_mode(DESKTOP.at(tmp_path / "desktop")) == ""


def test_clocks_that_are_held_high(tmp_path: Path) -> None:
    assert clocks_held_high(ORIN6.at(tmp_path / "orin")) is False
    assert clocks_held_high(ORIN6.changed(files={FREQUENCY: "2201600\n"}).at(tmp_path / "held")) is True
    assert clocks_held_high(DESKTOP.at(tmp_path / "desktop")) is None


def test_what_throttled_since_the_start(tmp_path: Path) -> None:
    counter = "sys/class/hwmon/hwmon3/oc{}_event_cnt"
    assert list(throttled(ORIN6.at(tmp_path / "orin"))) == [Throttled(0, 0)]
    counted = ORIN6.changed(files={counter.format(1): "4\n", counter.format(2): "1\n", counter.format(3): "2\n"})
    assert list(throttled(counted.at(tmp_path / "counted"))) == [Throttled(4, 3)]
    assert list(throttled(ORIN6.changed(without=("oc2_event",)).at(tmp_path / "mute"))) == [None]
    assert list(throttled(DESKTOP.at(tmp_path / "desktop"))) == []


@pytest.mark.parametrize(
    ("text", "value"), [("63.4", 63.4), (" 0\n", 0.0), ("", None), ("[N/A]", None), ("-1", None), ("1e9", None)]
)
def test_a_sensor_s_figure(text: str, value: float | None) -> None:
    assert figure(text) == value
