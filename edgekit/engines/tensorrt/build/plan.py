"""Build a plan: one graph, in a process of its own, so that a crash of the builder is one clear error.

Nothing is half there afterwards, however it ends: the plan is written beside its place and renamed in, and what a
killed build left behind, the next one for that plan removes.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from edgekit import config
from edgekit.child import Crash, listen, python
from edgekit.engines.backend import PlanRecord
from edgekit.engines.tensorrt.api import TITLES, Flavour, present
from edgekit.engines.tensorrt.build.job import Job, Options
from edgekit.engines.tensorrt.build.need import Need, need
from edgekit.engines.tensorrt.shapes import Profile
from edgekit.errors import EdgeKitError, EngineError
from edgekit.files import new_file, write_bytes
from edgekit.progress import Progress, silent

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class BuiltPlan(PlanRecord):
    """A plan, what building it took, and what TensorRT told about it.

    ``layers`` are "kind name", every profile's. (:mod:`edgekit.engines.tensorrt.log` says how they and fused attention
    are known.)
    """

    path: Path
    flavour: Flavour
    version: str
    layers: tuple[str, ...]

    @property
    def record(self) -> PlanRecord:
        """What is kept of it."""
        record = PlanRecord(**{entry.name: getattr(self, entry.name) for entry in fields(PlanRecord)})
        return replace(record, seconds=round(self.seconds, 2))

    @property
    def fused_attention(self) -> int:
        """Layers of fused attention in all profiles."""
        return sum(self.fused)


def build_plan(
    graph: Path,
    plan: Path,
    profiles: Sequence[Profile],
    options: Options,
    progress: Progress = silent,
    variables: Mapping[str, str] | None = None,
) -> BuiltPlan:
    """Compile ``graph`` (its external data beside it) to ``plan``, for the shapes of ``profiles``. The
    process that builds has ``variables`` in its environment, too.

    :class:`~edgekit.errors.MissingExtra` without the flavour asked for; :class:`EngineError` where TensorRT is too
    old, can't read the graph, can't build it or runs out of memory; :class:`~edgekit.errors.EdgeKitError` where the
    plan can't be written. An older plan and the timing cache are then as they were before.
    """
    name = present(options.flavour)
    if not graph.is_file():
        raise EngineError(f"There is no graph {graph}", "Build the bundle again.")
    takes = need(graph)
    if takes.unlikely:
        _log.warning("%s, swap included: it may well fail.", takes.text)
    started = time.monotonic()
    with new_file(plan) as beside:
        job = Job(
            graph=graph.absolute(),
            plan=beside,
            place=plan,
            profiles=tuple(profiles),
            options=options,
            less_memory=takes.remedy,
        )
        command = python("edgekit.engines.tensorrt.build", json.dumps(config.dump(job)))
        try:
            doing = f"Building {graph.name} with {TITLES[name]}"
            (document,) = listen(command, doing, progress, variables)
        except Crash as crash:
            if crash.signal == signal.SIGKILL:
                raise _killed(takes) from crash
            raise
        _keep_timings(job.timings, options.timing_cache)
    built = config.load(BuiltPlan, document, doing)
    return replace(built, seconds=time.monotonic() - started)


def _killed(takes: Need) -> EngineError:
    return EngineError(
        f"Building {takes.graph} was ended by the system (SIGKILL): most likely memory ran out", takes.remedy
    )


def _keep_timings(written: Path, cache: Path | None) -> None:
    """Put what was measured in the cache's place: later builds take less time, so this one doesn't fail by it."""
    if cache is None or not written.is_file():
        return
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(cache, written.read_bytes())
    except (EdgeKitError, OSError) as error:
        _log.warning("the timing cache was not kept: %s", error)
