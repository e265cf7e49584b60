"""Profiles fitted: a table of coefficients for each engine that they are of, and what plans say by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import open_bundle
from edgekit.engines.coefficients import Coefficients, shipped_coefficients
from edgekit.errors import InputError
from edgekit.files import write_text
from edgekit.plan import MemoryPlan
from edgekit.plan.planning import plan_subject
from edgekit.plan.regression import ProfiledModel, regression, table_text
from edgekit.plan.subject import subject_of
from edgekit.profile.record import Profile
from edgekit.profile.store import newest


@dataclass(frozen=True)
class FittedTables:
    """Fitted tables are one for each engine, the profiles that they were fitted to, and the file that they went to."""

    tables: dict[str, Coefficients]
    measured: tuple[tuple[ProfiledModel, Profile], ...]
    out: Path | None

    @property
    def text(self) -> str:
        """The tables as TOML, in the form of ``engines.toml``."""
        return table_text(self.tables)

    def planned_now(self) -> Iterator[tuple[Profile, MemoryPlan]]:
        """Yield each profile with what is planned by the fitted table."""
        for run, profile in self.measured:
            yield profile, plan_subject(run.subject, run.target, run.recipe, self.tables[run.target.engine])

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit plan --fit --json`` writes."""
        return {"engines": config.dump(self.tables), "out": str(self.out) if self.out else None}


def fit_profiles(paths: Sequence[Path], out: Path | None = None) -> FittedTables:
    """Fit the profiles at ``paths`` (files, or bundles that stand for their newest), and write the tables to ``out``.

    :class:`~edgekit.errors.EdgeKitError` where a path has no profile, or one of another bundle than it lies in.
    """
    measured = tuple(_measured(path) for path in paths)
    by_engine: dict[str, list[ProfiledModel]] = {}
    for run, _ in measured:
        by_engine.setdefault(run.target.engine, []).append(run)
    tables = {engine: regression(runs, shipped_coefficients(engine)) for engine, runs in by_engine.items()}
    fitted = FittedTables(tables, measured, out)
    if out:
        write_text(out, fitted.text)
    return fitted


def _measured(path: Path) -> tuple[ProfiledModel, Profile]:
    """A profile with the bundle that it lies in."""
    profile = newest(path)
    bundle = open_bundle(path if path.is_dir() else path.resolve().parent.parent)
    if profile.bundle.digest != bundle.digest:
        raise InputError(f"{path} is a profile of another bundle than {bundle.path}", "Measure that one anew.")
    ran, device = profile.bundle, profile.device
    target = replace(bundle.manifest.target, slots=ran.slots, context=ran.context)
    source = (
        f"{ran.model} by {ran.recipe}, {ran.slots} × {ran.context}: "
        f"{device.name}, {device.engine} {device.engine_version}, {profile.measured_at[:10]}"
    )
    recipe = bundle.manifest.recipe
    whole = sum(side.dynamic_bytes for side in profile.memory.sides)
    model = ProfiledModel(
        subject=subject_of(bundle, recipe),
        recipe=recipe,
        target=target,
        components=profile.memory.components,
        whole_bytes=whole,
        source=source,
    )
    return model, profile
