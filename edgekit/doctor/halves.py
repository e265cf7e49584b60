"""Are both halves of NVIDIA's driver of one version? An update changes the files, and a restart the kernel.

What runs keeps the libraries that it has mapped and goes on for days; whatever starts after the update finds no GPU.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.driver import driver_libraries, kernel_driver
from edgekit.machine.host import Host
from edgekit.target import Target


def halves(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold the driver that runs in the kernel against its libraries on disk; silent where either doesn't tell."""
    runs = kernel_driver(host)
    if not wants_gpu(target) or not runs:
        return
    others = {name: version for name, version in driver_libraries(host).items() if version != runs}
    if others:
        named = ", ".join(f"{name} is {version}" for name, version in others.items())
        what = f"updated but not restarted: the kernel runs {runs}, {named}; what starts now finds no GPU"
        yield Diagnosis("driver", "bad", what, _mend(host))


def _mend(host: Host) -> str:
    if host.container:
        return "Restart the machine that this container runs on, then make the container anew."
    return "sudo reboot"
