"""Machines as they were recorded: their files, and what their programs print.

Formats and values from public recordings: /etc/nv_tegra_release, dpkg-query and nvpmodel of Orins on L4T 36.4.3 and
39.2.0 and of a Thor on 38.2.0 (forums, bug reports of jetson-stats); nvidia-smi of drivers 540.4.0 (Orin), 580.95.05
and 610.57.04; ldd of onnxruntime-gpu 1.31.1; WSL's kernel name from its release notes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgekit.machine.host import Host
from edgekit.machine.programs import MISSING, Reply
from edgekit.target import Target, target

NOW = 1_790_000_000.0  # in September 2026
UUID = "GPU-3f2b9c1e-0a77-4d12-9c55-6b1f0e2d8a34"
GIB_FREE = 200 * 2**30

SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
NTP = "Timezone=Etc/UTC\nLocalRTC=no\nCanNTP=yes\nNTP=yes\nNTPSynchronized=yes\nTimeUSec=Mon 2026-09-21 14:13:20 UTC\n"
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nNAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'
SYSTEMD = "systemd 255 (255.4-1ubuntu8.11)\n+PAM +AUDIT\n"
GLIBC = "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f1a7901e000)\n\tlinux-vdso.so.1 (0x00007f1a8e42f000)\n"
LDD_LACKING = (
    "\tlibcublasLt.so.13 => not found\n\tlibcublas.so.13 => not found\n\tlibcurand.so.10 => not found\n"
    "\tlibcudart.so.13 => /usr/local/cuda-13.0/lib/libcudart.so.13 (0x00007f1a79200000)\n"
    "\tlibcuda.so.1 => not found\n" + GLIBC
)
LDD_WHOLE = (
    "\tlibcublasLt.so.13 => /usr/local/cuda/lib64/libcublasLt.so.13 (0x00007f1a60000000)\n"
    "\tlibcudnn.so.9 => /usr/lib/x86_64-linux-gnu/libcudnn.so.9 (0x00007f1a70000000)\n" + GLIBC
)
RTX = {"tensorrt-rtx-cu13": "1.7.1.116", "cuda-python": "13.0.1", "nvidia-cuda-nvrtc": "13.0.88"}
PROVIDERS = {
    "cpu": '["1.31.1", ["AzureExecutionProvider", "CPUExecutionProvider"]]\n',
    "cuda": '["1.31.1", ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]]\n',
}
CUINIT = "python import ctypes"
STARTS = '[0, 1, "CUDA_SUCCESS"]\n'
DUMP = (
    'APT "";\nAPT::Architecture "amd64";\nAPT::Periodic "";\nAPT::Periodic::Update-Package-Lists "1";\n'
    'APT::Periodic::Unattended-Upgrade "1";\nUnattended-Upgrade "";\nUnattended-Upgrade::Allowed-Origins "";\n'
    'Unattended-Upgrade::Allowed-Origins:: "${distro_id}:${distro_codename}-security";\n'
    'Unattended-Upgrade::Package-Blacklist "";\n'
)
HAS_UPDATES = {"usr/bin/unattended-upgrade": ""}
EXTRAS = "Provides-Extra: gpu\nRequires-Dist: onnxruntime-gpu>=1.23.2; extra == 'gpu'\n"


_REASONS = (
    "Idle",
    "SW Power Cap",
    "HW Slowdown",
    "HW Thermal Slowdown",
    "HW Power Brake Slowdown",
    "SW Thermal Slowdown",
)


def status(driver: str, cuda: str, *, reason: str = "", degrees: str = "41 C", new: bool = False) -> str:
    """`nvidia-smi -q`, shortened; ``reason`` is the one that holds clocks back."""
    names = ("KMD Version                            ", "CUDA UMD Version                       ")
    old = ("Driver Version                         ", "CUDA Version                           ")
    first, second = names if new else old
    reasons = "".join(
        f"        {'    ' if name.startswith('HW ') and name != 'HW Slowdown' else ''}{name:<38} : "
        f"{'Active' if name == reason else 'Not Active'}\n"
        for name in _REASONS
    )
    return (
        "\n==============NVSMI LOG==============\n\nTimestamp                              : Mon Sep 21 14:13:20 2026\n"
        f"{first}: {driver}\n{second}: {cuda}\n\nAttached GPUs                          : 1\nGPU 00000000:01:00.0\n"
        "    Performance State                  : P8\n    Clocks Event Reasons\n"
        + reasons
        + "    Clocks Event Reasons Counters\n        SW Thermal Slowdown                    : 11591399010 us\n"
        "    Temperature\n"
        f"        GPU Current Temp               : {degrees}\n        GPU Slowdown Temp              : 95 C\n"
    )


@dataclass(frozen=True)
class Recording:
    """A machine: files by their names, device nodes, packages (name to version), answers by command line."""

    files: Mapping[str, str]
    nodes: tuple[str, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str | Reply] = field(default_factory=dict)
    host: Mapping[str, Any] = field(default_factory=dict)

    def changed(
        self,
        files: Mapping[str, str] | None = None,
        without: Iterable[str] = (),
        answers: Mapping[str, str | Reply] | None = None,
        packages: Mapping[str, str] | None = None,
        **host: Any,
    ) -> Recording:
        kept = {name: text for name, text in self.files.items() if not any(part in name for part in without)}
        return replace(
            self,
            files=kept | dict(files or {}),
            nodes=tuple(name for name in self.nodes if not any(part in name for part in without)),
            packages=self.packages if packages is None else packages,
            answers=dict(self.answers) | dict(answers or {}),
            host=dict(self.host) | host,
        )

    def at(self, root: Path) -> Host:
        """Lay the machine's files below ``root``."""
        for name, text in [*self.files.items(), *((node, "") for node in self.nodes)]:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        own = root / "edgekit/__init__.py"
        own.parent.mkdir(exist_ok=True)
        own.touch()
        os.utime(own, (NOW - 7 * 86400,) * 2)
        site = root / "site"
        for name, version in self.packages.items():
            lay_package(site, name, version, EXTRAS if name == "edgekit" else "")
        fixed: dict[str, Any] = {
            "root": root, "system": "Linux", "arch": "x86_64", "python": (3, 12, 3), "virtual": True, "folder": root,
            "site": (str(site),), "environment": {"USER": "field"}, "now": lambda: NOW,
            "released": NOW - 30 * 86400, "runner": self._answer,
            "may_open": lambda path: True, "group": lambda path: "video", "disk_free": lambda path: GIB_FREE,
            "package": own.parent,
        }  # fmt: skip
        return Host(**(fixed | dict(self.host)))

    def _answer(self, command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        line = f"python {command[-1]}" if command[0] == sys.executable else " ".join(command)
        key = max((key for key in self.answers if line.startswith(key)), key=len, default=None)
        answer = self.answers[key] if key is not None else Reply(None, why=MISSING)
        return Reply(0, answer) if isinstance(answer, str) else answer


def lay_package(site: Path, name: str, version: str, more: str = "") -> Path:
    """An installed Python package: only its metadata."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more}")
    return folder


def lay_library(root: Path, folder: str, name: str, file: str) -> str:
    """A library and the name that leads to it; its line in the loader's cache."""
    path = root / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / file).touch()
    (path / name).symlink_to(file)
    return f"\t{name} (libc6,x86-64) => /{folder}/{name}\n"


def lay_cuda_provider(site: Path, built: str = "13.0") -> None:
    """What `runtime.cuda` of the doctor looks at in onnxruntime-gpu."""
    folder = site / "onnxruntime/capi"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libonnxruntime_providers_cuda.so").touch()
    text = f"package_name = 'onnxruntime-gpu'\n__version__ = '1.31.1'\ncuda_version = '{built}'\n"
    (folder / "build_and_package_info.py").write_text(text)


def loader_cache(*names: str) -> str:
    """`ldconfig -p` of a Jetson with these of CUDA's libraries."""
    lines = [f"\t{name} (libc6,AArch64) => /usr/local/cuda/lib64/{name}\n" for name in names]
    return f"{len(names)} libs found in cache `/etc/ld.so.cache'\n{''.join(lines)}"


def zone(number: int, kind: str, degrees: float, passive: float = 99) -> dict[str, str]:
    folder = f"sys/class/thermal/thermal_zone{number}"
    return {
        f"{folder}/type": f"{kind}\n",
        f"{folder}/temp": f"{round(degrees * 1000)}\n",
        f"{folder}/trip_point_0_type": "active\n",
        f"{folder}/trip_point_0_temp": "35000\n",
        f"{folder}/trip_point_1_type": "passive\n",
        f"{folder}/trip_point_1_temp": f"{round(passive * 1000)}\n",
        f"{folder}/trip_point_2_type": "critical\n",
        f"{folder}/trip_point_2_temp": "104500\n",
    }


VM = Recording(
    files={
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
        "proc/sys/kernel/osrelease": "6.1.0-38-cloud-amd64\n",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 fma avx512_vnni\n",
        "proc/meminfo": "MemTotal:        8000000 kB\nMemFree:  100 kB\nMemAvailable:    7000000 kB\n",
        "proc/swaps": SWAPS,
        "run/systemd/system/x": "",
    },
    packages={"edgekit": "0.1", "onnxruntime": "1.31.1"},
    answers={"python": PROVIDERS["cpu"], "timedatectl show": NTP, "systemctl --version": SYSTEMD},
)

DESKTOP = VM.changed(
    files={
        "etc/os-release": UBUNTU,
        "proc/sys/kernel/osrelease": "6.8.0-85-generic\n",
        "proc/swaps": SWAPS + "/swap.img                               file\t\t8388604\t\t524288\t\t-2\n",
        "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
        "sys/bus/pci/devices/0000:01:00.0/class": "0x030000\n",
        **zone(0, "x86_pkg_temp", 48, 100),
    },
    packages={"edgekit": "0.1", "onnxruntime-gpu": "1.31.1", **RTX},
    answers={
        "nvidia-smi -q": status("580.95.05", "13.0"),
        "nvidia-smi --query-gpu=name": f"NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, {UUID}\n",
        "nvidia-smi --query-gpu=memory.free": f"5712, {UUID}\n",
        "python": PROVIDERS["cuda"],
        CUINIT: STARTS,
        "ldd": LDD_WHOLE,
    },
)
DESKTOP = replace(DESKTOP, nodes=("dev/nvidiactl", "dev/nvidia0", "dev/nvidia-uvm"))

WSL2 = DESKTOP.changed(
    files={"proc/sys/kernel/osrelease": "5.15.167.4-microsoft-standard-WSL2\n"},
    without=("dev/nvidia", "sys/bus/pci", "sys/class/thermal", "run/systemd"),
    answers={"timedatectl show": Reply(1, "", "System has not been booted with systemd as init system (PID 1).\n")},
)
WSL2 = replace(WSL2, nodes=("dev/dxg",))

ORIN6 = Recording(
    files={
        "etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\nID_LIKE=debian\n',
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, "
        "DATE: Wed Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\nTARGET_USERSPACE_LIB_DIR=nvidia\n",
        "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=MODE_15W >\n"
        "< POWER_MODEL ID=2 NAME=MODE_30W >\n< POWER_MODEL ID=3 NAME=MODE_50W >\n< PM_CONFIG DEFAULT=2 >\n",
        "proc/device-tree/model": "NVIDIA Jetson AGX Orin Developer Kit\0",
        "proc/sys/kernel/osrelease": "5.15.148-tegra\n",
        "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd aes asimdhp asimddp\n",
        "proc/meminfo": "MemTotal:       64349264 kB\nMemFree:  1 kB\nMemAvailable:   58000000 kB\n",
        "proc/swaps": SWAPS + "".join(f"/dev/zram{n}  partition\t2681216\t\t0\t\t5\n" for n in range(12)),
        "run/systemd/system/x": "",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq": "729600\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq": "2201600\n",
        "sys/class/hwmon/hwmon3/name": "soctherm_oc\n",
        **{f"sys/class/hwmon/hwmon3/oc{n}_event_cnt": "0\n" for n in (1, 2, 3)},
        **zone(0, "cpu-thermal", 48.3),
        **zone(8, "tj-thermal", 50.1),
        "sys/class/thermal/thermal_zone2/type": "cv0-thermal\n",  # off: reading its temperature is an error
        "sys/class/rtc/rtc0/since_epoch": f"{int(NOW)}\n",
    },
    nodes=("dev/nvmap", "dev/nvgpu/igpu0/ctrl", "dev/nvhost-gpu", "dev/dri/renderD128", "dev/dri/renderD129"),
    packages={"edgekit": "0.1", "onnxruntime-gpu": "1.23.0", "tensorrt": "10.3.0", "cuda-python": "12.9.0"},
    answers={
        "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core": "installed 36.4.3-20250107174145",
        "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-jetpack": "installed 6.2.1+b38",
        "nvidia-smi -q": status("540.4.0", "12.6", degrees="N/A"),
        "nvidia-smi --query-gpu=name": "Orin (nvgpu), 8.7, [N/A], 540.4.0, [N/A]\n",
        "nvpmodel -q": Reply(
            255,
            "NV Power Mode: MAXN\n0\n",
            "NVPM ERROR: Error opening /sys/kernel/nvpmodel_clk_cap/emc: 13\n",
        ),
        "python": PROVIDERS["cuda"],
        CUINIT: STARTS,
        "ldd": LDD_WHOLE,
        "ldconfig -p": loader_cache("libnvrtc.so.12"),
        "timedatectl show": NTP,
        "systemctl --version": "systemd 249 (249.11-0ubuntu3.16)\n",
    },
    host={"arch": "aarch64", "python": (3, 10, 12)},
)

ORIN7 = ORIN6.changed(
    files={
        "etc/os-release": UBUNTU,
        "etc/nv_tegra_release": "# R39 (release), REVISION: 2.0, GCID: 45755727, BOARD: generic, EABI: aarch64, "
        "DATE: Mon Jun  1 09:28:48 PM UTC 2026\n# KERNEL_VARIANT: oot\n",
        "proc/sys/kernel/osrelease": "6.8.12-1021-tegra\n",
    },
    packages={"edgekit": "0.1", "onnxruntime-gpu": "1.31.1", "tensorrt": "10.16.2", "cuda-python": "13.2.0"},
    answers={
        "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core": "installed 39.2.0-20260601141651",
        "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-jetpack": Reply(1, "", "no packages found matching"),
        "nvidia-smi -q": status("595.78", "13.2", degrees="N/A", new=True),
        "nvidia-smi --query-gpu=name": "Orin (nvgpu), 8.7, [N/A], 595.78, [N/A]\n",
        "ldconfig -p": loader_cache("libnvrtc.so.13"),
        "systemctl --version": SYSTEMD,
    },
    python=(3, 12, 3),
)

THOR7 = ORIN7.changed(
    files={
        "etc/nv_tegra_release": "# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic, EABI: aarch64, "
        "DATE: Fri Aug 22 00:55:42 UTC 2025\n# KERNEL_VARIANT: oot\nINSTALL_TYPE=\n",
        "proc/device-tree/model": "NVIDIA Jetson AGX Thor Developer Kit\0",
        "proc/meminfo": "MemTotal:      128830000 kB\nMemAvailable:  120000000 kB\n",
    },
    answers={
        "dpkg-query -W -f=${db:Status-Status} ${Version} nvidia-l4t-core": "installed 38.2.0-20250821174705",
        "nvidia-smi --query-gpu=name": "NVIDIA Thor, 11.0, [N/A], 580.00, [N/A]\n",
        "nvpmodel -q": "NV Power Mode: 120W\n1\n",
    },
)
THOR7 = replace(THOR7, nodes=("dev/nvmap", "dev/nvidiactl", "dev/dri/renderD128"))

CONTAINER = DESKTOP.changed(
    files={".dockerenv": "", "sys/fs/cgroup/memory.max": f"{2 * 2**30}\n", "sys/fs/cgroup/memory.current": "0\n"},
    without=("dev/nvidia", "run/systemd"),
    answers={
        "nvidia-smi": Reply(None, why=MISSING),
        "timedatectl show": Reply(None, why=MISSING),
    },
)
CONTAINER = replace(
    CONTAINER, answers={key: answer for key, answer in CONTAINER.answers.items() if not key.startswith("nvidia-smi -")}
)


def named(name: str) -> Target:
    """A target that ships; with "-cuda" behind its name, as ONNX Runtime's CUDA provider runs it."""
    shipped = target(name.removesuffix("-cuda"))
    return replace(shipped, engine="onnxruntime-cuda") if name.endswith("-cuda") else shipped
