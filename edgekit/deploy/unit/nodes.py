"""The device files that the service may open: those of the GPU that this machine has, found when it is installed.

Which there are differs from driver to driver, so none is taken for granted: what is there is listed, by what drivers
are known to make and by what NVIDIA's container toolkit hands into containers on a Jetson.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgekit.machine.host import Host
from edgekit.target import Target

# On a PC and a Jetson Thor. nvidia-uvm-tools is opened by drivers from 570 on.
_DESKTOP = ("dev/nvidia[0-9]*", "dev/nvidiactl", "dev/nvidia-uvm", "dev/nvidia-uvm-tools")
_WSL = ("dev/dxg",)
# On an Orin with L4T 36, and on JetPack 7 beside those of a PC. Which of nvhost's CUDA opens differs by release.
_JETSON = (
    *("dev/nvmap", "dev/host1x-fence", "dev/dri/renderD*", "dev/nvhost-gpu", "dev/nvhost-*-gpu"),
    *("dev/nvgpu/igpu[0-9]*/*",),
)
_LIST = "etc/nvidia-container-runtime/host-files-for-container.d/devices.csv"
# Cameras, screens and codecs stand in that list, too.
_COMPUTES = re.compile(
    r"/dev/(nvmap|host1x-fence|nvhost-(.+-)?gpu|nvgpu/.+|nvidia\d+|nvidiactl|nvidia-uvm.*|dri/renderD\d+)"
)


def nodes(host: Host, target: Target) -> tuple[str, ...]:
    """List the GPU's device files by their paths, sorted; none where the target computes on the processor."""
    if not target.kind.on_gpu:
        return ()
    patterns = _WSL if host.wsl else _JETSON + _DESKTOP if host.machine.jetson else _DESKTOP
    there = {f"/{path.relative_to(host.root)}" for pattern in patterns for path in host.glob(pattern)}
    return tuple(sorted(there | set(_listed(host))))


def _listed(host: Host) -> Iterator[str]:
    """Those of the toolkit's list that are there: lines of "dev, /dev/nvmap"."""
    for line in host.read(_LIST).splitlines():
        kind, _, path = (word.strip() for word in line.partition(","))
        if kind == "dev" and _COMPUTES.fullmatch(path) and ".." not in path and (host.root / path[1:]).exists():
            yield path
