"""What a target's budget says to a profile, and what the profile says to the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edgekit.profile.components import ENGINE
from edgekit.profile.record import Profile
from edgekit.target import Target

Unit = Literal["bytes", "ms", "tokens/s", "s"]


@dataclass(frozen=True)
class Row:
    """A row is one limit of a budget, None where the target sets none; with ``least``, more must be measured."""

    name: str
    measured: float
    limit: float | None
    unit: Unit
    least: bool = False

    @property
    def passed(self) -> bool:
        if self.limit is None:
            return True
        return self.measured >= self.limit if self.least else self.measured <= self.limit

    @property
    def missed_by(self) -> float:
        """How far the wrong side of the limit; 0 where passed."""
        return 0.0 if self.passed or self.limit is None else abs(self.measured - self.limit)


@dataclass(frozen=True)
class Compared:
    """A comparison has a planned number of bytes and the measured one."""

    name: str
    planned: int
    measured: int

    @property
    def error(self) -> float:
        """Planned too much is above 0, as a share of what was measured."""
        return (self.planned - self.measured) / self.measured if self.measured else 0.0


def judge(profile: Profile, target: Target) -> tuple[Row, ...]:
    """Hold every figure that a budget may limit against its limit.

    Memory has a limit always: what the device has, less what it reserves. "Memory over time" is the
    measured peak and, from the plan, the pictures that a service remembers.
    """
    budget = target.budget
    device = target.memory_bytes or profile.device.memory_bytes
    available = max(0, device - target.reserved_bytes)
    most = min(available, budget.memory_bytes) if budget.memory_bytes is not None else available
    load = "load, cold" if profile.speed.load_cold_s is not None else "load, warm"
    return (
        Row("static memory", profile.static_bytes, budget.static_bytes, "bytes"),
        Row("dynamic memory", profile.dynamic_bytes, budget.dynamic_bytes, "bytes"),
        Row("memory over time", profile.dynamic_bytes + profile.planned.service_bytes, most, "bytes"),
        Row("first token", profile.speed.times.first_token_ms.median, budget.first_token_ms, "ms"),
        Row("speed", profile.tokens_per_s, budget.tokens_per_s, "tokens/s", least=True),
        Row(load, profile.load_s, budget.load_s, "s"),
        Row("disk", profile.disk_bytes, budget.disk_bytes, "bytes"),
    )


def bandwidth_shares(profile: Profile, target: Target) -> tuple[float, ...]:
    """Return, for each count of rows, what its steps read of weights in a second, as a share of memory's bandwidth.

    A step reads decoder and head once for all of its rows, which bounds its speed on every device that there is.
    Keys and values come on top and are not counted.
    """
    step = profile.memory.weights.get("decoder", 0) + profile.memory.weights.get("lm_head", 0)
    return tuple(rate.tokens_per_s.median / rate.rows * step / target.bandwidth for rate in profile.speed.rows)


def against_plan(profile: Profile) -> tuple[Compared, ...]:
    """Return the plan's components beside the measured ones, and both sums; what a plan has no word for is left out."""
    return tuple(_compared(profile))


def _compared(profile: Profile) -> Iterator[Compared]:
    planned = dict(profile.planned.components)
    planned["engine"] = sum(planned.pop(name, 0) for name in ENGINE)
    for name, measured in profile.memory.components.items():
        if name in planned:
            yield Compared(name, planned[name], measured)
    yield Compared("static", profile.planned.static_bytes, profile.static_bytes)
    yield Compared("dynamic", profile.planned.dynamic_bytes, profile.dynamic_bytes)
