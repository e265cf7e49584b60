"""What EdgeKit stands on: the operating system, Python, the processor, systemd."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.host import Host
from edgekit.machine.installed import systemd_version
from edgekit.target import Target, matching_target

_OLDEST_PYTHON = (3, 10)


def system(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for Linux on a processor of the target's kind; WSL 2 and Windows for what they can do."""
    machine = host.machine
    if host.system != "Linux":
        wsl = "in WSL 2 (processor, and NVIDIA GPUs through Windows' driver)" if host.system == "Windows" else ""
        what = f"{host.system}: EdgeKit runs on Linux{', on Windows ' + wsl if wsl else ''}"
        yield Diagnosis("system", "bad", what, "wsl --install" if wsl else "Use a Linux machine or virtual machine.")
        return
    title = host.distribution_title or "Linux"
    kernel = host.kernel or "of unknown version"
    inside = ", in a container" if host.container else ""
    yield Diagnosis("system", "good", f"{title}, kernel {kernel}, {machine.arch}{inside}")
    if host.wsl:
        yield _wsl(host)
    if machine.arch not in ("x86_64", "aarch64"):
        yield Diagnosis("system", "bad", f"{machine.arch} processors have no packages of ONNX Runtime", "Use another.")
    elif target.arch not in ("any", machine.arch):
        what = f"target {target.name} is for {target.arch}, this machine is {machine.arch}"
        yield Diagnosis("system", "bad", what, f"edgekit doctor --target {matching_target(machine).name}")


def _wsl(host: Host) -> Diagnosis:
    if host.wsl == 1:
        name = host.environment.get("WSL_DISTRO_NAME", "DISTRIBUTION")
        return Diagnosis("system", "bad", "WSL 1 has no Linux kernel", f"wsl.exe --set-version {name} 2")
    what = "WSL 2: builds, measures and answers; a service ends when Windows ends WSL"
    return Diagnosis("system", "good", what)


def python(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say its version, and whether pip may install here (PEP 668: EXTERNALLY-MANAGED marks a system's own Python)."""
    version = ".".join(map(str, host.python))
    if host.python < _OLDEST_PYTHON:
        yield Diagnosis(
            "python", "bad", f"{version}; EdgeKit needs 3.10", "sudo apt install python3.10 python3.10-venv"
        )
        return
    folder = f"{host.python[0]}.{host.python[1]}"
    managed = host.root / "usr/lib" / f"python{folder}" / "EXTERNALLY-MANAGED"
    if not host.virtual and managed.exists():
        mend = "python3 -m venv ~/edgekit-env && . ~/edgekit-env/bin/activate"
        yield Diagnosis("python", "good", f"{version}, the system's own: pip installs nothing into it", mend)
    else:
        yield Diagnosis("python", "good", version + (" in a virtual environment" if host.virtual else ""))


def processor(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for instructions that ONNX Runtime's matrix products live on; bad only where the processor computes."""
    machine = host.machine
    features = set(machine.features)
    name = f"{machine.cpu}, {machine.cores} core{'s' * (machine.cores > 1)}"
    if not re.search(r"^(flags|Features)\s*:\s*\w", host.read("proc/cpuinfo"), re.MULTILINE):
        yield Diagnosis("processor", "unknown", f"{name}: /proc/cpuinfo does not tell its instructions")
        return
    fast = features & {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"}
    if fast:
        yield Diagnosis("processor", "good", f"{name}: {' '.join(sorted(fast))}")
    elif machine.arch == "x86_64" and "avx2" not in features and not target.kind.on_gpu:
        what = f"{name}: without AVX2 answers take many times as long"
        yield Diagnosis(
            "processor", "bad", what, "In a virtual machine: pass the host's processor through (-cpu host)."
        )
    else:
        yield Diagnosis("processor", "good", f"{name}: no 8-bit dot products (VNNI), so slower than newer ones")


def systemd(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say whether systemd runs the machine: `edgekit install` needs it."""
    version = systemd_version(host)
    if version is not None:
        yield Diagnosis("systemd", "good", f"systemd {version}" if version else "runs, version unknown")
    elif host.container:
        yield Diagnosis("systemd", "good", "none, as in containers: what a container runs is its service")
    elif host.wsl:
        mend = "printf '[boot]\\nsystemd=true\\n' | sudo tee -a /etc/wsl.conf   then, in Windows: wsl --shutdown"
        yield Diagnosis("systemd", "bad", "off in this WSL: nothing can be installed as a service", mend)
    else:
        what = "does not run this machine: nothing can be installed as a service"
        yield Diagnosis("systemd", "bad", what, "Use a system started by systemd; all but the service runs without.")
