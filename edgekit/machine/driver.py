"""NVIDIA's driver in its two halves: the module that runs in the kernel, and the libraries on disk.

/proc/driver/nvidia/version begins "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.173.02  Tue Jun 23 …", with
open modules "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build …". A library's version
is in the name of the file that its own name leads to (libcuda.so.1 -> libcuda.so.580.173.02). A Jetson's are numbered
otherwise (libcuda.so.1.1), as are those of WSL: those tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from edgekit.machine.host import Host
from edgekit.machine.installed import searched

_VERSION = r"\d{3,4}\.\d+(?:\.\d+)?"
_LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")


def kernel_driver(host: Host) -> str:
    """Read the version of the driver that runs in the kernel ("580.173.02"); "" where none does, or doesn't tell."""
    line = re.search(rf"^NVRM version:.*?\s({_VERSION})\s", host.read("proc/driver/nvidia/version"), re.MULTILINE)
    return line[1] if line else ""


def driver_libraries(host: Host) -> Mapping[str, str]:
    """Find the version of each of the driver's libraries that tells one, by its name. Those for older drivers
    (NVIDIA's package cuda-compat) are meant to differ, and left out."""
    versions = {}
    for name in _LIBRARIES:
        path = searched(host, name)
        if not path or "compat" in path:
            continue
        file = host.root / path.removeprefix(str(host.root)).lstrip("/")
        try:
            led_to = file.resolve().name
        except (OSError, RuntimeError, ValueError):
            continue
        if match := re.fullmatch(rf"{re.escape(name.removesuffix('1'))}({_VERSION})", led_to):
            versions[name] = match[1]
    return versions
