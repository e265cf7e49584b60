"""The device files of recorded machines that their service may open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.deploy.unit import nodes
from edgekit.target import target
from tests.unit.machine.recordings import DESKTOP, ORIN6, THOR7, WSL2, Recording

# As an Orin with L4T 36 has them, beside some that nothing computes with.
ORIN = replace(
    ORIN6,
    nodes=(
        *("dev/nvmap", "dev/host1x-fence", "dev/dri/card0", "dev/dri/renderD128", "dev/nvhost-gpu"),
        *(f"dev/nvhost-{name}-gpu" for name in ("as", "ctrl", "dbg", "prof", "sched", "tsg")),
        *("dev/nvhost-nvsched_ctrl_fifo-gpu", "dev/nvhost-vic", "dev/nvgpu/igpu0/ctrl", "dev/nvgpu/igpu0/as"),
        *("dev/video0", "dev/sda"),
    ),
)


@pytest.mark.parametrize(
    ("recording", "name", "expected"),
    [
        (DESKTOP, "rtx3050", ("/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidiactl")),
        (WSL2, "rtx3050", ("/dev/dxg",)),
        (THOR7, "orin", ("/dev/dri/renderD128", "/dev/nvidiactl", "/dev/nvmap")),
        (DESKTOP, "cpu", ()),
    ],
    ids=["desktop", "wsl", "jetpack-7", "processor"],
)
def test_what_is_there_is_listed(recording: Recording, name: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    assert nodes(recording.at(tmp_path), target(name)) == expected


def test_a_jetson_shows_what_computes_alone(tmp_path: Path) -> None:
    there = set(nodes(ORIN.at(tmp_path), target("orin")))
    left_out = {"/dev/dri/card0", "/dev/nvhost-vic", "/dev/video0", "/dev/sda"}
    assert there == {f"/{node}" for node in ORIN.nodes} - left_out


def test_what_nvidias_list_names_and_is_there_counts_too(tmp_path: Path) -> None:
    lines = ["dev, /dev/nvidia-uvm-new", "dev, /dev/nvidia7", "lib, /dev/nvidia8", "dev, /dev/video0", "dev, /dev/fb0"]
    lines += ["dev, /dev/nvgpu/../sda", "", "dev"]
    folder = "etc/nvidia-container-runtime/host-files-for-container.d"
    recording = ORIN.changed(files={f"{folder}/devices.csv": "\n".join(lines), "dev/nvidia-uvm-new": ""})
    alone, with_list = (
        nodes(ORIN.at(tmp_path / "a"), target("orin")),
        nodes(recording.at(tmp_path / "b"), target("orin")),
    )
    assert set(with_list) - set(alone) == {"/dev/nvidia-uvm-new"}


def test_without_a_gpu_there_are_none(tmp_path: Path) -> None:
    assert nodes(DESKTOP.changed(without=("dev/",)).at(tmp_path), target("rtx3080")) == ()
