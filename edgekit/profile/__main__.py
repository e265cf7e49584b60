"""The process that is measured: ``python -m edgekit.profile PHASE BUNDLE SLOTS SECONDS QUESTION PICTURE…``.

A process for each phase, since one that has answered before has caches and memory of that. Its result is the phase's,
as JSON has it (how it says so: :mod:`edgekit.child`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config, machine
from edgekit.bundle import Bundle, open_bundle
from edgekit.child import speak
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.machine.gpu_memory import gpu_memory
from edgekit.profile import latency
from edgekit.profile.footprint import Footprint, footprint
from edgekit.profile.glance import Glance, glance_here
from edgekit.profile.loading import load_seconds
from edgekit.profile.record import RowRate, Times
from edgekit.progress import Progress
from edgekit.runtime.model import Model


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task says what is to be measured; ``progress`` hears how far it is."""

    bundle: Bundle
    slots: int
    seconds: float
    question: str
    pictures: list[Path]
    progress: Progress

    @property
    def turns(self) -> list[Turn]:
        return [Turn(self.question, images=(load_image(picture),)) for picture in self.pictures]


def _load(task: Task) -> float:
    return load_seconds(task.bundle.path, task.slots)


def _footprint(task: Task) -> Footprint:
    target = task.bundle.manifest.target
    gpu = gpu_memory(machine.look()) if target.kind.on_gpu else None
    try:
        return footprint(
            task.bundle, task.slots, task.question, task.pictures, gpu, shared=target.unified, progress=task.progress
        )
    finally:
        if gpu is not None:
            gpu.close()


def _times(task: Task) -> Times:
    with Model.open(task.bundle.path, task.slots) as model:
        return latency.times(model, task.turns, task.seconds, task.progress)


def _rates(task: Task) -> tuple[RowRate, ...]:
    with Model.open(task.bundle.path, task.slots) as model:
        return latency.rates(model, task.turns[0], task.seconds, task.progress)


def _glance(task: Task) -> Glance:
    return glance_here(task.bundle, task.slots, task.turns, task.seconds)


PHASES: dict[str, Callable[[Task], Any]] = {
    "load": _load,
    "footprint": _footprint,
    "times": _times,
    "rates": _rates,
    "glance": _glance,
}


def main(phase: str, bundle: str, slots: str, seconds: str, question: str, *pictures: str) -> None:
    def work(say: Callable[..., None]) -> list[Any]:
        _be_the_first_to_go()
        task = Task(
            bundle=open_bundle(Path(bundle)),
            slots=int(slots),
            seconds=float(seconds),
            question=question,
            pictures=[Path(picture) for picture in pictures],
            progress=lambda stage, done, total: say("progress", stage, done, total),
        )
        return [config.dump(PHASES[phase](task))]

    speak(work)


def _be_the_first_to_go() -> None:
    """Where memory runs out, the kernel shall end this process, not a service that runs beside it (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
