"""A stand-in for systemd: services that start, fail and stop as a test wants, and what was asked of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgekit.deploy.systemd import LINES, START_S, STOP_S, ServiceState
from edgekit.errors import EdgeKitError


@dataclass
class StandInServices:
    """Services that are started and stopped in memory.

    - ``starts``: called with a unit's name at each start; what it raises is why that start failed
    - ``asked``: what was asked that changes something, in its order: "start edgekit.service"
    - ``states``, ``enabled``: how each stands by now; ``lines``: what each wrote
    """

    starts: Callable[[str], None] = lambda unit: None
    asked: list[str] = field(default_factory=list)
    states: dict[str, ServiceState] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def state(self, unit: str) -> ServiceState:
        return self.states.get(unit, ServiceState())

    def start(self, unit: str, seconds: float = START_S) -> None:
        self.asked.append(f"start {unit}")
        if not self.state(unit).runs:
            self._start(unit)

    def stop(self, unit: str, seconds: float = STOP_S) -> None:
        self.asked.append(f"stop {unit}")
        self.states[unit] = replace(self.state(unit), active="inactive", sub="dead", pid=0)

    def restart(self, unit: str, seconds: float = START_S) -> None:
        self.asked.append(f"restart {unit}")
        self._start(unit)

    def reset_failed(self, unit: str) -> None:
        self.asked.append(f"reset-failed {unit}")
        if self.state(unit).active == "failed":
            self.states[unit] = ServiceState()

    def enable(self, unit: str) -> None:
        self.asked.append(f"enable {unit}")
        self.enabled.add(unit)

    def disable(self, unit: str) -> None:
        self.asked.append(f"disable {unit}")
        self.enabled.discard(unit)

    def reload(self) -> None:
        self.asked.append("reload")

    def make_users(self, name: str) -> None:
        self.asked.append(f"make-users {Path(name).name}")

    def ids(self, user: str) -> tuple[int, int]:
        return os.getuid(), os.getgid()

    def last_lines(self, unit: str, lines: int = LINES) -> tuple[str, ...]:
        return self.lines.get(unit, ())[-lines:]

    def _start(self, unit: str) -> None:
        try:
            self.starts(unit)
        except EdgeKitError:
            self.states[unit] = ServiceState("failed", "failed", "exit-code")
            raise
        self.states[unit] = ServiceState("active", "running", pid=1000)
