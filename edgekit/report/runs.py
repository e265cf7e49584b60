"""Runs, recipes beside each other: a bundle by one engine on one device, with TensorRT's plans, how they answered there
and a profile, as far as there are any.

A report is the JSON that ``edgekit report engines --json`` prints: a device's can be read elsewhere, without its
bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from edgekit import config
from edgekit.check.verdict import Verdict
from edgekit.engines.backend import PlanRecord
from edgekit.engines.place import Place
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition
from edgekit.profile.record import ProfiledDevice, RowRate, SideMemory, Times

_REFERENCE = "fp16"
_CUDA = 'engine = "onnxruntime-cuda"'


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast a run was, from a profile.

    * ``measured_at``: when it was profiled, and on which ``device``, with how many ``slots`` of what ``context``
    * ``times`` of answers, and the rates of ``rows`` that decode together
    * ``shares`` of the memory's bandwidth, for each of ``rows``
    * ``memory``: the device's, where it has its own
    * ``load_s``: seconds that opening took
    * ``after``: how the device fared at the end
    """

    measured_at: str
    device: ProfiledDevice
    slots: int
    context: int
    times: Times
    rows: tuple[RowRate, ...]
    shares: tuple[float, ...]
    memory: SideMemory
    load_s: float
    after: Condition

    FILE_KEYS: ClassVar[Mapping[str, str]] = {
        "made": "measured_at",
        **{name: name for name in ("device", "slots", "context", "times", "rows", "shares", "memory")},
        **{name: name for name in ("load_s", "after")},
    }

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


@dataclass(frozen=True, kw_only=True)
class Run:
    """A bundle by one engine on one device.

    * ``bundle``: its path on the machine that told it; ``told_by``: which that was (:mod:`~edgekit.machine.pseudonym`)
    * ``model``, ``recipe`` and ``target`` by their names; ``decoder``: its precision
    * ``engine`` and its version; ``device``: its name, or for which plans were built ahead
    * ``plans``: {} where no TensorRT runs it, else bound to ``place``; ``misfit``: why the machine that told this would
      not use them; ``width``: the decoder's plan by parameters, in bytes; ``doubts`` about them, a sentence each
    * ``check``: what the plans' answers came to on the device, None where they were not asked
    * ``speed``, where it was profiled
    * ``beside_fp16``: the speed of one row beside that of the same model by fp16, with the same engine and on the very
      same device
    """

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
    plans: dict[str, PlanRecord] = field(default_factory=dict)
    width: float | None = None
    doubts: tuple[str, ...] = ()
    check: Verdict | None = None
    speed: Speed | None = None
    beside_fp16: float | None = None


@dataclass(frozen=True)
class EnginesReport:
    """Runs of any devices."""

    runs: tuple[Run, ...]

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit report engines --json`` writes, and reads where it is given one."""
        return dict(config.dump(self))


def last(runs: Iterable[Run]) -> list[Run]:
    """Keep of the runs of one bundle and engine on one machine the one that was measured last, or told last."""
    kept: dict[tuple[object, ...], dict[str, Run]] = {}
    for run in runs:
        of = kept.setdefault((run.told_by, run.bundle, run.place, run.engine, run.device), {})
        machine = run.speed.machine if run.speed else ""
        if machine not in of or _measured_at(of[machine]) <= _measured_at(run):
            of[machine] = run
    return [run for of in kept.values() for machine, run in of.items() if machine or len(of) == 1]


def _measured_at(run: Run) -> str:
    return run.speed.measured_at if run.speed else ""


def beside_fp16(run: Run, runs: Sequence[Run]) -> float | None:
    """Return the speed of one row beside that of the newest of ``runs`` by fp16 that is like it; None where there is
    none."""
    like = [other for other in _like(run, runs) if other.recipe == _REFERENCE]
    if run.speed is None or run.recipe == _REFERENCE or not like:
        return None
    reference = max(like, key=_measured_at)
    return run.speed.alone / reference.speed.alone if reference.speed and reference.speed.alone else None


def slow(runs: Sequence[Run]) -> Iterator[tuple[Run, str]]:
    """Yield those whose decoder's narrow weights made it no faster than fp16, each with a sentence that says so and
    what to do."""
    for run in runs:
        if run.beside_fp16 is None or run.beside_fp16 >= 1 or run.decoder not in ("int4", "int8"):
            continue
        newest = sorted(_like(run, runs), key=lambda other: (other is run, _measured_at(other)))
        speeds = {other.recipe: other.speed.alone for other in newest if other.speed}
        fastest = max(speeds, key=lambda name: speeds[name])
        better = f"Of {', '.join(sorted(speeds))} the fastest is {fastest}"
        if run.decoder == "int4" and "q8" not in speeds:
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
        other
        for other in runs
        if run.speed
        and other.speed
        and (other.model, other.engine) == (run.model, run.engine)
        and other.speed.machine == run.speed.machine
    ]
