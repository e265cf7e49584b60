"""Disks and sticks by the file system that is on them, as udev noted it.

/sys/class/block/NAME/dev is "8:1", and /run/udev/data/b8:1 has what udev found there, as "E:ID_FS_TYPE=exfat"
(systemd's udev database; readable to everyone).
"""

from __future__ import annotations

import re

from edgekit.machine.host import Host


def devices_with(host: Host, filesystem: str) -> list[str]:
    """List the block devices that have a file system ("/dev/sda1"), sorted."""
    numbers = {
        path.name: host.read(f"sys/class/block/{path.name}/dev").strip() for path in host.glob("sys/class/block/*")
    }
    noted = {
        name: host.read(f"run/udev/data/b{number}")
        for name, number in numbers.items()
        if re.fullmatch(r"\d+:\d+", number)
    }
    wanted = rf"^E:ID_FS_TYPE={re.escape(filesystem)}$"
    return [f"/dev/{name}" for name, text in noted.items() if re.search(wanted, text, re.MULTILINE)]
