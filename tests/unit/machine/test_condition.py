"""Power, heat and throttling of recorded machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.condition import Condition, condition
from edgekit.machine.programs import Reply
from tests.unit.machine.recordings import CONTAINER, DESKTOP, ORIN6, VM, WSL2, Recording, zone

QUERY = "nvidia-smi --query-gpu=power.draw,temperature.gpu"


def rails(folder: str, *rows: tuple[str, str, str]) -> dict[str, str]:
    """An INA3221 as hwmon shows it: label, mV, mA of each channel."""
    at = f"sys/class/hwmon/{folder}"
    counters = {f"{at}/name": "ina3221\n"}
    for number, (label, volts, amperes) in enumerate(rows, 1):
        counters |= {f"{at}/in{number}_label": f"{label}\n", f"{at}/in{number}_input": volts}
        counters |= {f"{at}/curr{number}_input": amperes}
    return counters


def of(recording: Recording, folder: Path) -> Condition:
    return condition(recording.at(folder))


def test_an_agx_orin_s_rails_add_up(tmp_path: Path) -> None:
    files = rails("hwmon4", ("VDD_GPU_SOC", "19000\n", "500\n"), ("VDD_CPU_CV", "19000", "100"), ("NC", "1", "1"))
    files |= rails("hwmon5", ("VIN_SYS_5V0", "5000", "1000"), ("sum of shunt voltages", "9", "9"))
    now = of(ORIN6.changed(files=files), tmp_path)
    assert now.power_w == pytest.approx(19 * 0.5 + 19 * 0.1 + 5)
    assert now.power_mode == "MAXN"
    assert now.temperature_c is not None
    assert now.throttling == ()


def test_a_rail_that_is_the_whole_module_is_its_power(tmp_path: Path) -> None:
    files = rails("hwmon4", ("VDD_IN", "5000", "2000"), ("VDD_CPU_GPU_CV", "5000", "700"))
    assert of(ORIN6.changed(files=files), tmp_path).power_w == pytest.approx(10)


def test_sensors_that_talk_garbage_are_left_out(tmp_path: Path) -> None:
    files = rails("hwmon4", ("VDD_GPU_SOC", "", "500"), ("VDD_CPU_CV", "19000", "-1"), ("VIN_SYS_5V0", "x", "1"))
    assert of(ORIN6.changed(files=files), tmp_path).power_w is None


def test_a_hot_zone_throttles(tmp_path: Path) -> None:
    now = of(ORIN6.changed(files=zone(0, "gpu-thermal", 101, passive=99)), tmp_path)
    assert now.temperature_c == 101
    assert now.throttling == ("gpu-thermal at 101 °C",)


def test_a_card_s_power_and_heat(tmp_path: Path) -> None:
    now = of(DESKTOP.changed(answers={QUERY: "63.41, 71\n"}), tmp_path)
    assert now.power_w == 63.41
    assert now.temperature_c is not None
    assert now.temperature_c >= 71
    assert now.power_mode == ""


@pytest.mark.parametrize(
    "answer",
    ["[N/A], [N/A]\n", "", "No devices were found\n", Reply(9, "63, 71"), Reply(None, why="hung")],
)
def test_a_card_that_does_not_tell(answer: str | Reply, tmp_path: Path) -> None:
    assert of(DESKTOP.changed(answers={QUERY: answer}), tmp_path).power_w is None


@pytest.mark.parametrize("recording", [VM, CONTAINER, WSL2])
def test_machines_that_tell_little(recording: Recording, tmp_path: Path) -> None:
    now = of(recording, tmp_path)
    assert now.power_mode == ""
    assert now.throttling == ()
