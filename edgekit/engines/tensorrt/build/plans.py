"""A bundle's three plans, built one after another, and what building them took, in ``plans.json`` beside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.config.writing import write_json
from edgekit.engines.backend import Destination, PlanRecord
from edgekit.engines.tensorrt.api import Flavour
from edgekit.engines.tensorrt.build.destination import AHEAD
from edgekit.engines.tensorrt.build.job import Options
from edgekit.engines.tensorrt.build.need import need
from edgekit.engines.tensorrt.build.plan import build_plan
from edgekit.engines.tensorrt.cache import kept
from edgekit.engines.tensorrt.shapes import profiles
from edgekit.progress import Progress, silent
from edgekit.target import Target
from edgekit.units import GIB, MIB

PLANS = "plans.json"
_LOWER_LEVEL = 2


@dataclass(frozen=True)
class _Kept:
    """``plans.json``."""

    vision: PlanRecord
    projector: PlanRecord
    decoder: PlanRecord


def records(folder: Path) -> dict[str, PlanRecord]:
    """Return what building the plans in ``folder`` took; :class:`~edgekit.errors.ConfigError` where that can't be
    read."""
    return dict(vars(config.load_json(folder / PLANS, _Kept)))


def build_plans(
    bundle: Bundle, folder: Path, destination: Destination, progress: Progress = silent
) -> dict[str, PlanRecord]:
    """Write ``vision.plan``, ``projector.plan``, ``decoder.plan`` to ``folder``.

    Raises what :func:`~edgekit.engines.tensorrt.build.plan.build_plan` does.
    """
    manifest, built = bundle.manifest, {}
    wanted = profiles(manifest.spec, manifest.target.slots, manifest.context)
    for name, shapes in wanted.items():
        graph = bundle.path / "graphs" / f"{name}.onnx"
        options = _options(manifest.target, destination, need(graph).slow)
        plan, named = folder / f"{name}.plan", _named(progress, name)
        built[name] = build_plan(graph, plan, shapes, options, named, destination.variables).record
    write_json(folder / PLANS, built, "lines")
    return built


def _options(target: Target, destination: Destination, short: bool) -> Options:
    """A workspace in proportion to the target's memory, and less optimization where this machine's is ``short``."""
    flavour = cast(Flavour, destination.place.engine)
    workspace = min(2 * GIB, max(256 * MIB, target.memory_bytes // 16))
    return Options(
        flavour=flavour,
        compute_capability=target.compute_capability if flavour == AHEAD else None,
        workspace_bytes=workspace,
        optimization_level=_LOWER_LEVEL if short else None,
        timing_cache=None if destination.ahead else kept("timings", destination.place.fingerprint),
    )


def _named(progress: Progress, name: str) -> Progress:
    return lambda stage, done, total: progress(f"{stage} {name}", done, total)
