"""The groups that a GPU's device files belong to: are they there, and is the service's user in them?

On a Jetson /dev/nvmap belongs to video and /dev/dri/renderD* to render, and whoever computes needs both. Root opens
everything, so what root tries tells nothing of the service. Whoever runs this is judged by `gpu nodes`, which tries.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.groups import has_group, has_groups, has_user, is_member
from edgekit.machine.host import Host
from edgekit.machine.nodes import device_files
from edgekit.target import Target

_GROUPS = ("video", "render")
_SERVICE = "edgekit"  # the user that sysusers.d makes for the installed service
_EVERYONE = stat.S_IROTH | stat.S_IWOTH


def groups(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for the groups where the target computes on a GPU; silent in containers, which are given numbers."""
    if not wants_gpu(target) or host.container or host.wsl or not has_groups(host):
        return
    missing = [name for name in _GROUPS if not has_group(host, name)]
    if missing and host.machine.jetson:
        what = f"/etc/group has no {' and no '.join(missing)}: the GPU's device files stay root's"
        add = " && ".join(f"sudo groupadd --system {name}" for name in missing)
        mend = f"{add} && sudo udevadm control --reload && sudo udevadm trigger"
        yield Diagnosis("groups", "bad", what, mend)
    if not has_user(host, _SERVICE):
        return
    needed = [name for name in _owners(host) if name in _GROUPS]
    lacking = [name for name in needed if not is_member(host, _SERVICE, name)]
    if lacking:
        what = (
            f"the service's user {_SERVICE} is not in {' and '.join(lacking)}: the GPU's device files are closed to it"
        )
        mend = f"sudo usermod -aG {','.join(lacking)} {_SERVICE} && sudo systemctl restart edgekit"
        yield Diagnosis("service's user", "bad", what, mend)
    elif needed:
        yield Diagnosis("service's user", "good", f"{_SERVICE} is in {' and '.join(needed)}")


def _owners(host: Host) -> list[str]:
    """The groups of the device files that are not everyone's, sorted."""
    return sorted({host.group(path) for path in device_files(host).present if not _everyones(path)})


def _everyones(path: Path) -> bool:
    return path.stat().st_mode & _EVERYONE == _EVERYONE
