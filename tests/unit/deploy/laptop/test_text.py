"""The user's unit asks for nothing that a user may not have, and runs one release until it ends."""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

import pytest

from edgekit.deploy.laptop.layout import HomeLayout, home_layout
from edgekit.deploy.laptop.text import home_unit_text, menu_files
from edgekit.deploy.unit import Settings, rollback_unit_text
from edgekit.deploy.watching import watch_units
from edgekit.target import target
from edgekit.units import GIB
from tests.units import parse, value

MACHINE = Settings(memory_bytes=16 * GIB, systemd=249)
MOUNTS = {"BindReadOnlyPaths", "TemporaryFileSystem", "ReadWritePaths", "DevicePolicy", "DeviceAllow", "User", "Group"}


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    return home_layout({"HOME": str(tmp_path)})


@pytest.mark.parametrize("name", ["cpu", "rtx3050"])
def test_nothing_in_it_needs_root_or_a_namespace(layout: HomeLayout, name: str) -> None:
    unit = parse(home_unit_text(layout, target(name), MACHINE))
    texts = [home_unit_text(layout, target(name), MACHINE), rollback_unit_text(layout), *watch_units(layout).values()]
    names = {setting for text in texts for setting in parse(text).get("Service", {})}
    assert not names & MOUNTS
    assert not [setting for setting in names if setting.startswith(("Protect", "Private"))]
    assert value(unit, "NoNewPrivileges") == "yes"
    assert value(unit, "MemoryDenyWriteExecute") == ("yes" if name == "cpu" else "no")
    assert unit["Install"]["WantedBy"] == ["default.target"]
    assert (value(unit, "Restart"), value(unit, "Type")) == ("always", "notify")
    assert unit["Unit"]["OnFailure"] == ["edgekit-rollback.service"]
    assert unit["Unit"].get("Wants", []) == ([] if name == "cpu" else ["edgekit-gpu.service"])


def test_nothing_in_the_home_folder_is_taken_for_a_module(layout: HomeLayout) -> None:
    """A user's units would begin there, and `python -m` looks in the folder where it begins first."""
    texts = [home_unit_text(layout, target("cpu"), MACHINE), rollback_unit_text(layout), *watch_units(layout).values()]
    services = [unit for unit in map(parse, texts) if "Service" in unit]
    assert len(services) == 4
    assert all(value(unit, "WorkingDirectory") == "/" for unit in services)


def test_it_runs_the_release_that_the_link_named_when_it_started(layout: HomeLayout) -> None:
    """The very command, with a Python that only says what it was told."""
    python = layout.prefix / "python"
    for identity in ("1", "2"):
        layout.release(identity).mkdir(parents=True)
    layout.current.symlink_to("releases/1")
    layout.at(python).write_text('#!/bin/sh\necho "$PYTHONPATH $@"\n')
    layout.at(python).chmod(0o755)
    unit = parse(home_unit_text(layout, target("cpu"), Settings(memory_bytes=GIB, systemd=249, python=python)))
    shell, option, quoted = value(unit, "ExecStart").split(" ", 2)
    command = quoted.strip("'").replace("$$", "$")
    done = subprocess.run([shell, option, command], env={"EDGEKIT_PORT": "81"}, capture_output=True, text=True)
    release = layout.release("1").resolve()
    serves = f"-s -m edgekit serve {release}/bundle --slots 1 --port 81"
    assert done.stdout == f"{release}/site:{release}/system {serves}\n"
    assert "--host" not in command, "loopback alone"


def test_what_watches_it_finds_it_and_no_check_runs_at_night(layout: HomeLayout) -> None:
    units = {Path(path).name: parse(text) for path, text in watch_units(layout).items()}
    assert set(units) == {"edgekit-commit.timer", "edgekit-commit.service", "edgekit-boot.service"}
    assert all(Path(path).parent == layout.unit.parent for path in watch_units(layout))
    back = parse(rollback_unit_text(layout))
    for unit in (units["edgekit-commit.service"], units["edgekit-boot.service"], back):
        assert value(unit, "ExecStart").endswith(" --user")
        assert f"XDG_STATE_HOME={layout.state_home}" in value(unit, "Environment")
    assert units["edgekit-boot.service"]["Install"]["WantedBy"] == ["default.target"]


def test_the_menu_has_the_page(layout: HomeLayout) -> None:
    texts = menu_files(layout, 8123)
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(texts[str(layout.menu)])
    entry = parser["Desktop Entry"]
    assert entry["Exec"] == "xdg-open http://127.0.0.1:8123/"
    assert entry["Icon"] == layout.icon.stem
    assert entry["Categories"].endswith(";")
    assert texts[str(layout.icon)].startswith("<svg")
