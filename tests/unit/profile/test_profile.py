"""What a profile says of the machine that it was measured on."""

from __future__ import annotations

from dataclasses import replace

from edgekit.machine.detect import detect
from edgekit.machine.gpus import Gpu
from edgekit.profile.profile import device_here
from edgekit.target import target


def test_a_device_is_told_by_one_look() -> None:
    """Its processor too, which is not asked for a second time."""
    here = replace(detect(gpus=()), arch="aarch64", features=("asimd", "sve"), gpus=(Gpu("NVIDIA H200", "9.0"),))
    device = device_here(target("cpu"), here)
    assert (device.arch, device.features, device.cpu, device.cores) == (here.arch, here.features, here.cpu, here.cores)
    assert device.gpu == ""
