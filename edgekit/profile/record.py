"""What was measured of a bundle on a device: one JSON file in the bundle's ``profiles`` folder.

Everything is as it was measured; what a budget or a plan says to it is judged anew whenever it is read
(:mod:`edgekit.profile.judge`), so that a site may change its mind about limits without measuring again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from edgekit import config
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition

FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A spread says how several measurements of one thing lie; all 0 where ``count`` is 0."""

    count: int
    least: float
    median: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Count percentiles by the nearest rank: each is a value that was measured."""
        if not values:
            return cls(count=0, least=0.0, median=0.0, p95=0.0, p99=0.0, most=0.0)
        ordered = sorted(values)

        def rank(share: float) -> float:
            return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

        return cls(
            count=len(ordered), least=ordered[0], median=rank(0.5), p95=rank(0.95), p99=rank(0.99), most=ordered[-1]
        )


@dataclass(frozen=True, kw_only=True)
class ProfiledDevice:
    """A device was measured on; its fingerprint has what decides whether figures are still those of a machine.

    - ``engine``, ``engine_version``: what answered; ``memory_bytes``: the machine's, or its control group's limit.
    - ``arch``, ``cpu``, ``cores``, ``features``: its processor's; ``l4t``: a Jetson's release, "" elsewhere.
    - ``gpu``, ``compute_capability``, ``driver``: its GPU's; "" where none computed.
    """

    engine: str
    engine_version: str
    arch: str
    cpu: str
    cores: int
    features: tuple[str, ...]
    memory_bytes: int
    gpu: str = ""
    compute_capability: str = ""
    driver: str = ""
    l4t: str = ""

    @property
    def name(self) -> str:
        """Its GPU's, or its processor's."""
        return self.gpu or self.cpu

    @property
    def fingerprint(self) -> str:
        """Equal where nothing differs that figures hang on."""
        return hashlib.sha256(json.dumps(config.dump(self)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SideMemory:
    """A side is one memory ("memory" where CPU and GPU share it, else "device" and "host"), in bytes.

    ``static_bytes``: after loading, before the first request: the process's own pages, and mapped weights in full, read
    or not, since answers read them all. ``dynamic_bytes``: the peak of the whole run. ``mean_peak_bytes``: the mean
    over questions of each one's peak, as the literature gives it. ``peak_source`` says who counted the peaks.
    """

    name: str
    static_bytes: int
    dynamic_bytes: int
    mean_peak_bytes: int
    peak_source: str


@dataclass(frozen=True, kw_only=True)
class Times:
    """Times are milliseconds. ``encode_ms``: a picture through tower and projector. ``first_token_ms``: a question
    about a new picture, alone. ``inter_token_ms``: between two tokens of an answer, alone. ``second_turn_ms``: to the
    first token of a conversation's next answer. ``together_ms``: several questions about one picture, asked at once,
    until all are answered; ``together`` is how many."""

    encode_ms: Spread
    first_token_ms: Spread
    inter_token_ms: Spread
    second_turn_ms: Spread
    together_ms: Spread
    together: int


@dataclass(frozen=True)
class RowRate:
    """A rate counts tokens per second of ``rows`` answers that decode together, all rows added up."""

    rows: int
    tokens_per_s: Spread


@dataclass(frozen=True)
class Moment:
    """A moment is memory at one time, for the picture; ``phase`` begins at the first moment that names it."""

    phase: str
    seconds: float
    own_bytes: int
    mapped_bytes: int
    device_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class ProfiledBundle:
    """A profiled bundle says what was measured: a bundle as it ran.

    - ``digest``: the bundle's, by which it is told from any other.
    - ``model``, ``recipe``, ``target``: their names.
    - ``slots``, ``context``: how many conversations of how many tokens were held, which need not be the target's.
    - ``compiled``, ``form``: whether a compiled form ran, and its fingerprint; "" for none.
    """

    digest: str
    model: str
    recipe: str
    target: str
    slots: int
    context: int
    compiled: bool
    form: str = ""


@dataclass(frozen=True, kw_only=True)
class ProfiledMemory:
    """A profile's memory is what the bundle took, in bytes.

    - ``sides``: each memory, the one that decides first.
    - ``share_bytes``: the process's proportional share (PSS) after loading.
    - ``library_bytes``: of libraries in its RAM at the end, not in ``sides`` (:mod:`edgekit.machine.memory` says why).
    - ``weights``: counted in the bundle's own files, by component.
    - ``components``: measured, named as in the plan where it has such a component.
    - ``growth_bytes``: how much of the process's own memory each further question kept.
    - ``cgroup_peak_bytes``: the highest that its control group counted; None where there is none.
    - ``moments``: the course of the run, for the picture.
    """

    sides: tuple[SideMemory, ...]
    share_bytes: int
    library_bytes: int
    weights: dict[str, int]
    components: dict[str, int]
    growth_bytes: float
    cgroup_peak_bytes: int | None
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class PlannedMemory:
    """A plan expected so many bytes: of each component, after loading, at the peak, and what a service adds."""

    components: dict[str, int]
    static_bytes: int
    dynamic_bytes: int
    service_bytes: int


@dataclass(frozen=True)
class ProfiledSpeed:
    """A profile's speed has the seconds that opening takes, of which ``load_cold_s`` is None where pages could not be
    dropped; times of questions, and rates of rows that decode together."""

    load_warm_s: Spread
    load_cold_s: float | None
    times: Times
    rows: tuple[RowRate, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile is a bundle measured on a device.

    - ``format``: of its file; ``edgekit``: the version that measured; ``measured_at``: an ISO 8601 time in UTC.
    - ``bundle``, ``device``: what was measured, and where; ``before``, ``after``: how the device fared.
    - ``memory``, ``planned``, ``speed``: what it took, what the plan expected, and how fast it was.
    - ``disk_bytes``: the most on the device's disk, as a plan counts.

    In its file it is flat: ``FILE_KEYS`` says what stands there under which key.
    """

    format: int
    edgekit: str
    measured_at: str
    bundle: ProfiledBundle
    device: ProfiledDevice
    memory: ProfiledMemory
    planned: PlannedMemory
    speed: ProfiledSpeed
    disk_bytes: int
    before: Condition = field(default_factory=Condition)
    after: Condition = field(default_factory=Condition)

    FILE_KEYS: ClassVar[Mapping[str, str]] = {
        **{name: name for name in ("format", "edgekit")},
        "made": "measured_at",
        **{name: f"bundle.{name}" for name in ("digest", "model", "recipe", "target", "slots", "context", "compiled")},
        "device": "device",
        **{name: f"memory.{name}" for name in ("sides", "share_bytes", "library_bytes", "weights", "components")},
        "planned": "planned.components",
        **{f"planned_{name}": f"planned.{name}" for name in ("static_bytes", "dynamic_bytes", "service_bytes")},
        "growth_bytes": "memory.growth_bytes",
        **{name: f"speed.{name}" for name in ("load_warm_s", "load_cold_s", "times", "rows")},
        "disk_bytes": "disk_bytes",
        "cgroup_peak_bytes": "memory.cgroup_peak_bytes",
        **{name: name for name in ("before", "after")},
        "form": "bundle.form",
        "moments": "memory.moments",
    }

    def __post_init__(self) -> None:
        if not self.memory.sides or not self.speed.rows:
            raise ConfigError("a profile without memory or without speed tells nothing", "Profile the bundle again.")

    @property
    def static_bytes(self) -> int:
        """After loading, of the side that decides: the device's own memory, or the memory that all share."""
        return self.memory.sides[0].static_bytes

    @property
    def dynamic_bytes(self) -> int:
        """At the peak, counted as ``static_bytes``."""
        return self.memory.sides[0].dynamic_bytes

    @property
    def load_s(self) -> float:
        """From the disk, where that could be measured."""
        speed = self.speed
        return speed.load_cold_s if speed.load_cold_s is not None else speed.load_warm_s.median

    @property
    def tokens_per_s(self) -> float:
        """The median rate of one answer alone."""
        return self.speed.rows[0].tokens_per_s.median
