"""A target is a device that EdgeKit builds for; ``targets/NAME.toml`` holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgekit import config
from edgekit.config.shipped import load_shipped, require_name, shipped
from edgekit.config.site import site_file
from edgekit.errors import ConfigError
from edgekit.target.kinds import KINDS, Activations, EngineKind, kind_of

if TYPE_CHECKING:  # a target is read without looking at a machine
    from edgekit.machine.detect import Machine


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A budget says what a deployment on a target may cost; None where the target sets no limit.

    * ``static_bytes``: memory after loading, of the device's, where it has its own; the same for the next two
    * ``dynamic_bytes``: memory at the peak of a question
    * ``memory_bytes``: the most memory over a service's life
    * ``first_token_ms``: the wait for an answer's first token
    * ``tokens_per_s``: the least speed of one answer
    * ``load_s``: seconds until the model answers
    * ``disk_bytes``: the most on the device's disk
    """

    static_bytes: int | None = None
    dynamic_bytes: int | None = None
    first_token_ms: float | None = None
    tokens_per_s: float | None = None
    load_s: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target is a device that bundles are made for.

    - ``name``, ``title``: in commands, and for people; ``arch``: its processor's
    - ``memory_bytes``: the accelerator's, or where ``unified`` everything's; 0 for whatever the machine has
    - ``reserved_bytes``: kept for the system, a desktop and other services
    - ``bandwidth``: of that memory, in bytes per second
    - ``engine``: one of :data:`~edgekit.target.kinds.KINDS`
    - ``slots``, ``context``: how many conversations of how many tokens it holds at once
    - ``container``: the family of its images
    - ``compute_capability``: of its GPU; "" where the processor computes
    - ``budget``: what a deployment may cost
    """

    name: str
    title: str
    arch: Literal["x86_64", "aarch64", "any"]
    memory_bytes: int
    unified: bool
    reserved_bytes: int
    bandwidth: int = field(metadata={"unit": "B/s"})
    engine: str = field(metadata={"choices": KINDS})
    slots: int
    context: int
    container: str
    compute_capability: str = ""
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        require_name(self.name)
        if self.slots < 1 or self.context < 1:
            raise ConfigError(f"{self.slots} slots of {self.context} tokens hold no conversation", "Give both ≥ 1.")
        if self.bandwidth < 1:
            raise ConfigError("'bandwidth' is nothing", 'Give that of its memory, "168 GB/s": decoding is bound by it.')
        if 0 < self.memory_bytes <= self.reserved_bytes:
            raise ConfigError("'reserved' leaves nothing of 'memory'", "Reserve less than the device has.")

    def resized(self, slots: int | None = None, context: int | None = None) -> Target:
        """Return the target with so many slots of so many tokens; None leaves its own."""
        return replace(self, slots=slots or self.slots, context=context or self.context)

    @property
    def kind(self) -> EngineKind:
        """All that follows from its engine."""
        return kind_of(self.engine)

    @property
    def activations(self) -> Activations:
        """The dtype that graphs for this target compute in."""
        return self.kind.activations

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit targets NAME --json`` writes."""
        return dict(config.dump(self))


def target(word: str) -> Target:
    """Return a target by its name ("orin") or by the path of its TOML file; :class:`ConfigError` where there is none.

    As it ships: what a site lays over its budget, :func:`with_site_budget` adds.
    """
    return load_shipped("targets", word, Target)


def targets() -> list[Target]:
    """Return every target that ships with EdgeKit, the smallest first."""
    return sorted((target(name) for name in shipped("targets")), key=lambda shape: shape.memory_bytes)


@dataclass(frozen=True)
class DetectedTarget:
    """A detected target is a machine, and the target that it can stand for."""

    machine: Machine
    target: Target

    def document(self) -> dict[str, Any]:
        """Return what was detected as JSON has it."""
        return {"machine": config.dump(self.machine), "target": self.target.name}


def document(targets: Sequence[Target]) -> dict[str, Any]:
    """Return targets as JSON has them."""
    return {"targets": config.dump(targets)}


def matching_target(machine: Machine) -> Target:
    """Return the largest shipped target that a machine can stand for; "cpu" where its GPU is no target's."""
    return max((shape for shape in targets() if _matches(shape, machine)), key=lambda shape: shape.memory_bytes)


def _matches(target: Target, machine: Machine) -> bool:
    if target.arch not in ("any", machine.arch):
        return False
    if not target.compute_capability:
        return True
    # A system sees a few per cent less than the memory that is sold: 61.4 of an Orin's 64 GiB.
    needed = 0.9 * target.memory_bytes
    return any(
        gpu.compute_capability == target.compute_capability
        and (machine.memory_bytes if target.unified else gpu.memory_bytes) >= needed
        for gpu in machine.gpus
    )


def with_site_budget(target: Target) -> Target:
    """Return the target with the budget that holds at this site:
    its file ``budgets/NAME.toml`` may name any limit anew.

    :class:`ConfigError` where that file says something wrong.
    """
    path = site_budget(target.name)
    if path is None:
        return target
    said = config.load_toml(path, Budget)
    named = {limit.name: value for limit in fields(said) if (value := getattr(said, limit.name)) is not None}
    return replace(target, budget=replace(target.budget, **named))


def site_budget(name: str) -> Path | None:
    """Return the site's file for a target's budget, where there is one."""
    return site_file(f"budgets/{name}.toml")
