"""What the doctor says of the device files that CUDA opens."""

from __future__ import annotations

import pytest

from edgekit.doctor.nodes import nodes
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    VM,
)


@pytest.mark.parametrize(
    ("more", "mend"),
    [
        ({}, "sudo usermod -aG video $USER   then log in again"),
        ({"group": lambda path: "render" if "dri" in path.parts else "video"}, "sudo usermod -aG render,video $USER"),
        ({"group": lambda path: "root"}, "Give them to the group video by a udev rule."),
        ({"files": {"etc/group": "root:x:0:\nvideo:x:44:ubuntu,field\n"}}, "Log out and in again"),
        ({"files": {"etc/group": "video:x:44:somebody\n"}}, "sudo usermod -aG video $USER"),
        ({"files": {".dockerenv": ""}}, "Start the container with --group-add video."),
    ],
)
def test_gpu_nodes_that_are_closed_to_the_user(says: Says, more: dict[str, object], mend: str) -> None:
    closed = ORIN6.changed(may_open=lambda path: path.name != "nvmap" and "dri" not in path.parts, **more)  # type: ignore[arg-type]
    [diagnosis] = says(nodes, closed, "orin")
    assert (diagnosis[0], "/dev/nvmap" in diagnosis[1]) == ("bad", True)
    assert mend in diagnosis[2]


def test_gpu_nodes_that_are_missing(says: Says) -> None:
    [diagnosis] = says(nodes, DESKTOP.changed(without=("uvm",)), "rtx3050")
    assert diagnosis == ("bad", "missing: /dev/nvidia-uvm", "sudo nvidia-modprobe -u -c=0")
    assert says(nodes, VM, "cpu") == []
