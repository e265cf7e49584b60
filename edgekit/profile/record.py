"""What was measured of a bundle on a device: one JSON file in the bundle's ``profiles`` folder.

Everything is as it was measured; what a budget or a plan says to it is judged anew whenever it is read
(:mod:`edgekit.profile.judge`), so that a site may change its mind about limits without measuring again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgekit import config
from edgekit.errors import ConfigError
from edgekit.machine.condition import Condition

FORMAT = 2


@dataclass(frozen=True)
class Spread:
    """How several measurements of one thing are spread; all 0 where ``count`` is 0."""

    count: int
    least: float
    median: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Percentiles by the nearest rank: each is a value that was measured."""
        if not values:
            return cls(0, 0.0, 0.0, 0.0, 0.0, 0.0)
        ordered = sorted(values)

        def rank(share: float) -> float:
            return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

        return cls(len(ordered), ordered[0], rank(0.5), rank(0.95), rank(0.99), ordered[-1])


@dataclass(frozen=True)
class Device:
    """Where it was measured. What decides whether figures are still those of a machine is in its fingerprint."""

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
    """One memory ("memory" where CPU and GPU share it, else "device" and "host"), in bytes.

    ``static_bytes``: after loading, before the first request: the process's own pages, and mapped weights in full, read
    or not, since answers read them all. ``dynamic_bytes``: the peak of the whole run. ``mean_peak_bytes``: the mean
    over questions of each one's peak, as the literature gives it. ``peak_source`` says who counted the peaks.
    """

    name: str
    static_bytes: int
    dynamic_bytes: int
    mean_peak_bytes: int
    peak_source: str


@dataclass(frozen=True)
class Times:
    """Milliseconds, and answers per second where said.

    ``encode_ms``: a picture through tower and projector. ``first_token_ms``: a question about a new picture, alone.
    ``inter_token_ms``: between two tokens of an answer, alone. ``second_turn_ms``: to the first token of a
    conversation's next answer. ``together_ms``: several questions about one picture, asked at once, until all are
    answered; ``together`` is how many.
    """

    encode_ms: Spread
    first_token_ms: Spread
    inter_token_ms: Spread
    second_turn_ms: Spread
    together_ms: Spread
    together: int


@dataclass(frozen=True)
class RowRate:
    """Tokens per second of ``rows`` answers that decode together, all rows added up."""

    rows: int
    tokens_per_s: Spread


@dataclass(frozen=True)
class Moment:
    """Memory at one time of the run, for the picture; ``phase`` begins at the first moment that names it."""

    phase: str
    seconds: float
    own_bytes: int
    mapped_bytes: int
    device_bytes: int = 0


@dataclass(frozen=True)
class Profile:
    """A bundle on a device. ``digest`` is the bundle's, ``made`` an ISO 8601 time in UTC.

    ``slots``, ``context``, ``target`` and ``recipe`` are those that were measured. ``share_bytes`` is the process's
    proportional share (PSS) after loading. ``library_bytes`` are pages of libraries in its RAM at the end, beside what
    the sides count (:mod:`edgekit.machine.memory` says why). ``weights`` are bytes counted
    in the bundle's own files, by component; ``components`` bytes measured, named as in the plan where it has such a
    component. ``planned`` are the plan's components. ``growth_bytes`` is how much of the process's own memory each
    further question kept. ``load_cold_s`` is None where pages could not be dropped. ``disk_bytes``: the most on the
    device's disk, as a plan counts. ``form``: the fingerprint of the compiled form that ran, "" for none.
    """

    format: int
    edgekit: str
    made: str
    digest: str
    model: str
    recipe: str
    target: str
    slots: int
    context: int
    compiled: bool
    device: Device
    sides: tuple[SideMemory, ...]
    share_bytes: int
    library_bytes: int
    weights: dict[str, int]
    components: dict[str, int]
    planned: dict[str, int]
    planned_static_bytes: int
    planned_dynamic_bytes: int
    planned_service_bytes: int
    growth_bytes: float
    load_warm_s: Spread
    load_cold_s: float | None
    times: Times
    rows: tuple[RowRate, ...]
    disk_bytes: int
    cgroup_peak_bytes: int | None
    before: Condition = field(default_factory=Condition)
    after: Condition = field(default_factory=Condition)
    form: str = ""
    moments: tuple[Moment, ...] = ()

    def __post_init__(self) -> None:
        if not self.sides or not self.rows:
            raise ConfigError("a profile without memory or without speed tells nothing", "Profile the bundle again.")

    @property
    def static_bytes(self) -> int:
        """After loading, of the side that decides: the device's own memory, or the memory that all share."""
        return self.sides[0].static_bytes

    @property
    def dynamic_bytes(self) -> int:
        """At the peak, counted as ``static_bytes``."""
        return self.sides[0].dynamic_bytes

    @property
    def load_s(self) -> float:
        """From the disk, where that could be measured."""
        return self.load_cold_s if self.load_cold_s is not None else self.load_warm_s.median

    @property
    def tokens_per_s(self) -> float:
        """The median rate of one answer alone."""
        return self.rows[0].tokens_per_s.median
