"""Runs, recipes beside each other: a bundle by one engine on one device, with TensorRT's plans, how they answered there
and a profile, as far as there are any.

A report is the JSON that ``edgekit report engines --json`` prints: a device's can be read elsewhere, without its
bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from edgekit.check.verdict import Verdict
from edgekit.engines.place import Place
from edgekit.engines.tensorrt.build.plans import Record
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition
from edgekit.profile.record import Device, RowRate, SideMemory, Times

_REFERENCE = "fp16"
_CUDA = 'engine = "onnxruntime-cuda"'


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

    def __post_init__(self) -> None:
        if not self.rows or len(self.rows) != len(self.shares):
            raise ConfigError("a speed has no rows, or not a share for each", "Write the report on the device again.")

    @property
    def machine(self) -> str:
        """Equal on one machine, whatever of its memory a container or a service was given."""
        return replace(self.device, memory_bytes=0).fingerprint

    @property
    def alone(self) -> float:
        """Tokens per second of one row."""
        return self.rows[0].tokens_per_s.median


@dataclass(frozen=True)
class Run:
    """``told_by``: the machine that told it, where ``bundle`` is a path. ``decoder``: its precision. ``device``: its
    name, or for which plans were built ahead. ``plans`` are {} where no TensorRT runs it, else bound to ``place``;
    ``misfit``: why the machine that told this would not use them; ``width``: the decoder's plan by parameters, in
    bytes. ``check`` is what the plans' answers came to on the device, None where they were not asked. ``beside_fp16``:
    the speed of one row beside that of the same model by fp16, with the same engine and on the very same device."""

    bundle: str
    model: str
    recipe: str
    decoder: str
    target: str
    engine: str
    device: str
    told_by: str = ""
    place: Place | None = None
    misfit: str = ""
    plans: dict[str, Record] = field(default_factory=dict)
    width: float | None = None
    doubts: tuple[str, ...] = ()
    check: Verdict | None = None
    speed: Speed | None = None
    beside_fp16: float | None = None


@dataclass(frozen=True)
class Report:
    """Runs of any devices."""

    runs: tuple[Run, ...]


def last(runs: Iterable[Run]) -> list[Run]:
    """Of those of one bundle and engine on one machine the one that was measured last, or told last."""
    found: dict[tuple[object, ...], dict[str, Run]] = {}
    for run in runs:
        of = found.setdefault((run.told_by, run.bundle, run.place, run.engine, run.device), {})
        machine = run.speed.machine if run.speed else ""
        if machine not in of or _made(of[machine]) <= _made(run):
            of[machine] = run
    return [run for of in found.values() for machine, run in of.items() if machine or len(of) == 1]


def _made(run: Run) -> str:
    return run.speed.made if run.speed else ""


def beside_fp16(run: Run, runs: Sequence[Run]) -> float | None:
    """The speed of one row beside that of the newest of ``runs`` by fp16 that is like it; None where there is none."""
    like = [one for one in _like(run, runs) if one.recipe == _REFERENCE]
    if run.speed is None or run.recipe == _REFERENCE or not like:
        return None
    reference = max(like, key=_made)
    return run.speed.alone / reference.speed.alone if reference.speed and reference.speed.alone else None


def slow(runs: Sequence[Run]) -> Iterator[tuple[Run, str]]:
    """Those whose decoder's narrow weights made it no faster than fp16, each with a sentence that says so and what to
    do."""
    for run in runs:
        if run.beside_fp16 is None or run.beside_fp16 >= 1 or run.decoder not in ("int4", "int8"):
            continue
        newest = sorted(_like(run, runs), key=lambda one: (one is run, _made(one)))
        known = {one.recipe: one.speed.alone for one in newest if one.speed}
        fastest = max(known, key=lambda name: known[name])
        better = f"Of {', '.join(sorted(known))} the fastest is {fastest}"
        if run.decoder == "int4" and "q8" not in known:
            better += "; measure --recipe q8 as well"
        if run.plans and run.place and run.place.arch == "x86_64":
            better += f"; ONNX Runtime has kernels of its own ({_CUDA} in a copy of the target's file)"
        said = (
            f"by {run.recipe} it decodes no faster than by {_REFERENCE} ({run.beside_fp16:.2f} times): {run.engine} "
            f"multiplies {run.decoder} weights slowly there. {better}."
        )
        yield run, said


def _like(run: Run, runs: Sequence[Run]) -> list[Run]:
    """Measured runs of the same model, by the same engine on the very same device; ``run`` itself is one."""
    return [
        one
        for one in runs
        if run.speed
        and one.speed
        and (one.model, one.engine) == (run.model, run.engine)
        and one.speed.machine == run.speed.machine
    ]
