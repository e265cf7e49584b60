"""A Jetson's system and power mode: what the checks say of one that differs in one thing."""

from __future__ import annotations

from dataclasses import replace

from edgekit.doctor.jetson import jetson, power
from edgekit.machine.programs import Reply
from edgekit.target import Budget, target
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    ORIN6,
)

PROMISING = replace(target("orin"), budget=replace(target("orin").budget, tokens_per_s=20.0))


def test_a_jetson_that_is_half_updated_too_old_or_silent(says: Says) -> None:
    core = "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core"
    [diagnosis] = says(jetson, ORIN6.changed(answers={core: "installed 36.4.4-20250616085344"}))
    assert (diagnosis[0], diagnosis[2]) == ("bad", "sudo apt full-upgrade && sudo reboot")
    [diagnosis] = says(jetson, ORIN6.changed(answers={core: "config-files 36.4.4-20250616085344"}))
    assert diagnosis[0] == "good"
    old = ORIN6.changed(
        files={"etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref\n"}
    )
    [diagnosis] = says(jetson, old)
    assert (diagnosis[0], "3.8" in diagnosis[1]) == ("bad", True)
    [diagnosis] = says(jetson, ORIN6.changed(without=("nv_tegra_release",)))
    assert diagnosis[0] == "unknown"


def test_a_capped_power_mode_is_bad_only_where_speed_is_promised(says: Says) -> None:
    capped = ORIN6.changed(answers={"nvpmodel -q": "NV Power Mode: MODE_30W\n2\n"})
    silent = replace(target("orin"), budget=Budget())
    [diagnosis] = says(power, capped, silent)
    assert says(power, capped, "cpu") == [diagnosis]
    assert diagnosis == (
        "good",
        "mode MODE_30W (2), clocks follow the load: caps speed; fine where it is meant",
        "sudo nvpmodel -m 0",
    )
    [diagnosis] = says(power, capped, PROMISING)
    assert (diagnosis[0], diagnosis[2]) == ("bad", "sudo nvpmodel -m 0")
    held = ORIN6.changed(files={"sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq": "2201600\n"})
    assert says(power, held, PROMISING) == [("good", "mode MAXN (0), clocks held high (jetson_clocks)", "")]
    missing = ORIN6.changed(answers={"nvpmodel -q": Reply(None, why="is not installed")})
    assert says(power, missing, "orin")[0][0] == "unknown"


def test_throttling_by_the_supply(says: Says) -> None:
    weak = ORIN6.changed(files={"sys/class/hwmon/hwmon3/oc1_event_cnt": "4\n"})
    assert [diagnosis[0] for diagnosis in says(power, weak, "orin")] == ["good", "bad"]
    peaks = ORIN6.changed(files={"sys/class/hwmon/hwmon3/oc3_event_cnt": "37\n"})
    assert says(power, peaks, "orin")[1][:2] == (
        "good",
        "throttled 37 times for over-current since the start: peaks above the mode's power",
    )
