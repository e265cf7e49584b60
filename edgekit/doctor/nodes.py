"""The device files that CUDA opens, and whether this user may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import install, wants_gpu
from edgekit.machine.host import Host
from edgekit.machine.nodes import device_files
from edgekit.machine.smi import status
from edgekit.target import Target


def nodes(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for the GPU's device files, and try whether they open; silent where neither target nor machine has one."""
    files = device_files(host)
    if not wants_gpu(target) and (not files.present or not host.machine.gpus):
        return
    if files.absent:
        what = f"missing: {', '.join(files.absent)}"
        yield Diagnosis("gpu nodes", "bad" if wants_gpu(target) else "good", what, _create(host))
    closed = [path for path in files.present if not host.may_open(path)]
    if closed:
        yield _closed(host, closed)
    elif files.present and not files.absent:
        yield Diagnosis("gpu nodes", "good", f"open to this user: {', '.join(_names(host, files.present))}")


def _create(host: Host) -> str:
    if host.container or host.wsl or (not host.machine.jetson and status(host.run).reply.missing):
        return install(host)
    if host.machine.jetson:
        return "sudo dmesg | grep -iE 'nvgpu|nvmap'   after a failed update: cut the power, start again"
    return "sudo nvidia-modprobe -u -c=0"


def _closed(host: Host, closed: list[Path]) -> Diagnosis:
    """Device files that this user may not open: which groups may, and how to join them."""
    what = f"closed to this user: {', '.join(_names(host, closed))}"
    try:
        groups = sorted({host.group(path) for path in closed})
    except OSError:
        return Diagnosis("gpu nodes", "bad", what, "sudo usermod -aG video,render $USER   then log in again")
    if "root" in groups:
        return Diagnosis("gpu nodes", "bad", f"{what} (root's alone)", "Give them to the group video by a udev rule.")
    joined = [name for name in groups if _listed(host, name)]
    if joined == groups:
        mend = "Log out and in again: the groups are joined, but this session began before."
    elif host.container:
        mend = f"Start the container with {' '.join(f'--group-add {name}' for name in groups)}."
    else:
        mend = f"sudo usermod -aG {','.join(groups)} $USER   then log in again"
    return Diagnosis("gpu nodes", "bad", what, mend)


def _names(host: Host, paths: Sequence[Path]) -> list[str]:
    """The first three, which tell enough."""
    return [f"/{path.relative_to(host.root)}" for path in paths[:3]] + ["…"] * (len(paths) > 3)


def _listed(host: Host, group: str) -> bool:
    """Whether /etc/group lists this user in ``group`` (group(5): name:password:number:members)."""
    user = host.environment.get("USER", "")
    rows = (line.split(":") for line in host.read("etc/group").splitlines())
    return any(row[0] == group and user and user in row[-1].split(",") for row in rows if len(row) == 4)
