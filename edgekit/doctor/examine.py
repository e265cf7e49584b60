"""Every check, in the order in which people read; each on its own, so that none can hold up or end the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from edgekit.detect import matching_target
from edgekit.doctor.capacity import disk, memory, swap
from edgekit.doctor.clock import clock
from edgekit.doctor.extras import extras
from edgekit.doctor.finding import Finding, Report, worst_first
from edgekit.doctor.heat import heat
from edgekit.doctor.host import Host
from edgekit.doctor.jetson import jetson, power
from edgekit.doctor.nodes import nodes
from edgekit.doctor.nvidia import driver, gpu
from edgekit.doctor.runtime import cuda, runtime, tensorrt
from edgekit.doctor.system import processor, python, system, systemd
from edgekit.target import Target

Check = Callable[[Host, Target], Iterable[Finding]]
CHECKS: dict[str, Check] = {
    "system": system,
    "jetson": jetson,
    "processor": processor,
    "python": python,
    "driver": driver,
    "gpu": gpu,
    "gpu nodes": nodes,
    "runtime": runtime,
    "cuda": cuda,
    "tensorrt": tensorrt,
    "memory": memory,
    "swap": swap,
    "disk": disk,
    "clock": clock,
    "power": power,
    "heat": heat,
    "systemd": systemd,
    "packages": extras,
}
LIMIT_S = 90.0


def examine(host: Host, target: Target | None = None, checks: dict[str, Check] = CHECKS) -> Report:
    """Examine a machine for ``target``, or for the target that it is. Raises nothing; takes :data:`LIMIT_S` at most,
    and what has not answered by then is unknown."""
    detected = matching_target(host.machine)
    wanted = target or detected
    results: dict[str, list[Finding]] = {}
    threads = [
        # Daemons: one that waits in the kernel for a stuck disk or driver must not keep the process.
        threading.Thread(target=_note, args=(results, name, check, host, wanted), daemon=True, name=f"check {name}")
        for name, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + LIMIT_S
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = [Finding(name, "unknown", f"no answer within {LIMIT_S:g} s") for name in checks if name not in results]
    return Report(wanted.name, detected.name, tuple(_ordered([*_all(results, checks), *late], list(checks))))


def _note(results: dict[str, list[Finding]], name: str, check: Check, host: Host, target: Target) -> None:
    try:
        results[name] = list(check(host, target))
    except Exception as error:  # what no one thought of must not hide what the other checks found
        results[name] = [Finding(name, "unknown", f"the check failed: {type(error).__name__}: {error}"[:200])]


def _all(results: dict[str, list[Finding]], checks: dict[str, Check]) -> list[Finding]:
    return [finding for name in checks for finding in results.get(name, [])]


def _ordered(findings: list[Finding], names: list[str]) -> list[Finding]:
    """By subject as checks stand (a check's further subjects behind it), the worst of a subject first."""
    order: dict[str, list[Finding]] = {name: [] for name in names}
    for finding in findings:
        order.setdefault(finding.subject, []).append(finding)
    return [finding for subject in order.values() for finding in worst_first(subject)]
