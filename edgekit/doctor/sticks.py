"""Can bundles come on the sticks that are sold? Those over 32 GB are exFAT, which JetPack 6's kernel can't read."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.host import Host
from edgekit.machine.modules import reads_filesystem
from edgekit.machine.sticks import devices_with
from edgekit.target import Target

_MEND = "sudo apt install exfat-fuse   without a network: bring the bundle on a stick with ext4"


def sticks(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say where exFAT can't be read: bad with such a stick plugged in. Silent where it can, or nothing tells; in a
    container and in WSL another system mounts sticks."""
    if host.container or host.wsl or reads_filesystem(host, "exfat") is not False:
        return
    if devices := devices_with(host, "exfat"):
        what = f"{', '.join(devices)} is exFAT, which this kernel ({host.kernel}) can't read"
        yield Diagnosis("sticks", "bad", what, _MEND)
    else:
        what = f"this kernel ({host.kernel}) can't read exFAT, as which sticks over 32 GB are sold"
        yield Diagnosis("sticks", "good", what, _MEND)
