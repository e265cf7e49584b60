"""Is the time right? Certificates, audit stamps and prescriptions hang on it.

A Jetson without a battery starts in 1970, or at the day its system was built.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.machine.clock import hardware_clocks, network_time
from edgekit.machine.host import Host
from edgekit.target import Target

_DAY = 86400


def clock(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold the time against EdgeKit's release and its newest file, neither of which is from the future; say whether a
    server confirmed it. Files that were written under a wrong clock have its time, so the release counts, too."""
    now, files = host.now(), _newest(host)
    newest = max(files, host.released)
    if now < newest - _DAY:
        past = f"EdgeKit's files are of {_date(files)}"
        if host.released > files:
            past = f"this EdgeKit was released on {_date(host.released)[:10]}"
        what = f"the clock says {_date(now)}, yet {past}"
        yield Diagnosis("clock", "bad", what, _set(host))
    else:
        yield _confirmed(host, now)
    hardware = hardware_clocks(host)
    if hardware and max(hardware) < newest - _DAY and not (host.container or host.wsl):
        what = f"the hardware clock says {_date(max(hardware))}: without a network the next start will be wrong"
        yield Diagnosis("clock", "bad", what, "sudo hwclock --systohc   (and give it a battery)")


def _confirmed(host: Host, now: float) -> Diagnosis:
    network = network_time(host)
    if network.synchronised:
        return Diagnosis("clock", "good", f"{_date(now)}, synchronised with a time server")
    if host.container:
        return Diagnosis("clock", "unknown", f"{_date(now)}; a container can't tell whether its host is synchronised")
    if network.synchronised is None:
        what = f"{_date(now)}; timedatectl does not tell whether it is synchronised"
        return Diagnosis("clock", "unknown", what, "date   (compare it with a clock that is right)")
    mend = "sudo apt install systemd-timesyncd" if network.service is False else _set(host)
    return Diagnosis("clock", "unknown", f"{_date(now)}, confirmed by no time server", mend)


def _set(host: Host) -> str:
    if host.container:
        return "Set the clock of the machine that this container runs on."
    if host.wsl:
        return "sudo hwclock --hctosys"
    return "sudo timedatectl set-ntp true   without a network: sudo date --set 'YEAR-MONTH-DAY HOUR:MINUTE'"


def _newest(host: Host) -> float:
    """When EdgeKit's newest file was written, in seconds since 1970."""
    times = [0.0]
    for path in host.package.rglob("*.py"):
        with suppress(OSError):
            times.append(path.stat().st_mtime)
    return max(times)


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
