"""What is installed beside EdgeKit, of recorded machines. Libraries: the doctor's tests."""

from __future__ import annotations

from pathlib import Path

from edgekit.machine.installed import debian_version, systemd_version
from tests.unit.machine.recordings import CONTAINER, ORIN6, ORIN7, VM


def test_debian_packages(tmp_path: Path) -> None:
    orin = ORIN6.at(tmp_path / "orin")
    assert debian_version(orin, "nvidia-l4t-core") == "36.4.3-20250107174145"
    assert debian_version(ORIN7.at(tmp_path / "newer"), "nvidia-jetpack") == ""
    removed = "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-jetpack"
    gone = ORIN6.changed(answers={removed: "config-files 6.2.1+b38"}).at(tmp_path / "gone")
    assert debian_version(gone, "nvidia-jetpack") == ""
    assert debian_version(VM.at(tmp_path / "vm"), "nvidia-jetpack") == ""


def test_systemd(tmp_path: Path) -> None:
    assert systemd_version(VM.at(tmp_path / "vm")) == "255"
    assert systemd_version(CONTAINER.at(tmp_path / "container")) is None
    assert systemd_version(VM.changed(answers={"systemctl --version": ""}).at(tmp_path / "mute")) == ""
