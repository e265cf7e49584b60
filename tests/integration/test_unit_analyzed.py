"""The units as systemd's own analyser sees them on this machine: nothing in them is unknown, and little is open."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.unit import Settings, unit_files
from edgekit.deploy.watching import watch_units
from edgekit.target import target
from edgekit.units import GIB

pytestmark = pytest.mark.system

NODES = ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")
MOST = {
    "edgekit": {"cpu": 1.5, "rtx3050": 1.7, "orin": 1.7},
    "edgekit-check": {"cpu": 1.7, "rtx3050": 1.9, "orin": 1.9},
}  # goal: 2.0; what the exceptions that have a reason cost
OLDEST = 250
"""The first systemd that analyses units that are not installed, and counts errors in those that they name."""


@pytest.fixture(params=MOST["edgekit"])
def units(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[str]]:
    name: str = request.param
    if analyze_version() < OLDEST:
        pytest.skip(f"this machine's systemd-analyze is older than {OLDEST}, or missing")
    nodes = NODES if target(name).kind.on_gpu else ()
    texts = unit_files(Layout(), target(name), nodes, Settings(memory_bytes=16 * GIB)) | watch_units(Layout())
    for path, text in texts.items():
        (tmp_path / Path(path).name).write_text(text, encoding="utf-8")
    return name, sorted(map(str, tmp_path.iterdir()))


def analyze_version() -> int:
    if not shutil.which("systemd-analyze"):
        return 0
    said = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True).stdout
    version = re.match(r"systemd (\d+)", said)
    return int(version[1]) if version else 0


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask with the units' folder before the system's own."""
    folder = str(Path(arguments[-1]).parent)
    environ = os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"}
    command = ["systemd-analyze", "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120)


def test_no_setting_is_unknown(units: tuple[str, list[str]]) -> None:
    done = analyze("verify", "--recursive-errors=yes", *units[1])
    ours = [line for line in done.stderr.splitlines() if "edgekit" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_a_setting_that_is_unknown_would_be_seen(tmp_path: Path) -> None:
    if analyze_version() < OLDEST:
        pytest.skip(f"this machine's systemd-analyze is older than {OLDEST}, or missing")
    path = tmp_path / "edgekit.service"
    path.write_text("[Service]\nExecStart=/bin/true\nProtectEverything=yes\n", encoding="utf-8")
    assert analyze("verify", "--recursive-errors=yes", str(path)).returncode != 0


@pytest.mark.parametrize("unit", ["edgekit", "edgekit-check"])
def test_little_of_the_machine_is_open_to_it(units: tuple[str, list[str]], unit: str) -> None:
    name, paths = units
    (path,) = (path for path in paths if path.endswith(f"/{unit}.service"))
    done = analyze("security", "--offline=yes", "--threshold=20", path)
    assert done.returncode == 0, done.stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stdout
    assert float(exposure[1]) <= MOST[unit][name]
