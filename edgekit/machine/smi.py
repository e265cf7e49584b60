"""What NVIDIA's program nvidia-smi tells about the driver and its GPUs.

Formats: nvidia-smi's manual, and what it prints: "Driver Version: 580.95.05 … CUDA Version: 13.0", from driver 610 on
"KMD Version: 610.57.04 … CUDA UMD Version: 13.3"; on a Jetson from JetPack 6 on, with "N/A" for what it has no
sensor for. "Clocks Event Reasons" are "Clocks Throttle Reasons" before driver 535. By ``--query-gpu``, a line of a GPU
is "NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, GPU-1b2c…": memory in MiB, "[N/A]" on a Jetson.

``ask`` runs a program: :meth:`~edgekit.machine.host.Host.run`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from edgekit.machine.gpus import Gpu
from edgekit.machine.programs import Reply
from edgekit.units import MIB

Ask = Callable[..., Reply]

_FORMAT = "--format=csv,noheader,nounits"
_REASONS = ("HW Thermal Slowdown", "SW Thermal Slowdown", "HW Power Brake Slowdown")


@dataclass(frozen=True)
class Status:
    """Everything that the driver tells about itself and its GPUs, the ``reply`` of `nvidia-smi -q`."""

    reply: Reply

    @property
    def driver(self) -> str:
        """The driver's version ("580.95.05"); "" where it doesn't say."""
        return self._version(r"(?:Driver|KMD) Version")

    @property
    def newest_cuda(self) -> str:
        """The newest CUDA that the driver runs ("13.0"); "" where it doesn't say."""
        return self._version(r"CUDA (?:UMD )?Version")

    @property
    def slowed_by(self) -> list[str]:
        """What holds the clocks back now, in the driver's words; being idle or capped by choice is not among it."""
        return [name for name in _REASONS if re.search(rf"{name}\s*:\s*Active", self.reply.out)]

    @property
    def tells_throttling(self) -> bool:
        """Whether the driver says what holds the clocks back, nothing included."""
        return re.search(r"Clocks (?:Event|Throttle) Reasons", self.reply.out) is not None

    @property
    def degrees(self) -> int | None:
        """The GPU's temperature in °C; None where it has no sensor."""
        match = re.search(r"GPU Current Temp\s*:\s*(\d+) C", self.reply.out)
        return int(match[1]) if match else None

    def _version(self, name: str) -> str:
        """Behind ``name``: "CUDA Version  : 13.0"; not "N/A"."""
        match = re.search(rf"(?<!\w){name}\s*:\s*(\d[\d.]*)", self.reply.out)
        return match[1] if match else ""


def status(ask: Ask) -> Status:
    """Ask for all that the driver tells."""
    return Status(ask("nvidia-smi", "-q"))


def listed(ask: Ask) -> list[Gpu]:
    """List every GPU of the driver's, hidden or not; none where nvidia-smi fails."""
    rows = _rows(ask("nvidia-smi", "--query-gpu=name,compute_cap,memory.total,driver_version,uuid", _FORMAT))
    return [
        Gpu(name, capability if capability.replace(".", "").isdecimal() else "", _mib(memory), driver, uuid)
        for name, capability, memory, driver, uuid in (row for row in rows if len(row) == 5)
    ]


def free_memory(ask: Ask) -> list[tuple[str, int]] | None:
    """Ask for UUID and free bytes of each GPU that tells; None without nvidia-smi."""
    reply = ask("nvidia-smi", "--query-gpu=memory.free,uuid", _FORMAT)
    if reply.missing:
        return None
    return [("".join(uuid), int(mib) * MIB) for mib, *uuid in _rows(reply) if mib.isdecimal()]


def draw(ask: Ask, uuid: str = "") -> tuple[str, str]:
    """Ask for watts and °C of a GPU, the first without ``uuid``, as nvidia-smi writes them; "", "" without."""
    which = [f"--id={uuid}"] if uuid else []
    rows = _rows(ask("nvidia-smi", "--query-gpu=power.draw,temperature.gpu", _FORMAT, *which))
    return (rows[0][0], rows[0][1]) if rows and len(rows[0]) == 2 else ("", "")


def _rows(reply: Reply) -> list[list[str]]:
    lines = reply.out.splitlines() if reply.code == 0 else []
    return [[cell.strip() for cell in line.split(",")] for line in lines]


def _mib(text: str) -> int:
    return int(text) * MIB if text.isdecimal() else 0
