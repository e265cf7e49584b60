"""How the machine is and fares: versions, the doctor's verdict, its target, memory and disks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgekit import __version__, config
from edgekit.doctor import examine
from edgekit.machine.cgroup import limiting_groups
from edgekit.machine.condition import condition
from edgekit.machine.host import Host
from edgekit.machine.installed import systemd_version
from edgekit.machine.pseudonym import pseudonym
from edgekit.machine.room import available_memory, swap_areas
from edgekit.support.topic import Subject, Topic
from edgekit.target import Budget, matching_target, site_budget, targets, with_site_budget


def versions(subject: Subject) -> dict[str, Any]:
    """Return what runs here: EdgeKit, Python, the system, the machine, and every package that EdgeKit may need."""
    host = subject.host
    return {
        "edgekit": __version__,
        "python": ".".join(map(str, host.python)),
        "system": host.distribution_title,
        "kernel": host.kernel,
        "systemd": systemd_version(host),
        "container": host.container,
        "wsl": host.wsl,
        "pseudonym": pseudonym(host.root),
        "machine": host.machine,
        "packages": _packages(host),
    }


def _packages(host: Host) -> dict[str, str | None]:
    """The version of each package that EdgeKit's metadata names; None where it isn't there."""
    own = host.installed("edgekit")
    requirements: Iterable[str] = (own.requires or []) if own else []
    names = {match[0].lower() for line in requirements if (match := re.match(r"[\w.-]+", line))}
    packages = {name: host.installed(name) for name in sorted(names)}
    return {name: package.version if package else None for name, package in packages.items()}


def doctor(subject: Subject) -> dict[str, Any]:
    """Return the doctor's report for the target that the machine is."""
    return examine(subject.host).document()


def target(subject: Subject) -> dict[str, Any]:
    """Return the target that the machine is, with the budget that holds here, and every budget that the site names."""
    names = [shipped.name for shipped in targets()]
    files = {name: path for name in names if (path := site_budget(name))}
    return {
        "target": with_site_budget(matching_target(subject.host.machine)),
        "site_budgets": {name: config.load_toml(path, Budget) for name, path in files.items()},
    }


def memory(subject: Subject) -> dict[str, Any]:
    """Return the memory that there is, who limits it, and how warm and hasty the machine is now."""
    host = subject.host
    return {
        "total_bytes": host.machine.memory_bytes,
        "available_bytes": available_memory(host.root),
        "swap": swap_areas(host.root),
        "groups": limiting_groups(host.root),
        "condition": condition(host),
        "meminfo": host.read("proc/meminfo").splitlines(),
    }


def disk(subject: Subject) -> list[dict[str, Any]]:
    """Return the room on the disks of what is kept, of the bundle and of temporary files; -1 for what isn't told."""
    places = {"state": subject.state, "bundle": subject.bundle, "temporary": Path("/tmp")}
    return [{"what": what, "path": str(path), **_room(path)} for what, path in places.items() if path]


def _room(path: Path) -> dict[str, int]:
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        status = os.statvfs(there)
    except OSError:
        return dict.fromkeys(("all_bytes", "free_bytes", "files", "free_files"), -1)
    return {
        "all_bytes": status.f_blocks * status.f_frsize,
        "free_bytes": status.f_bavail * status.f_frsize,
        "files": status.f_files,
        "free_files": status.f_favail,
    }


TOPICS = (
    Topic("versions.json", "EdgeKit, Python, the system, the machine, packages", versions),
    Topic("doctor.json", "what `edgekit doctor` says", doctor),
    Topic("target.json", "the target, and the site's budgets", target),
    Topic("memory.json", "memory, its limits, temperature and power", memory),
    Topic("disk.json", "room on the disks", disk),
)
