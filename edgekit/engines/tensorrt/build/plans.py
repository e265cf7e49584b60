"""A bundle's three plans, built one after another, and what building them took, in ``plans.json`` beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.engines.tensorrt.build.job import How
from edgekit.engines.tensorrt.build.need import need
from edgekit.engines.tensorrt.build.plan import BuiltPlan, build_plan
from edgekit.engines.tensorrt.build.site import Site
from edgekit.engines.tensorrt.cache import kept
from edgekit.engines.tensorrt.shapes import profiles
from edgekit.files import write_text
from edgekit.progress import Progress, silent
from edgekit.target import Target
from edgekit.units import GIB, MIB

PLANS = "plans.json"
_LOWER_LEVEL = 2


@dataclass(frozen=True)
class Record:
    """Of one plan. ``peak_bytes``, ``device_peak_bytes``: memory that building took, the host's and the GPU's.
    ``weight_bytes``, ``activation_bytes`` of each profile: the GPU's that running takes. The GPU's are as the builder
    told them, None and () where it didn't. ``fused``: as of :class:`~edgekit.engines.tensorrt.build.plan.BuiltPlan`."""

    bytes: int
    seconds: float
    peak_bytes: int
    device_peak_bytes: int | None
    weight_bytes: int | None
    activation_bytes: tuple[int, ...]
    fused: tuple[int, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """``plans.json``."""

    vision: Record
    projector: Record
    decoder: Record


def records(folder: Path) -> dict[str, Record]:
    """What building the plans in ``folder`` took; :class:`~edgekit.errors.ConfigError` where that can't be read."""
    return dict(vars(config.load_json(folder / PLANS, _Kept)))


def build_plans(bundle: Bundle, folder: Path, where: Site, progress: Progress = silent) -> dict[str, Record]:
    """Write ``vision.plan``, ``projector.plan``, ``decoder.plan`` to ``folder``.

    Raises what :func:`~edgekit.engines.tensorrt.build.plan.build_plan` does.
    """
    manifest, found = bundle.manifest, {}
    wanted = profiles(manifest.spec, manifest.target.slots, manifest.context)
    for name, shapes in wanted.items():
        graph = bundle.path / "graphs" / f"{name}.onnx"
        how = _how(manifest.target, where, need(graph).slow)
        made = build_plan(graph, folder / f"{name}.plan", shapes, how, _named(progress, name), where.variables)
        found[name] = _record(made)
    write_text(folder / PLANS, json.dumps({name: vars(one) for name, one in found.items()}, indent=1) + "\n")
    return found


def _how(target: Target, where: Site, short: bool) -> How:
    """A workspace in proportion to the target's memory, and less optimization where this machine's is ``short``."""
    workspace = min(2 * GIB, max(256 * MIB, target.memory_bytes // 16))
    return How(
        flavour=where.flavour,
        compute_capability=target.compute_capability if where.flavour == "tensorrt_rtx" else None,
        workspace_bytes=workspace,
        optimization_level=_LOWER_LEVEL if short else None,
        timing_cache=None if where.ahead else kept("timings", where.place.fingerprint),
    )


def _named(progress: Progress, name: str) -> Progress:
    return lambda stage, done, total: progress(f"{stage} {name}", done, total)


def _record(made: BuiltPlan) -> Record:
    return Record(
        made.bytes,
        round(made.seconds, 2),
        made.peak_bytes,
        made.device_peak_bytes,
        made.weight_bytes,
        made.activation_bytes,
        made.fused,
        made.warnings,
    )
