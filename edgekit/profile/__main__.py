"""The process that is measured: ``python -m edgekit.profile PHASE BUNDLE SLOTS SECONDS QUESTION PICTURE…``.

A process for each phase, since one that has answered before has caches and memory of that. Its result is the phase's,
as JSON has it (how it says so: :mod:`edgekit.child`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import Bundle, open_bundle
from edgekit.child import speak
from edgekit.detect import detect
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.profile import latency
from edgekit.profile.footprint import footprint
from edgekit.profile.glance import glance_here
from edgekit.profile.gpu_memory import gpu_memory
from edgekit.profile.loading import load_seconds
from edgekit.profile.record import RowRate, Times
from edgekit.runtime.model import Model


def _load(bundle: Bundle, slots: int, seconds: float, question: str, pictures: Sequence[Path]) -> float:
    return load_seconds(bundle.path, slots)


def _footprint(bundle: Bundle, slots: int, seconds: float, question: str, pictures: Sequence[Path]) -> object:
    target = bundle.manifest.target
    gpu = None if target.engine == "onnxruntime" else gpu_memory(detect())
    try:
        return footprint(bundle, slots, question, pictures, gpu, shared=target.unified)
    finally:
        if gpu is not None:
            gpu.close()


def _times(bundle: Bundle, slots: int, seconds: float, question: str, pictures: Sequence[Path]) -> Times:
    with Model.open(bundle.path, slots) as model:
        return latency.times(model, _turns(question, pictures), seconds)


def _rates(bundle: Bundle, slots: int, seconds: float, question: str, pictures: Sequence[Path]) -> tuple[RowRate, ...]:
    with Model.open(bundle.path, slots) as model:
        return latency.rates(model, _turns(question, pictures[:1])[0], seconds)


def _glance(bundle: Bundle, slots: int, seconds: float, question: str, pictures: Sequence[Path]) -> object:
    return glance_here(bundle, slots, _turns(question, pictures), seconds)


def _turns(question: str, pictures: Sequence[Path]) -> list[Turn]:
    return [Turn(question, images=(load_image(picture),)) for picture in pictures]


PHASES: dict[str, Callable[[Bundle, int, float, str, Sequence[Path]], Any]] = {
    "load": _load,
    "footprint": _footprint,
    "times": _times,
    "rates": _rates,
    "glance": _glance,
}


def main(phase: str, bundle: str, slots: str, seconds: str, question: str, *pictures: str) -> None:
    def work(say: Callable[..., None]) -> list[Any]:
        _be_the_first_to_go()
        found = PHASES[phase](open_bundle(Path(bundle)), int(slots), float(seconds), question, [*map(Path, pictures)])
        return [config.dump(found)]

    speak(work)


def _be_the_first_to_go() -> None:
    """Where memory runs out, the kernel shall end this process, not a service that runs beside it (proc(5))."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
