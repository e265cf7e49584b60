"""Do automatic updates take NVIDIA's driver, or a Jetson's system, from under the service?

An update replaces the driver's libraries while the service runs, which goes on with those that it has mapped, for days;
the next start finds libraries and kernel of two versions, and no GPU. On a Jetson it replaces the kernel and its device
tree, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.host import Host
from edgekit.machine.updates import automatic_updates, not_held
from edgekit.target import Target

_PATTERNS = ("nvidia-*", "libnvidia-*", "libcuda1", "linux-modules-nvidia-*")
# The driver's, as Ubuntu and Debian cut it, and L4T's; not what builds on them (nvidia-jetpack, container tools).
_DRIVER = re.compile(
    r"nvidia-(l4t-|driver|dkms|kernel|headless|utils|compute-utils|firmware|open)"
    r"|libnvidia-(?!container|egl)|libcuda1|linux-modules-nvidia-"
)
_FILE = "/etc/apt/apt.conf.d/99hold-nvidia"


def updates(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Look for packages of the driver's that would be updated; silent where nothing is updated by itself."""
    if not wants_gpu(target) or host.container or host.wsl:
        return
    automatic = automatic_updates(host)
    if not automatic.run:
        return
    packages = [name for name in not_held(host, *_PATTERNS) if _DRIVER.match(name)]
    exposed = [name for name in packages if not automatic.leave_alone(name)]
    if exposed:
        whose = "L4T's" if any(name.startswith("nvidia-l4t-") for name in exposed) else "NVIDIA's"
        where = f"hold back none of {_named(exposed)}, {whose}: where they take them, the next start fails"
        what = f"automatic updates are on and {where}"
        yield Diagnosis("updates", "bad", what, _mend())
    else:
        yield Diagnosis("updates", "good", "automatic updates are on and leave NVIDIA's packages alone")


def _named(packages: list[str]) -> str:
    """The first three, which tell enough."""
    return ", ".join(packages[:3]) + f" and {len(packages) - 3} more" * (len(packages) > 3)


def _mend() -> str:
    names = " ".join(f'"{name}";' for name in ("nvidia-", "libnvidia-", "libcuda1", "linux-modules-nvidia-"))
    return f"echo 'Unattended-Upgrade::Package-Blacklist {{ {names} }};' | sudo tee {_FILE}"
