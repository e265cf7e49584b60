"""What this machine is: its processor, its memory, its GPUs.

Everything is read from where Linux, NVIDIA's driver and a Jetson's system image keep it. Whatever is not there
is simply absent from the answer, so that this works on any machine; a ``root`` other than "/" describes the
machine whose files lie there.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgekit.machine.gpus import Gpu, all_hidden, listed_gpus, untold
from edgekit.machine.nvml import driver_gpus, installed
from edgekit.machine.room import total_memory
from edgekit.machine.system import architecture, field_of, read_text

# The instructions that decide how fast a matrix product is, and which form of packed weights a processor wants.
_FEATURES = (
    *("avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2"),
)
# NVIDIA's compute capabilities of the Jetson families (developer.nvidia.com/cuda-gpus).
JETSONS: Final = {"thor": "11.0", "orin": "8.7", "xavier": "7.2", "tx2": "6.2", "tx1": "5.3", "nano": "5.3"}
# Their chips, as sysfs names them: by their number in decimal (TEGRA194 0x19, TEGRA234 0x23 and TEGRA264 0x26 in Linux'
# include/soc/tegra/fuse.h), or as the firmware calls them, of which a boot log of an Orin on L4T 36.4.4 shows one. That
# name tells the maker; a number alone may be any maker's, and NVIDIA's servers are no Jetsons.
_CHIPS = {"25": "xavier", "35": "orin", "38": "thor", "jep106:036b:0234": "orin"}
# JetPack 6's kernel may have the chip in soc_id alone.
_CHIP_IDS = (
    "sys/module/tegra_fuse/parameters/tegra_chip_id",
    *(f"sys/devices/soc{number}/soc_id" for number in (0, 1)),
)
_SOME_JETSON = "NVIDIA Jetson"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine.

    * ``system``, ``arch``: "Linux", "x86_64"
    * ``cpu``: the processor's name; ``cores``: its logical processors; ``features``: instructions that matter here
    * ``memory_bytes``: what a container leaves of the machine's memory
    * ``gpus``: those that CUDA shows
    * ``jetson``: a Jetson's model, ``l4t``: the release of its system ("36.4.3"); "" elsewhere
    """

    system: str
    arch: str
    cpu: str
    cores: int
    features: tuple[str, ...]
    memory_bytes: int
    gpus: tuple[Gpu, ...] = ()
    jetson: str = ""
    l4t: str = ""


def detect(root: Path = Path("/"), arch: str = "", gpus: Iterable[Gpu] | None = None) -> Machine:
    """Describe this machine, or the one whose ``/proc`` and ``/etc`` lie under ``root``. Raises nothing.

    ``arch`` is its processor's, this machine's without. ``gpus`` are what the driver told already; without, NVIDIA's
    management library is asked, which waits for the driver as long as that takes.
    """
    return sighting(root, arch, gpus).machine


@dataclass(frozen=True)
class Sighting:
    """A machine as it was seen, and whether that ``lasts``: a driver that failed, or a GPU that did not tell its kind,
    may do better when it is asked again."""

    machine: Machine
    lasts: bool


def sighting(root: Path = Path("/"), arch: str = "", gpus: Iterable[Gpu] | None = None) -> Sighting:
    """Describe a machine as :func:`detect` does."""
    arch = architecture(arch)
    cpuinfo = read_text(root / "proc/cpuinfo")
    jetson, l4t = _jetson(root)
    hidden = gpus is None and all_hidden()
    seen, answered = ((), True) if hidden or jetson not in ("", _SOME_JETSON) else _gpus(root, gpus)
    if jetson == _SOME_JETSON or any("(nvgpu)" in gpu.name for gpu in seen):  # nvgpu drives the GPUs of Jetsons alone
        jetson = _of_family(next((name for name, of in JETSONS.items() if of in _capabilities(seen)), ""))
    machine = Machine(
        system=platform.system(),
        arch=arch,
        cpu=field_of(cpuinfo, "model name") or platform.processor() or arch,
        cores=len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE)) or os.cpu_count() or 1,
        features=cpu_features(root),
        memory_bytes=total_memory(root),
        gpus=() if hidden else (_jetson_gpu(jetson),) if jetson else seen,
        jetson=jetson,
        l4t=l4t,
    )
    return Sighting(machine, answered and untold(machine.gpus) is None)


def _gpus(root: Path, listed: Iterable[Gpu] | None) -> tuple[tuple[Gpu, ...], bool]:
    """A driver that shows none has been told to hide them; one that can't be asked has at least listed their names.

    And whether it answered, or will never be asked for want of its library's module.
    """
    if listed is not None:
        return tuple(listed) or tuple(listed_gpus(root)), True
    seen = driver_gpus()
    return (tuple(listed_gpus(root)), not installed()) if seen is None else (seen, True)


def cpu_features(root: Path = Path("/")) -> tuple[str, ...]:
    """List the vector and matrix instructions of this processor that matter here, in a fixed order."""
    cpuinfo = read_text(root / "proc/cpuinfo")
    flags = set((field_of(cpuinfo, "flags") or field_of(cpuinfo, "Features")).split())
    return tuple(name for name in _FEATURES if name in flags)


def _jetson(root: Path) -> tuple[str, str]:
    """A Jetson's model and L4T release: "NVIDIA Jetson AGX Orin Developer Kit", "36.4.3"; "", "" elsewhere.

    A container can't read the model, since Docker masks /sys/firmware, where it lies: there its chip tells the family.
    """
    model = read_text(root / "proc/device-tree/model").strip("\0 \n")
    release = re.search(r"R(\d+).*?REVISION:\s*([\d.]+)", read_text(root / "etc/nv_tegra_release"))
    l4t = f"{release[1]}.{release[2]}" if release else ""
    if "jetson" in model.lower():
        return model, l4t
    chips = [read_text(root / path).strip() for path in _CHIP_IDS]
    sure = [chips[0], *(chip for chip in chips[1:] if ":" in chip)]
    if not (l4t or any(chip in _CHIPS for chip in sure)):
        return "", ""
    return _of_family(next((_CHIPS[chip] for chip in chips if chip in _CHIPS), "")), l4t


def _of_family(name: str) -> str:
    return f"{_SOME_JETSON} {name.title()}".strip()


def _capabilities(gpus: Iterable[Gpu]) -> set[str]:
    return {gpu.compute_capability for gpu in gpus}


def _jetson_gpu(model: str) -> Gpu:
    capability = next((version for word, version in JETSONS.items() if word in model.lower()), "")
    return Gpu(name=f"{model} (integrated)", compute_capability=capability)
