"""NVIDIA's hardware as the kernel shows it: the device files that CUDA opens, and what is on the PCI bus.

On a PC /dev/nvidiactl, /dev/nvidia-uvm and one /dev/nvidiaN (open to everyone, by the driver's default); in WSL 2
/dev/dxg; on a Jetson /dev/nvmap, /dev/nvhost-* up to JetPack 5, /dev/nvgpu/igpu0 from JetPack 6 on and the render
nodes, which belong to the groups video and render. Recorded in github.com/NVIDIA/NemoClaw (pull requests 5018, 7762).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.machine.host import Host

# Each group of patterns must match something.
_PC = (("dev/nvidiactl",), ("dev/nvidia[0-9]*",), ("dev/nvidia-uvm",))
_WSL = (("dev/dxg",),)
_JETSON = (("dev/nvmap",), ("dev/nvgpu/igpu0/ctrl", "dev/nvhost-ctrl-gpu", "dev/nvidiactl"), ("dev/dri/renderD*",))
_NVIDIA = "0x10de"  # in the list of PCI vendors
_DISPLAY = "0x03"


@dataclass(frozen=True)
class Nodes:
    """Device files: those that are there, and the names of those that this kind of machine should have and lacks."""

    present: tuple[Path, ...]
    absent: tuple[str, ...]


def device_files(host: Host) -> Nodes:
    """Find the device files that CUDA opens on this kind of machine."""
    patterns = _WSL if host.wsl else _JETSON if host.machine.jetson else _PC
    matches = [[path for name in names for path in host.glob(name)] for names in patterns]
    absent = [names[0] for names, paths in zip(patterns, matches, strict=True) if not paths]
    return Nodes(
        tuple(path for paths in matches for path in paths),
        tuple(f"/{name.replace('[0-9]*', '0').replace('D*', 'D128')}" for name in absent),
    )


def on_the_bus(host: Host) -> bool:
    """Say whether an NVIDIA GPU is on the PCI bus, driver or not."""
    return any(
        host.read(f"{device}/vendor").strip() == _NVIDIA and host.read(f"{device}/class").startswith(_DISPLAY)
        for device in (path.relative_to(host.root) for path in host.glob("sys/bus/pci/devices/*"))
    )
