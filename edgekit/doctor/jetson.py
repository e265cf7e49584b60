"""A Jetson's system and its power: L4T, JetPack, the power mode, what held its clocks back.

/etc/nv_tegra_release: "# R36 (release), REVISION: 4.3, GCID: …"; `dpkg-query -W`: "36.4.3-20250107174145".
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.doctor.diagnosis import Diagnosis
from edgekit.doctor.nvidia import wants_gpu
from edgekit.machine.host import Host
from edgekit.machine.installed import debian_version
from edgekit.machine.power import PowerMode, clocks_held_high, fastest_mode, power_mode, throttled
from edgekit.target import Target

_JETPACK = {34: "5", 35: "5", 36: "6", 38: "7", 39: "7"}  # developer.nvidia.com/embedded/jetpack-archive


def jetson(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Hold the release that the system says against the one that is installed; say whether EdgeKit runs on it."""
    machine = host.machine
    if not machine.jetson:
        return
    if not machine.l4t:
        yield Diagnosis(
            "jetson", "unknown", f"{machine.jetson}: /etc/nv_tegra_release does not tell the release of L4T"
        )
        return
    core = debian_version(host, "nvidia-l4t-core").partition("-")[0]
    jetpack = debian_version(host, "nvidia-jetpack").partition("+")[0] or _JETPACK.get(host.l4t, "unknown")
    if host.l4t < 36:
        what = f"L4T {machine.l4t} (JetPack {jetpack}) is too old: its Python is 3.8, EdgeKit needs 3.10"
        yield Diagnosis("jetson", "bad", what, "Flash JetPack 6 or newer with NVIDIA's SDK Manager.")
    elif core and core != machine.l4t:
        what = f"half updated: L4T {machine.l4t} runs, {core} is installed"
        yield Diagnosis("jetson", "bad", what, "sudo apt full-upgrade && sudo reboot")
    else:
        yield Diagnosis("jetson", "good", f"{machine.jetson}: JetPack {jetpack}, L4T {machine.l4t}")


def power(host: Host, target: Target) -> Iterator[Diagnosis]:
    """Say the power mode and whether clocks follow the load; then what throttled since the start."""
    if not host.machine.jetson:
        return
    if mode := power_mode(host):
        yield _mode(host, target, mode)
    else:
        why = host.run("nvpmodel", "-q").why or "does not tell the mode"
        yield Diagnosis("power", "unknown", f"nvpmodel {why}", "" if host.container else "sudo nvpmodel -q")
    yield from _overcurrent(host)


def _mode(host: Host, target: Target, mode: PowerMode) -> Diagnosis:
    """A capped mode breaks no promise unless the target gives one about speed: it may be meant (heat, battery)."""
    what = f"mode {mode.name} ({mode.number}), clocks {_clocks(host)}"
    fastest = fastest_mode(host)
    if mode.name.startswith("MAXN") or not fastest or fastest == mode.number:
        return Diagnosis("power", "good", what)
    speed = (target.budget.first_token_ms, target.budget.tokens_per_s)
    promised = wants_gpu(target) and any(limit is not None for limit in speed)
    capped = f"{what}: caps speed" + ("" if promised else "; fine where it is meant")
    return Diagnosis("power", "bad" if promised else "good", capped, f"sudo nvpmodel -m {fastest}")


def _clocks(host: Host) -> str:
    held = clocks_held_high(host)
    return "unknown" if held is None else "held high (jetson_clocks)" if held else "follow the load"


def _overcurrent(host: Host) -> Iterator[Diagnosis]:
    for counts in throttled(host):
        if counts is None:
            yield Diagnosis("power", "unknown", "the counters of under-voltage and over-current can't be read")
        elif counts.under_voltage:
            what = f"throttled {counts.under_voltage} times for under-voltage since the start"
            yield Diagnosis("power", "bad", what, "Use the supply that came with it, plugged in without adapters.")
        elif counts.over_current:
            often = f"throttled {counts.over_current} times for over-current since the start"
            yield Diagnosis("power", "good", f"{often}: peaks above the mode's power")
