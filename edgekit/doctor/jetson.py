"""A Jetson's system and its power: L4T, JetPack, the power mode, what held its clocks back.

Formats: /etc/nv_tegra_release ("# R36 (release), REVISION: 4.3, GCID: …"); `dpkg-query -W` ("36.4.3-20250107174145");
`nvpmodel -q` ("NV Power Mode: MAXN", then its number on a line of its own, also where it ends with an error for want
of root); /etc/nvpmodel.conf ("< POWER_MODEL ID=0 NAME=MAXN >"); the counters oc1 (under-voltage), oc2 and oc3 (average
and instantaneous over-current) of hwmon "soctherm_oc". From NVIDIA's Jetson Linux Developer Guide (Platform Power and
Performance) and recordings in github.com/rbonghi/jetson_stats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from edgekit.doctor.finding import Finding
from edgekit.doctor.host import Host
from edgekit.doctor.nvidia import wants_gpu
from edgekit.target import Target

_JETPACK = {34: "5", 35: "5", 36: "6", 38: "7", 39: "7"}  # developer.nvidia.com/embedded/jetpack-archive


def jetson(host: Host, target: Target) -> Iterator[Finding]:
    """The release that the system says, against the one that is installed, and whether EdgeKit runs on it."""
    machine = host.machine
    if not machine.jetson:
        return
    if not machine.l4t:
        yield Finding("jetson", "unknown", f"{machine.jetson}: /etc/nv_tegra_release does not tell the release of L4T")
        return
    core = _package(host, "nvidia-l4t-core").partition("-")[0]
    jetpack = _package(host, "nvidia-jetpack").partition("+")[0] or _JETPACK.get(host.l4t, "unknown")
    if host.l4t < 36:
        what = f"L4T {machine.l4t} (JetPack {jetpack}) is too old: its Python is 3.8, EdgeKit needs 3.10"
        yield Finding("jetson", "bad", what, "Flash JetPack 6 or newer with NVIDIA's SDK Manager.")
    elif core and core != machine.l4t:
        what = f"half updated: L4T {machine.l4t} runs, {core} is installed"
        yield Finding("jetson", "bad", what, "sudo apt full-upgrade && sudo reboot")
    else:
        yield Finding("jetson", "good", f"{machine.jetson}: JetPack {jetpack}, L4T {machine.l4t}")


def _package(host: Host, name: str) -> str:
    """The version of an installed Debian package; "" where it isn't, or can't be asked for."""
    reply = host.run("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", name)
    status, _, version = reply.out.strip().partition(" ")
    return version if reply.code == 0 and status == "installed" else ""


def power(host: Host, target: Target) -> Iterator[Finding]:
    """The power mode and whether clocks follow the load; then what throttled since the start."""
    if not host.machine.jetson:
        return
    if mode := power_mode(host):
        yield _mode(host, target, *mode)
    else:
        why = host.run("nvpmodel", "-q").why or "does not tell the mode"
        yield Finding("power", "unknown", f"nvpmodel {why}", "" if host.container else "sudo nvpmodel -q")
    yield from _overcurrent(host)


def power_mode(host: Host) -> tuple[str, str] | None:
    """A Jetson's power mode, its name and its number ("MAXN", "0"); None where it isn't told."""
    if not host.machine.jetson:
        return None
    mode = re.search(r"NV Power Mode:\s*(\S+)\s+(\d+)", host.run("nvpmodel", "-q").out)
    return (mode[1], mode[2]) if mode else None


def _mode(host: Host, target: Target, name: str, number: str) -> Finding:
    """A capped mode breaks no promise unless the target gives one about speed: it may be meant (heat, battery)."""
    what = f"mode {name} ({number}), clocks {_clocks(host)}"
    fastest = _fastest(host)
    if name.startswith("MAXN") or not fastest or fastest == number:
        return Finding("power", "good", what)
    speed = (target.budget.first_token_ms, target.budget.tokens_per_s)
    promised = wants_gpu(target) and any(limit is not None for limit in speed)
    capped = f"{what}: caps speed" + ("" if promised else "; fine where it is meant")
    return Finding("power", "bad" if promised else "good", capped, f"sudo nvpmodel -m {fastest}")


def _fastest(host: Host) -> str:
    """The number of the mode without caps."""
    modes = re.findall(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", host.read("etc/nvpmodel.conf"))
    return next((number for number, name in modes if name.startswith("MAXN")), "")


def _clocks(host: Host) -> str:
    """jetson_clocks sets every processor's least frequency to its greatest."""
    ranges = [
        (host.read(f"{folder}/scaling_min_freq"), host.read(f"{folder}/scaling_max_freq"))
        for folder in (p.relative_to(host.root) for p in host.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq"))
    ]
    if not ranges or not all(low and high for low, high in ranges):
        return "unknown"
    return "held high (jetson_clocks)" if all(low == high for low, high in ranges) else "follow the load"


def _overcurrent(host: Host) -> Iterator[Finding]:
    for folder in (path.parent.relative_to(host.root) for path in host.glob("sys/class/hwmon/hwmon*/name")):
        if host.read(f"{folder}/name").strip() != "soctherm_oc":
            continue
        counts = [host.read(f"{folder}/oc{number}_event_cnt").strip() for number in (1, 2, 3)]
        if not all(count.isdecimal() for count in counts):
            yield Finding("power", "unknown", "the counters of under-voltage and over-current can't be read")
            continue
        under, over = int(counts[0]), int(counts[1]) + int(counts[2])
        if under:
            what = f"throttled {under} times for under-voltage since the start"
            yield Finding("power", "bad", what, "Use the supply that came with it, plugged in without adapters.")
        elif over:
            what = f"throttled {over} times for over-current since the start: peaks above the mode's power"
            yield Finding("power", "good", what)
