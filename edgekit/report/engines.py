"""The runs of bundles: their plans, verdicts and profiles put together; and those of reports that were made before."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

from edgekit import config
from edgekit.bundle import Bundle, open_bundle
from edgekit.check.verdict import verdict_of
from edgekit.checkpoint.shapes import decoder_shapes
from edgekit.engines.backend import backend_for
from edgekit.engines.lock import Form, forms
from edgekit.errors import ConfigError
from edgekit.machine.pseudonym import pseudonym
from edgekit.plan.doubts import doubts
from edgekit.profile import bandwidth_shares
from edgekit.profile.record import Profile
from edgekit.profile.store import profiles
from edgekit.report.runs import EnginesReport, Run, Speed, beside_fp16, last


def report(sources: Sequence[Path]) -> EnginesReport:
    """Gather the runs of bundles, and of reports that were made of bundles before; each once, as it was last measured.

    :class:`~edgekit.errors.EdgeKitError` where a source is neither, or a bundle that never ran and has no plans.
    """
    runs = last(run for source in sources for run in _runs(source))
    return EnginesReport(tuple(replace(run, beside_fp16=beside_fp16(run, runs)) for run in runs))


def _runs(source: Path) -> Iterable[Run]:
    if not source.is_dir():
        return config.load_json(source, EnginesReport).runs
    bundle = open_bundle(source)
    runs = list(_of_bundle(bundle, profiles(source)))
    if not runs:
        path = shlex.quote(str(source))
        compiles = f"edgekit compile {path}, or " if bundle.manifest.target.kind.needs_plans else ""
        raise ConfigError(f"{source} has no engines of a GPU, nor a profile", f"Run: {compiles}edgekit profile {path}")
    return runs


def _of_bundle(bundle: Bundle, recorded: Sequence[Profile]) -> Iterator[Run]:
    """Each of its plans with each profile of them, then what was profiled without."""
    plans = {form.folder.name: form for form in (forms(bundle) if bundle.manifest.target.kind.needs_plans else [])}
    for name, form in plans.items():
        yield from _of_plans(bundle, form, [profile for profile in recorded if profile.bundle.form == name])
    for profile in recorded:
        if profile.bundle.form not in plans:
            yield _of_profile(bundle, profile)


def _of_plans(bundle: Bundle, form: Form, recorded: Sequence[Profile]) -> Iterator[Run]:
    if form.lock is None:
        for profile in recorded:
            yield replace(_of_profile(bundle, profile), doubts=(form.misfit,))
        if not recorded:
            yield replace(_run(bundle, "unknown", "a device that is not known"), doubts=(form.misfit,))
        return
    place, verdict = form.lock.place, verdict_of(form.folder)
    run = replace(_run(bundle, f"{place.engine} {place.version}", ""), place=place, misfit=form.misfit)
    run = _built(bundle, form.folder, run)
    asked = verdict.place.device if verdict else ""
    for profile in recorded:
        name = profile.device.name
        yield replace(run, device=name, check=verdict if name == asked else None, speed=_speed(bundle, profile))
    if asked not in [profile.device.name for profile in recorded]:
        ahead = f"any GPU of compute capability {place.compute_capability}"
        if asked or not recorded:
            yield replace(run, device=asked or place.device or ahead, check=verdict)


def _built(bundle: Bundle, folder: Path, run: Run) -> Run:
    """With what building took, as far as that can be read, and doubted."""
    shapes = decoder_shapes(bundle.manifest.spec.decoder)
    size = sum(prod(shape) for name, shape in shapes if name != "decoder.embedding.weight")
    try:
        plans = backend_for(bundle).records(folder)
        run = replace(run, plans=plans, width=plans["decoder"].bytes / size)
        return replace(run, doubts=doubts(bundle, plans))
    except ConfigError as error:
        return replace(run, doubts=(error.message,))


def _of_profile(bundle: Bundle, profile: Profile) -> Run:
    engine = f"{profile.device.engine} {profile.device.engine_version}"
    return replace(_run(bundle, engine, profile.device.name), speed=_speed(bundle, profile))


def _run(bundle: Bundle, engine: str, device: str) -> Run:
    manifest, path = bundle.manifest, str(bundle.path.absolute())
    recipe = manifest.recipe
    target = manifest.target.name
    return Run(
        bundle=path,
        model=manifest.source,
        recipe=recipe.name,
        decoder=recipe.decoder,
        target=target,
        engine=engine,
        device=device,
        told_by=pseudonym(),
    )


def _speed(bundle: Bundle, profile: Profile) -> Speed:
    return Speed(
        measured_at=profile.measured_at,
        device=profile.device,
        slots=profile.bundle.slots,
        context=profile.bundle.context,
        times=profile.speed.times,
        rows=profile.speed.rows,
        shares=bandwidth_shares(profile, bundle.manifest.target),
        memory=profile.memory.sides[0],
        load_s=profile.load_s,
        after=profile.after,
    )
