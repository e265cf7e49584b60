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
from edgekit.engines.lock import Form, forms
from edgekit.engines.tensorrt.doubts import doubts
from edgekit.engines.tensorrt.plans import records
from edgekit.errors import ConfigError
from edgekit.profile import bandwidth_shares
from edgekit.profile.record import Device, Profile
from edgekit.profile.store import profiles
from edgekit.report.runs import Report, Run, Speed, beside_fp16


def report(sources: Sequence[Path]) -> Report:
    """The runs of bundles, and of reports that were made of bundles before; what is the same is there once.

    :class:`~edgekit.errors.EdgeKitError` where a source is neither, or a bundle that never ran and has no plans.
    """
    found: list[Run] = []
    for run in (replace(run, beside_fp16=None) for source in sources for run in _runs(source)):
        if run not in found:
            found.append(run)
    return Report(tuple(replace(run, beside_fp16=beside_fp16(run, found)) for run in found))


def _runs(source: Path) -> Iterable[Run]:
    if not source.is_dir():
        return config.load_json(source, Report).runs
    bundle = open_bundle(source)
    found = list(_of_bundle(bundle, profiles(source)))
    if not found:
        path = shlex.quote(str(source))
        compiles = f"edgekit compile {path}, or " if bundle.manifest.target.engine == "tensorrt" else ""
        raise ConfigError(f"{source} has no engines of a GPU, nor a profile", f"Run: {compiles}edgekit profile {path}")
    return found


def _of_bundle(bundle: Bundle, made: Sequence[Profile]) -> Iterator[Run]:
    """Each of its plans on each device where they ran, then what ran without; of several profiles the newest."""
    plans = {form.folder.name: form for form in forms(bundle) if form.lock and form.lock.place.engine != "onnxruntime"}
    newest: dict[str, dict[str, Profile]] = {name: {} for name in plans}
    others: dict[tuple[str, str], Profile] = {}
    for one in made:
        name, engine = _device(one.device), f"{one.device.engine} {one.device.engine_version}"
        if one.form in newest:
            newest[one.form].setdefault(name, one)
        else:
            others.setdefault((engine, name), one)
    for name, form in plans.items():
        yield from _of_plans(bundle, form, newest[name])
    for (engine, device), one in others.items():
        yield replace(_run(bundle, engine, device), speed=_speed(bundle, one))


def _of_plans(bundle: Bundle, form: Form, made: dict[str, Profile]) -> Iterator[Run]:
    assert form.lock, "plans without a lock are no engine's"
    place, verdict = form.lock.place, verdict_of(form.folder)
    ahead = f"any GPU of compute capability {place.compute_capability}"
    asked = verdict.place.device if verdict else ""
    run = replace(_run(bundle, f"{place.engine} {place.version}", ""), place=place, misfit=form.misfit)
    try:
        run = _built(bundle, form.folder, run)
    except ConfigError as error:
        run = replace(run, doubts=(error.message,))
    for name in dict.fromkeys([*made, *filter(None, [asked])]) or [place.device or ahead]:
        speed = _speed(bundle, made[name]) if name in made else None
        yield replace(run, device=name, check=verdict if name == asked else None, speed=speed)


def _built(bundle: Bundle, folder: Path, run: Run) -> Run:
    spec, plans = bundle.manifest.spec, records(folder)
    size = sum(prod(shape) for name, shape in decoder_shapes(spec.decoder) if name != "decoder.embedding.weight")
    odd = doubts(bundle.path / "graphs", spec, plans)
    return replace(run, plans=plans, width=plans["decoder"].bytes / size, doubts=odd)


def _run(bundle: Bundle, engine: str, device: str) -> Run:
    manifest, path = bundle.manifest, str(bundle.path.absolute())
    recipe = manifest.recipe
    return Run(path, manifest.source, recipe.name, recipe.decoder, manifest.target.name, engine, device)


def _speed(bundle: Bundle, made: Profile) -> Speed:
    return Speed(
        made.made,
        made.device,
        made.slots,
        made.context,
        made.times,
        made.rows,
        bandwidth_shares(made, bundle.manifest.target),
        made.sides[0],
        made.load_cold_s if made.load_cold_s is not None else made.load_warm_s.median,
        made.after,
    )


def _device(device: Device) -> str:
    return device.gpu or device.cpu
