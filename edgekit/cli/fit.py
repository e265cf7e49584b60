"""``edgekit plan --fit``: a table of coefficients from profiles, and what plans say by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.console import Console
from edgekit.units import format_bytes

if TYPE_CHECKING:
    from edgekit.engines.coefficients import Coefficients
    from edgekit.plan.fit import Measured
    from edgekit.profile.record import Profile


def fit_profiles(console: Console, paths: Sequence[Path], out: Path | None) -> None:
    """Fit the profiles at ``paths`` (files, or bundles that stand for their newest), an engine's table each."""
    from edgekit.engines.coefficients import shipped_coefficients
    from edgekit.files import write_text
    from edgekit.plan.fit import fit, table_text

    if not paths:
        raise click.UsageError("--fit takes profiles: BUNDLE/profiles/*.json, or bundles that have some")
    found = [_measured(path) for path in paths]
    by_engine: dict[str, list[Measured]] = {}
    for one, _ in found:
        by_engine.setdefault(one.target.engine, []).append(one)
    tables = {engine: fit(rows, shipped_coefficients(engine)) for engine, rows in by_engine.items()}
    text = table_text(tables)
    if out:
        write_text(out, text)
    console.document({"engines": tables, "out": str(out) if out else None})
    if not out:
        console.print(text)  # alone on stdout, so that it can be sent to a file
        return
    _show(console, found, tables)


def _measured(path: Path) -> tuple[Measured, Profile]:
    """A profile with the bundle that it lies in."""
    from edgekit.bundle import open_bundle
    from edgekit.errors import InputError
    from edgekit.plan.fit import Measured
    from edgekit.plan.subject import subject
    from edgekit.profile.store import newest

    made = newest(path)
    bundle = open_bundle(path if path.is_dir() else path.resolve().parent.parent)
    if made.bundle.digest != bundle.digest:
        raise InputError(f"{path} is a profile of another bundle than {bundle.path}", "Measure that one anew.")
    target = replace(bundle.manifest.target, slots=made.bundle.slots, context=made.bundle.context)
    what = f"{made.bundle.model} by {made.bundle.recipe}, {made.bundle.slots} × {made.bundle.context}"
    where = f"{made.device.name}, {made.device.engine} {made.device.engine_version}, {made.measured_at[:10]}"
    known = subject(bundle, bundle.manifest.recipe)
    whole = sum(side.dynamic_bytes for side in made.memory.sides)
    return Measured(known, bundle.manifest.recipe, target, made.memory.components, whole, f"{what}: {where}"), made


def _show(console: Console, found: Sequence[tuple[Measured, Profile]], tables: dict[str, Coefficients]) -> None:
    """What was planned, what is planned now, and what was measured."""
    from edgekit.plan.planning import plan_subject

    rows = []
    for one, made in found:
        planned = plan_subject(one.known, one.target, one.recipe, tables[one.target.engine])
        for name, old, new, measured in (
            ("static", made.planned.static_bytes, planned.static_bytes, made.static_bytes),
            ("dynamic", made.planned.dynamic_bytes, planned.dynamic_bytes, made.dynamic_bytes),
        ):
            shares = [f"{format_bytes(size)} ({100 * (size / measured - 1):+.1f} %)" for size in (old, new)]
            rows.append((f"{made.bundle.model} {made.bundle.recipe}", name, *shares, format_bytes(measured)))
    columns = ("", "", "planned", "planned now", "measured")
    console.table(columns, rows, right=columns[2:])
