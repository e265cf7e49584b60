"""Measure a bundle on this machine: each phase in a fresh process, the result one :class:`Profile` in the bundle."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import edgekit
from edgekit import config, machine
from edgekit.bundle import Bundle
from edgekit.child import listen, python
from edgekit.engines.backend import backend_of
from edgekit.engines.lock import compiled_form, find_form
from edgekit.errors import EngineError
from edgekit.machine.cgroup import memory_peak
from edgekit.machine.condition import Condition, condition
from edgekit.machine.detect import Machine
from edgekit.machine.gpus import Gpu, matching, shown_alone
from edgekit.machine.host import Host
from edgekit.machine.system import utc_now
from edgekit.plan import MemoryPlan, as_built, plan
from edgekit.profile.asking import QUESTIONS, draw_pictures
from edgekit.profile.components import measured_components, side_memories
from edgekit.profile.footprint import Footprint
from edgekit.profile.loading import forget
from edgekit.profile.record import (
    FORMAT,
    PlannedMemory,
    Profile,
    ProfiledBundle,
    ProfiledDevice,
    ProfiledMemory,
    ProfiledSpeed,
    RowRate,
    Spread,
    Times,
)
from edgekit.profile.store import require_room, store
from edgekit.profile.weights import counted_weights
from edgekit.progress import Progress, silent
from edgekit.target import Target

T = TypeVar("T")

PICTURES = 6
WARM = 3
SECONDS = 5.0
"""For each figure; slow models take longer, since nothing is measured fewer than three times."""


def profile(bundle: Bundle, slots: int | None = None, seconds: float = SECONDS, progress: Progress = silent) -> Profile:
    """Measure ``bundle`` with its target's slots, or so many, and keep what was found in its ``profiles`` folder.

    Takes some 20 seconds for a small model and minutes for a large one. :class:`~edgekit.errors.EdgeKitError` where it
    can't be opened or asked, where a process is ended (by the kernel, for memory, say), and where the bundle can't be
    written to.
    """
    target, recipe = as_built(bundle)
    here = machine.look()
    gpus = here.gpus if target.kind.on_gpu else ()
    gpu = matching(gpus, target.compute_capability)
    _require_engines(bundle)
    target = replace(target, slots=slots or target.slots)
    planned = plan(bundle, target, recipe)
    require_room(bundle)
    before = _condition(here, gpu)
    with tempfile.TemporaryDirectory(prefix="edgekit-profile-") as folder:
        pictures = draw_pictures(Path(folder), PICTURES)
        variables = shown_alone(gpus, target.compute_capability)
        phases = _Phases(bundle, target.slots, seconds, pictures, progress, variables)
        cold = phases.run("load", float) if forget(bundle) else None
        loads = []
        for done in range(1, WARM + 1):
            loads.append(phases.run("load", float))
            progress("load", done, WARM)
        footprint = phases.run("footprint", Footprint)
        times = phases.run("times", Times)
        rates = phases.run("rates", tuple[RowRate, ...])
    measured = Profile(
        format=FORMAT,
        edgekit=edgekit.__version__,
        measured_at=utc_now(),
        bundle=_as_it_ran(bundle, target),
        device=device_here(target, here),
        memory=_memory(bundle, footprint, target),
        planned=_planned_memory(planned),
        speed=ProfiledSpeed(Spread.of(loads), cold, times, rates),
        disk_bytes=_disk_bytes(bundle),
        before=before,
        after=_condition(here, gpu),
    )
    store(bundle, measured)
    return measured


def _as_it_ran(bundle: Bundle, target: Target) -> ProfiledBundle:
    form, manifest = compiled_form(bundle), bundle.manifest
    return ProfiledBundle(
        digest=bundle.digest,
        model=manifest.source,
        recipe=manifest.recipe.name,
        target=target.name,
        slots=target.slots,
        context=target.context,
        compiled=form is not None,
        form=form.name if form else "",
    )


def _memory(bundle: Bundle, footprint: Footprint, target: Target) -> ProfiledMemory:
    weights = counted_weights(bundle)
    return ProfiledMemory(
        sides=side_memories(footprint, target),
        share_bytes=footprint.loaded_share_bytes,
        library_bytes=footprint.library_bytes,
        weights=weights,
        components=measured_components(footprint, weights, target),
        growth_bytes=footprint.growth_bytes,
        cgroup_peak_bytes=memory_peak(),
        moments=footprint.moments,
    )


def _condition(here: Machine, gpu: Gpu | None) -> Condition:
    """How the device fares now; of its cards, the one that is computed on."""
    return condition(Host(seen=here), gpu.uuid if gpu else "")


def _require_engines(bundle: Bundle) -> None:
    """A processor's figures must never pass for a GPU's: without engines, it is what would be measured."""
    if not bundle.manifest.target.kind.needs_plans:
        return
    form, why = find_form(bundle)
    if form is None:
        raise EngineError(
            f"{bundle.path} has no engines for a GPU of this machine, so there is nothing to measure"
            f"{f' ({why})' if why else ''}",
            f"On the device, run: edgekit compile {shlex.quote(str(bundle.path))}",
        )


class _Phases:
    """Runs phases, each in a process of its own, with ``variables`` in its environment."""

    def __init__(
        self,
        bundle: Bundle,
        slots: int,
        seconds: float,
        pictures: Sequence[Path],
        progress: Progress,
        variables: Mapping[str, str],
    ) -> None:
        self._bundle, self._progress, self._variables = bundle, progress, variables
        self._arguments = [str(bundle.path), str(slots), str(seconds), QUESTIONS[0], *map(str, pictures)]

    def run(self, phase: str, kind: type[T]) -> T:
        """Run a phase; return its result as ``kind``."""
        doing = f"Measuring {self._bundle.path} ({phase})"
        (result,) = listen(python("edgekit.profile", phase, *self._arguments), doing, self._progress, self._variables)
        return config.load(kind, result, doing)


def device_here(target: Target, here: Machine) -> ProfiledDevice:
    """Describe ``here``, this machine, as figures for ``target`` hang on it."""
    gpu = Gpu("")
    if target.kind.on_gpu:
        gpu = matching(here.gpus, target.compute_capability) or next(iter(here.gpus), gpu)
    return ProfiledDevice(
        engine=target.engine,
        engine_version=backend_of(target.kind).version(),
        arch=here.arch,
        cpu=here.cpu,
        cores=here.cores,
        features=here.features,
        memory_bytes=here.memory_bytes,
        gpu=gpu.name,
        compute_capability=gpu.compute_capability,
        driver=gpu.driver,
        l4t=here.l4t,
    )


def _planned_memory(planned: MemoryPlan) -> PlannedMemory:
    side = planned.sides[0]
    service = side.needed_bytes - side.dynamic_bytes
    return PlannedMemory(planned.components, planned.static_bytes, planned.dynamic_bytes, service)


def _disk_bytes(bundle: Bundle) -> int:
    """As a plan counts: this release and the next, each with what the device makes of it, and a pack to carry."""
    here = sum(path.stat().st_size for path in bundle.path.rglob("*") if path.is_file())
    return 2 * here + bundle.bytes
