"""What engines are and do: how plans were built, how they answered, and how fast they were, recipes beside each other.

A run is a bundle by one engine on one device: TensorRT's plans for it, or a profile of it, or both. A report is the
JSON that ``edgekit report engines --json`` prints; a device's can be read elsewhere, without its bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

from edgekit import config
from edgekit.bundle import Bundle, open_bundle
from edgekit.check.verdict import Verdict, verdict_of
from edgekit.checkpoint.shapes import decoder_shapes
from edgekit.engines.lock import forms
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.doubts import doubts
from edgekit.engines.tensorrt.plans import Record, records
from edgekit.errors import ConfigError
from edgekit.profile import bandwidth_shares
from edgekit.profile.record import Condition, Device, Profile, RowRate, SideMemory, Times
from edgekit.profile.store import profiles

_REFERENCE = "fp16"


@dataclass(frozen=True)
class Speed:
    """Of a profile, which was made at ``made`` on ``device``. ``shares``: of the memory's bandwidth, for each of
    ``rows``. ``memory`` is the device's, where it has its own; ``after``: how the device fared at the end."""

    made: str
    device: Device
    slots: int
    context: int
    times: Times
    rows: tuple[RowRate, ...]
    shares: tuple[float, ...]
    memory: SideMemory
    load_s: float
    after: Condition


@dataclass(frozen=True)
class Run:
    """``device``: its name, or for which plans were built ahead. ``plans`` are {} where no TensorRT runs it, else bound
    to ``place``; ``width``: the decoder's plan by parameters, in bytes. ``check`` is what the plans' answers came to on
    the GPU; None where they were not asked. ``beside_fp16``: the speed of one row, beside that of the same model by
    fp16, with the same engine and device."""

    bundle: str
    model: str
    recipe: str
    target: str
    engine: str
    device: str
    place: Place | None = None
    plans: dict[str, Record] = field(default_factory=dict)
    width: float | None = None
    doubts: tuple[str, ...] = ()
    check: Verdict | None = None
    speed: Speed | None = None
    beside_fp16: float | None = None

    @property
    def slow(self) -> str:
        """Where narrow weights made it no faster, a sentence that says so and what would; else ""."""
        if self.beside_fp16 is None or self.beside_fp16 >= 1:
            return ""
        other = "q8" if self.recipe != "q8" else _REFERENCE
        cuda = ', or for a copy of the target\'s file that says engine = "onnxruntime-cuda"' if self.plans else ""
        return (
            f"by {self.recipe} it decodes no faster than by {_REFERENCE} ({self.beside_fp16:.2f} times): {self.engine} "
            f"multiplies such weights slowly there. Build it with --recipe {other}{cuda}."
        )


@dataclass(frozen=True)
class Report:
    """Runs of any devices."""

    runs: tuple[Run, ...]


def report(sources: Sequence[Path]) -> Report:
    """The runs of bundles, and of reports that were made of bundles before.

    :class:`~edgekit.errors.EdgeKitError` where a source is neither, or a bundle that never ran and has no plans.
    """
    found: dict[tuple[str, ...], Run] = {}
    for source in sources:
        for run in _runs(source):
            found[run.bundle, run.model, run.recipe, run.engine, run.device] = run
    return Report(tuple(_compared(found.values())))


def _runs(source: Path) -> Iterable[Run]:
    if not source.is_dir():
        return config.load_json(source, Report).runs
    bundle = open_bundle(source)
    found = list(_of_plans(bundle, profiles(source)))
    if not found:
        raise ConfigError(
            f"{source} has neither engines nor a profile", f"Run: edgekit compile {source}, or edgekit profile {source}"
        )
    return found


def _of_plans(bundle: Bundle, made: Sequence[Profile]) -> Iterator[Run]:
    """Those with plans, each with the newest profile of it; then other engines' and devices' newest profiles."""
    spec, left = bundle.manifest.spec, list(made)
    size = sum(prod(shape) for name, shape in decoder_shapes(spec.decoder) if name != "decoder.embedding.weight")
    for form in forms(bundle):
        if form.lock is None or not form.lock.place.engine.startswith("tensorrt"):
            continue
        place, plans = form.lock.place, records(form.folder)
        own = [one for one in left if _ran(one.device, place)]
        left = [one for one in left if one not in own]
        yield replace(
            _run(bundle, f"{place.engine} {place.version}", _named(place), next(iter(own), None)),
            place=place,
            plans=plans,
            width=plans["decoder"].bytes / size,
            doubts=doubts(bundle.path / "graphs", spec, plans),
            check=verdict_of(form.folder),
        )
    newest = {one.device.fingerprint: one for one in reversed(left)}
    for one in newest.values():
        engine = f"{one.device.engine} {one.device.engine_version}"
        yield _run(bundle, engine, one.device.gpu or one.device.cpu, one)


def _run(bundle: Bundle, engine: str, device: str, made: Profile | None) -> Run:
    manifest = bundle.manifest
    run = Run(str(bundle.path), manifest.source, manifest.recipe.name, manifest.target.name, engine, device)
    if made is None:
        return run
    speed = Speed(
        made.made,
        made.device,
        made.slots,
        made.context,
        made.times,
        made.rows,
        bandwidth_shares(made, manifest.target),
        made.sides[0],
        made.load_cold_s if made.load_cold_s is not None else made.load_warm_s.median,
        made.after,
    )
    return replace(run, speed=speed)


def _ran(device: Device, place: Place) -> bool:
    """Whether a profile of ``device`` is of the plans for ``place``: what that leaves empty may be anything."""
    engines = device.engine_version.split(", ") if device.engine == "tensorrt" else ()
    return f"{place.engine} {place.version}" in engines and all(
        theirs in ("", ours)
        for theirs, ours in (
            (place.device, device.gpu),
            (place.compute_capability, device.compute_capability),
            (place.driver, device.driver),
            (place.l4t, device.l4t),
        )
    )


def _named(place: Place) -> str:
    return place.device or f"any GPU of compute capability {place.compute_capability}"


def _compared(runs: Iterable[Run]) -> Iterator[Run]:
    every = list(runs)
    reference = {
        (one.model, one.engine, one.device): _alone(one.speed)
        for one in every
        if one.recipe == _REFERENCE and one.speed is not None
    }
    for one in every:
        known = reference.get((one.model, one.engine, one.device))
        beside = None
        if known and one.speed is not None and one.recipe != _REFERENCE:
            beside = _alone(one.speed) / known
        yield replace(one, beside_fp16=beside)


def _alone(speed: Speed) -> float:
    return speed.rows[0].tokens_per_s.median
