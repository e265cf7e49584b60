"""How far a build is, from the phases that TensorRT tells: a tree of them, each with a number of steps.

A phase lies within one step of its parent. Several may follow each other there, and nobody says how many; so the
share only ever grows, and grows unevenly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

SHARES = 1000


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class Phases:
    """Calls ``report(done, SHARES)`` when a share more is done. TensorRT calls from several threads."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        self._report, self._told = report, -1
        self._running: dict[str, _Phase] = {}
        self._lock = threading.Lock()

    def start(self, name: str, parent: str | None, steps: int) -> None:
        with self._lock:
            self._running[name] = _Phase(parent, max(steps, 1))
            self._tell(name)

    def step(self, name: str, step: int) -> None:
        """Note that step ``step`` of a phase, counted from 0, is done."""
        with self._lock:
            if phase := self._running.get(name):
                phase.done = step + 1
                self._tell(name)

    def finish(self, name: str) -> None:
        with self._lock:
            self._running.pop(name, None)

    def complete(self) -> None:
        """Note that all is done."""
        with self._lock:
            self._say(SHARES)

    def _tell(self, name: str) -> None:
        # The last share is for writing the plan.
        self._say(min(int(self._share(name) * SHARES), SHARES - 1))

    def _share(self, name: str) -> float:
        share, seen = 0.0, set[str]()
        at: str | None = name
        while at is not None and at not in seen and (phase := self._running.get(at)):
            seen.add(at)
            share = (min(phase.done, phase.steps) + share) / phase.steps if at != name else phase.done / phase.steps
            at = phase.parent
        return min(share, 1.0)

    def _say(self, done: int) -> None:
        if done > self._told:
            self._told = done
            self._report(done, SHARES)
