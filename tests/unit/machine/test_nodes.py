"""NVIDIA's hardware as the kernel shows it, of recorded machines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.machine.nodes import device_files, on_the_bus
from tests.unit.machine.recordings import DESKTOP, ORIN6, THOR7, VM, WSL2, Recording


@pytest.mark.parametrize(
    ("recording", "count"), [(DESKTOP, 3), (WSL2, 1), (ORIN6, 4), (THOR7, 3)], ids=["desktop", "wsl", "orin", "thor"]
)
def test_device_files_that_are_there(recording: Recording, count: int, tmp_path: Path) -> None:
    files = device_files(recording.at(tmp_path))
    assert (len(files.present), files.absent) == (count, ())


def test_device_files_that_are_not(tmp_path: Path) -> None:
    assert device_files(VM.at(tmp_path / "vm")).absent == ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-uvm")
    jetson = replace(ORIN6, nodes=("dev/nvmap",))
    assert device_files(jetson.at(tmp_path / "orin")).absent == ("/dev/nvgpu/igpu0/ctrl", "/dev/dri/renderD128")


def test_a_card_without_a_driver_is_on_the_bus(tmp_path: Path) -> None:
    assert on_the_bus(DESKTOP.at(tmp_path / "desktop"))
    assert not on_the_bus(VM.at(tmp_path / "vm"))
    sound = DESKTOP.changed(files={"sys/bus/pci/devices/0000:01:00.0/class": "0x040300\n"})
    assert not on_the_bus(sound.at(tmp_path / "sound"))
