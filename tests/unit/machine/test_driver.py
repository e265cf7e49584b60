"""The two halves of NVIDIA's driver, by what the kernel says and by the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.machine.driver import driver_libraries, kernel_driver
from tests.unit.machine.recordings import DESKTOP, lay_library

CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.173.02  Tue Jun 23 08:38:17 UTC 2026\nGCC version:  gcc\n"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build  (dvs@host)  Tue\nGCC:\n"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (CLOSED, "580.173.02"),
        (OPEN, "570.124.06"),
        ("NVRM version: NVIDIA UNIX aarch64 Kernel Module  595.78  Mon Jun  1 2026\n", "595.78"),
        ("GCC version:  gcc version 12.2.0\n", ""),
        ("", ""),
    ],
)
def test_what_the_kernel_runs(tmp_path: Path, text: str, version: str) -> None:
    assert kernel_driver(DESKTOP.changed(files={"proc/driver/nvidia/version": text}).at(tmp_path)) == version


def test_libraries_are_of_the_version_that_their_names_lead_to(tmp_path: Path) -> None:
    cache = lay_library(tmp_path, "usr/lib/x86_64-linux-gnu", "libcuda.so.1", "libcuda.so.580.178.04")
    cache += lay_library(tmp_path, "usr/lib/x86_64-linux-gnu", "libnvidia-ml.so.1", "libnvidia-ml.so.580.178.04")
    host = DESKTOP.changed(answers={"ldconfig -p": cache}).at(tmp_path)
    assert driver_libraries(host) == {"libcuda.so.1": "580.178.04", "libnvidia-ml.so.1": "580.178.04"}


def test_libraries_that_tell_no_version_of_the_driver_are_left_out(tmp_path: Path) -> None:
    jetson = lay_library(tmp_path / "a", "usr/lib/aarch64-linux-gnu/nvidia", "libcuda.so.1", "libcuda.so.1.1")
    assert driver_libraries(DESKTOP.changed(answers={"ldconfig -p": jetson}).at(tmp_path / "a")) == {}
    compat = lay_library(tmp_path / "b", "usr/local/cuda/compat", "libcuda.so.1", "libcuda.so.580.65.06")
    assert driver_libraries(DESKTOP.changed(answers={"ldconfig -p": compat}).at(tmp_path / "b")) == {}
    odd = "\tlibcuda.so.1 (libc6,x86-64) => /a\0b/libcuda.so.1\n"
    assert driver_libraries(DESKTOP.changed(answers={"ldconfig -p": odd}).at(tmp_path / "e")) == {}
    gone = "\tlibcuda.so.1 (libc6,x86-64) => /nowhere/libcuda.so.1\n"
    assert driver_libraries(DESKTOP.changed(answers={"ldconfig -p": gone}).at(tmp_path / "c")) == {}
    assert driver_libraries(DESKTOP.at(tmp_path / "d")) == {}


def test_a_folder_that_the_user_put_first_is_the_one(tmp_path: Path) -> None:
    lay_library(tmp_path, "opt/driver", "libcuda.so.1", "libcuda.so.570.86.16")
    host = DESKTOP.changed(environment={"LD_LIBRARY_PATH": "/opt/driver"}).at(tmp_path)
    assert driver_libraries(host) == {"libcuda.so.1": "570.86.16"}
