"""What the doctor says of a driver whose libraries were replaced under the kernel that runs."""

from __future__ import annotations

from pathlib import Path

from edgekit.doctor.halves import halves
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, lay_library

VERSION = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025\n"
RUNS = {"proc/driver/nvidia/version": VERSION}
FOLDER = "usr/lib/x86_64-linux-gnu"


def test_an_update_that_no_restart_followed(says: Says, tmp_path: Path) -> None:
    cache = lay_library(tmp_path, FOLDER, "libcuda.so.1", "libcuda.so.580.105.08")
    cache += lay_library(tmp_path, FOLDER, "libnvidia-ml.so.1", "libnvidia-ml.so.580.95.05")
    updated = DESKTOP.changed(files=RUNS, answers={"ldconfig -p": cache})
    what = (
        "updated but not restarted: the kernel runs 580.95.05, libcuda.so.1 is 580.105.08; what starts now finds no GPU"
    )
    assert says(halves, updated, "rtx3050", tmp_path) == [("bad", what, "sudo reboot")]
    assert says(halves, updated, "cpu", tmp_path) == []
    inside = updated.changed(files={".dockerenv": ""})
    assert says(halves, inside, "rtx3050", tmp_path)[0][2].startswith("Restart the machine that this container runs on")


def test_halves_of_one_version_and_machines_that_tell_nothing(says: Says, tmp_path: Path) -> None:
    cache = lay_library(tmp_path, FOLDER, "libcuda.so.1", "libcuda.so.580.95.05")
    assert says(halves, DESKTOP.changed(files=RUNS, answers={"ldconfig -p": cache}), "rtx3050", tmp_path) == []
    assert says(halves, DESKTOP.changed(files=RUNS), "rtx3050") == []
    assert says(halves, DESKTOP, "rtx3050") == []
