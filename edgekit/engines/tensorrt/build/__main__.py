"""The process that builds a plan: ``python -m edgekit.engines.tensorrt.build JOB``.

It writes the plan, and the timing cache beside it; its result is a
:class:`~edgekit.engines.tensorrt.build.plan.BuiltPlan` (how it says so: :mod:`edgekit.child`). TensorRT
itself prints nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.child import speak
from edgekit.engines.tensorrt.api import flavour
from edgekit.engines.tensorrt.build.job import Job
from edgekit.engines.tensorrt.build.network import Building
from edgekit.engines.tensorrt.build.plan import BuiltPlan
from edgekit.engines.tensorrt.log import fused_attention
from edgekit.errors import EngineError
from edgekit.files import writing
from edgekit.machine.memory import peak_bytes


def build(job: Job, report: Callable[[int, int], None]) -> BuiltPlan:
    """Write the plan; what to tell about it. :class:`~edgekit.errors.EdgeKitError` where it can't be."""
    # An exception must not pass through TensorRT's own frames: Ctrl-C asks it to stop at its next step.
    stopped = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: stopped.set())
    api = flavour(job.options.flavour)
    building = Building(api, job.options, job.less_memory, report, lambda: not stopped.is_set())
    building.configure(_cached(job.options.timing_cache))
    building.read(job.graph)
    building.shapes(job.profiles)
    try:
        plan = building.build()
    except EngineError:
        if stopped.is_set():
            raise EngineError("Building was interrupted") from None
        raise
    with writing(job.place):
        _write(job.plan, plan)
        if timings := building.timings():
            _write(job.timings, timings)
    building.phases.complete()
    log = building.log
    return BuiltPlan(
        path=job.place,
        bytes=job.plan.stat().st_size,
        seconds=0.0,  # whoever waits for this process counts them
        peak_bytes=peak_bytes(),
        device_peak_bytes=log.device_peak_bytes,
        weight_bytes=log.weight_bytes,
        activation_bytes=tuple(log.activation_bytes),
        fused=fused_attention(log.layers, len(job.profiles)),
        warnings=tuple(dict.fromkeys(log.warnings)),
        flavour=building.api.name,
        version=".".join(map(str, building.api.version)),
        layers=tuple(log.layers),
    )


def _cached(cache: Path | None) -> bytes | None:
    """The timing cache's bytes, b"" where there is none yet; None where none is wanted."""
    if cache is None:
        return None
    try:
        return cache.read_bytes()
    except OSError:
        return b""


def _write(path: Path, contents: Any) -> None:
    with path.open("wb") as file:
        file.write(memoryview(contents))
        file.flush()
        os.fsync(file.fileno())


def main(job: str) -> None:
    def work(say: Callable[..., None]) -> list[object]:
        asked = config.load(Job, json.loads(job), "a job")
        return [config.dump(build(asked, lambda done, total: say("progress", "build", done, total)))]

    speak(work)


if __name__ == "__main__":
    main(*sys.argv[1:])
