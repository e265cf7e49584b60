"""Every check, in the order in which people read; each on its own, so that none can hold up or end the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from edgekit.doctor.capacity import disk, memory, swap
from edgekit.doctor.clock import clock
from edgekit.doctor.cuinit import cuinit
from edgekit.doctor.diagnosis import Diagnosis, Report, worst_first
from edgekit.doctor.dla import dla
from edgekit.doctor.docker import docker
from edgekit.doctor.extras import extras
from edgekit.doctor.groups import groups
from edgekit.doctor.halves import halves
from edgekit.doctor.heat import heat
from edgekit.doctor.jetson import jetson, power
from edgekit.doctor.nodes import nodes
from edgekit.doctor.nvidia import driver, gpu
from edgekit.doctor.podman import podman
from edgekit.doctor.runtime import cuda, runtime
from edgekit.doctor.sticks import sticks
from edgekit.doctor.system import processor, python, system, systemd
from edgekit.doctor.tensorrt import tensorrt
from edgekit.doctor.updates import updates
from edgekit.errors import ConfigError, gist
from edgekit.machine.host import Host
from edgekit.target import Target, matching_target, with_site_budget

Check = Callable[[Host, Target], Iterable[Diagnosis]]
CHECKS: dict[str, Check] = {
    "system": system,
    "jetson": jetson,
    "processor": processor,
    "python": python,
    "driver": driver,
    "driver files": halves,
    "gpu": gpu,
    "gpu starts": cuinit,
    "gpu nodes": nodes,
    "groups": groups,
    "runtime": runtime,
    "cuda": cuda,
    "tensorrt": tensorrt,
    "dla": dla,
    "memory": memory,
    "swap": swap,
    "disk": disk,
    "sticks": sticks,
    "clock": clock,
    "power": power,
    "heat": heat,
    "systemd": systemd,
    "updates": updates,
    "docker": docker,
    "podman": podman,
    "packages": extras,
}


def examine(host: Host, target: Target | None = None, checks: dict[str, Check] = CHECKS, limit_s: float = 90) -> Report:
    """Examine a machine for ``target``, or for the target that it is. Raises nothing; takes ``limit_s`` at most,
    and what has not answered by then is unknown."""
    detected = matching_target(host.machine)
    unread = []
    try:
        wanted = with_site_budget(target or detected)
    except ConfigError as error:  # the installed service's folder is nobody else's, say
        wanted = target or detected
        unread = [Diagnosis("budget", "unknown", f"the site's is not looked at: {error.message}", error.hint)]
    results: dict[str, list[Diagnosis]] = {}
    threads = [
        # Daemons: one that waits in the kernel for a stuck disk or driver must not keep the process.
        threading.Thread(target=_note, args=(results, name, check, host, wanted), daemon=True, name=f"check {name}")
        for name, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    done = dict(results)  # whoever comes later is too late
    late = [Diagnosis(name, "unknown", f"no answer within {limit_s:g} s") for name in checks if name not in done]
    diagnoses = [diagnosis for name in checks for diagnosis in done.get(name, [])]
    return Report(wanted.name, detected.name, tuple(_by_subject([*unread, *diagnoses, *late])))


def _note(results: dict[str, list[Diagnosis]], name: str, check: Check, host: Host, target: Target) -> None:
    try:
        results[name] = list(check(host, target))
    except Exception as error:  # what no one thought of must not hide what the other checks found
        results[name] = [
            Diagnosis(name, "unknown", f"the check failed: {gist(f'{type(error).__name__}: {error}', 200)}")
        ]


def _by_subject(diagnoses: list[Diagnosis]) -> Iterator[Diagnosis]:
    """Subjects as they come first, the worst of each first."""
    subjects: dict[str, list[Diagnosis]] = {}
    for diagnosis in diagnoses:
        subjects.setdefault(diagnosis.subject, []).append(diagnosis)
    for of_subject in subjects.values():
        yield from worst_first(of_subject)
