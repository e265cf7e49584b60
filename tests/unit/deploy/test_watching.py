"""The units that watch a trial run the code that is not on trial, and only as long as there is one."""

from __future__ import annotations

import configparser
from pathlib import PurePosixPath

from edgekit.deploy.layout import Layout
from edgekit.deploy.watching import ENABLED, watch_units


def test_the_units_that_watch_a_trial() -> None:
    layout = Layout(prefix=PurePosixPath("/data/edgekit"))
    units = {PurePosixPath(path).name: _parsed(text) for path, text in watch_units(layout).items()}
    timer, look, boot = units["edgekit-commit.timer"], units["edgekit-commit.service"], units["edgekit-boot.service"]
    for unit in (timer, boot):
        assert unit["Unit"]["RequiresMountsFor"] == "/data/edgekit"
    for unit, command in ((look, "commit --if-healthy"), (boot, "rollback --boot")):
        assert unit["Service"]["ExecStart"] == f"/usr/bin/python3 -s -m edgekit {command} --prefix /data/edgekit"
        assert "/data/edgekit/state/rescue/site:" in unit["Service"]["Environment"]
    assert boot["Unit"]["ConditionPathExists"] == "/data/edgekit/state/trial"
    assert "ConditionPathExists" not in timer["Unit"], "a rollback that was cut is no trial"
    assert boot["Unit"]["Before"] == "edgekit.service"
    assert "Install" not in look


def test_the_nightly_check_has_its_hour_comes_with_the_service_and_goes_with_it() -> None:
    units = {PurePosixPath(path).name: _parsed(text) for path, text in watch_units(Layout()).items()}
    timer = units["edgekit-check.timer"]
    hour = int(timer["Timer"]["OnCalendar"].split()[1][:2])
    assert 2 <= hour <= 4, "at night"
    assert int(timer["Timer"]["RandomizedDelaySec"]) >= 1800, "not all devices of a ward at once"
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Unit"]["PartOf"] == "edgekit.service"
    assert set(ENABLED) == {name for name, unit in units.items() if "Install" in unit}


def _parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(text)
    return parser
