"""The time as the system keeps it: whether a time server confirmed it, and the hardware clocks.

`timedatectl show` prints NTP=, CanNTP= and NTPSynchronized= (org.freedesktop.timedate1(5));
/sys/class/rtc/rtcN/since_epoch is the hardware clock (the kernel's ABI document sysfs-class-rtc).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgekit.machine.host import Host


@dataclass(frozen=True)
class NetworkTime:
    """What the system says of time servers.

    ``synchronised``: whether a time server confirmed the time; ``service``: whether the system has what asks one.
    None where that isn't told.
    """

    synchronised: bool | None
    service: bool | None


def network_time(host: Host) -> NetworkTime:
    """Ask systemd whether the time is a time server's."""
    values = dict(re.findall(r"^(\w+)=(.*)$", host.run("timedatectl", "show").out, re.MULTILINE))
    words = {"yes": True, "no": False}
    return NetworkTime(words.get(values.get("NTPSynchronized", "")), words.get(values.get("CanNTP", "")))


def hardware_clocks(host: Host) -> list[int]:
    """Read each hardware clock that can be read, in seconds since 1970."""
    texts = [host.read(f"sys/class/rtc/{path.name}/since_epoch").strip() for path in host.glob("sys/class/rtc/rtc*")]
    return [int(text) for text in texts if text.isdecimal()]
