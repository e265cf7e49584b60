"""What a plan says: components, the sides of memory that hold them, disk, and the peak of making it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import config
from edgekit.plan.building import BuildPeaks
from edgekit.plan.components import Component, SideName, When
from edgekit.plan.disk import Disk
from edgekit.target import Target
from edgekit.units import format_bytes


@dataclass(frozen=True)
class Side:
    """Components that share one memory: a graphics card's, the host's beside it, or everything's where it is one.

    ``available_bytes`` is what the target has less what it reserves; 0 where that isn't known (a card's host).
    """

    name: str
    parts: tuple[Component, ...]
    memory_bytes: int
    reserved_bytes: int

    @property
    def available_bytes(self) -> int:
        return max(0, self.memory_bytes - self.reserved_bytes)

    @property
    def static_bytes(self) -> int:
        """After loading, before the first request."""
        return self._sum("static")

    @property
    def dynamic_bytes(self) -> int:
        """At the peak of answering, in all slots."""
        return self._sum("static", "dynamic")

    @property
    def needed_bytes(self) -> int:
        """The most over a service's life."""
        return self._sum("static", "dynamic", "service")

    @property
    def free_bytes(self) -> int:
        """What stays free of what is available; below zero, what is missing."""
        return self.available_bytes - self.needed_bytes

    @property
    def fits(self) -> bool:
        return not self.memory_bytes or self.free_bytes >= 0

    def document(self) -> dict[str, Any]:
        """Return a side as JSON has it."""
        sized = bool(self.memory_bytes)
        return {
            "fits": self.fits,
            "memory_bytes": self.memory_bytes if sized else None,
            "reserved_bytes": self.reserved_bytes,
            "static_bytes": self.static_bytes,
            "dynamic_bytes": self.dynamic_bytes,
            "needed_bytes": self.needed_bytes,
            "free_bytes": self.free_bytes if sized else None,
            "components": [part.name for part in self.parts],
        }

    def _sum(self, *when: When) -> int:
        return sum(part.bytes for part in self.parts if part.when in when)


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """A model on a target by a recipe, with the target's slots, and the context that the model allows.

    ``sides`` is the side that decides first: the whole memory where it is one, else the device's, then its host's.
    """

    model: str
    target: Target
    recipe: str
    parts: tuple[Component, ...]
    disk: Disk
    building: BuildPeaks

    @property
    def sides(self) -> tuple[Side, ...]:
        have, kept = self.target.memory_bytes, self.target.reserved_bytes
        if self.target.unified:
            return (Side("memory", self.parts, have, kept),)
        return Side("device", self._at("device"), have, kept), Side("host", self._at("host"), 0, 0)

    def _at(self, side: SideName) -> tuple[Component, ...]:
        return tuple(part for part in self.parts if part.side == side)

    @property
    def components(self) -> dict[str, int]:
        return {part.name: part.bytes for part in self.parts}

    @property
    def static_bytes(self) -> int:
        """After loading: of the device, where it has memory of its own (so do budgets and published figures)."""
        return self.sides[0].static_bytes

    @property
    def dynamic_bytes(self) -> int:
        """At the peak of answering, counted as ``static_bytes``."""
        return self.sides[0].dynamic_bytes

    @property
    def available_bytes(self) -> int:
        return self.sides[0].available_bytes

    @property
    def free_bytes(self) -> int:
        return self.sides[0].free_bytes

    @property
    def fits(self) -> bool:
        return all(side.fits for side in self.sides)

    @property
    def over_budget(self) -> tuple[str, ...]:
        """Which limits of the target's budget this is expected to break, a sentence each."""
        budget = self.target.budget
        limits = (
            ("after loading", "static", self.static_bytes, budget.static_bytes),
            ("while answering", "dynamic", self.dynamic_bytes, budget.dynamic_bytes),
            ("at most", "memory", self.sides[0].needed_bytes, budget.memory_bytes),
            ("on the device's disk", "disk", self.disk.device_bytes, budget.disk_bytes),
        )
        return tuple(
            f"{format_bytes(size)} {when} is over {self.target.name}'s {name} budget of {format_bytes(limit)}"
            for when, name, size, limit in limits
            if limit is not None and size > limit
        )

    def document(self) -> dict[str, Any]:
        """Return a plan as JSON has it; the first four keys are fixed, scripts read them."""
        return {
            "fits": self.fits,
            "static_bytes": self.static_bytes,
            "dynamic_bytes": self.dynamic_bytes,
            "components": self.components,
            "model": self.model,
            "target": self.target.name,
            "recipe": self.recipe,
            "slots": self.target.slots,
            "context": self.target.context,
            "sides": {side.name: side.document() for side in self.sides},
            "parts": config.dump(self.parts),
            "disk": {**config.dump(self.disk), "device_bytes": self.disk.device_bytes},
            "building": config.dump(self.building),
            "over_budget": list(self.over_budget),
        }


def total(parts: Sequence[Component]) -> int:
    """Count the bytes of all components."""
    return sum(part.bytes for part in parts)
