"""The published memory of six variants beside ours: planned for each target, and measured where profiles are given.

One slot of 2,048 tokens, since the published figures are of one question at a time. Of a card it is the card's own
memory, which those figures count; where memory is shared, ours has the whole process in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgekit import config
from edgekit.plan.components import weights_in_memory, width
from edgekit.plan.planning import plan_subject
from edgekit.profile.record import Profile
from edgekit.recipe import recipe
from edgekit.report.published import MODELS, Published, PublishedModel
from edgekit.target import Target
from edgekit.target.kinds import KINDS

SLOTS, CONTEXT = 1, 2048
_ALIKE = 0.05  # a longer vocabulary makes a model up to so much larger; LLaVA-Med 1.0 and TinyLLaVA-2.0B differ by more


@dataclass(frozen=True, kw_only=True)
class Ours:
    """Bytes of one variant on one device; ``peak_bytes`` is the highest, ``dynamic_bytes`` as published: the mean of
    questions' peaks where it was measured, and the planned peak where it was planned. Ratios are to what was published,
    None where nothing was."""

    static_bytes: int
    dynamic_bytes: int
    peak_bytes: int
    fits: bool
    static_ratio: float | None
    dynamic_ratio: float | None


@dataclass(frozen=True)
class Variant:
    """A model by a recipe. ``planned`` by target, ``measured`` by device (with slots and context, which may be others
    than those planned for)."""

    model: str
    recipe: str
    published: Published
    planned: dict[str, Ours]
    measured: dict[str, Ours]


@dataclass(frozen=True)
class MemoryReport:
    """The six variants, and the slots and context that they were planned with."""

    slots: int
    context: int
    variants: tuple[Variant, ...]

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit report memory --json`` writes."""
        return dict(config.dump(self))


def memory_report(targets: Sequence[Target], profiles: Sequence[Profile] = ()) -> MemoryReport:
    """Report the variants on every target, and what ``profiles`` measured of them."""
    return MemoryReport(SLOTS, CONTEXT, tuple(variants(targets, profiles)))


def variants(targets: Sequence[Target], profiles: Sequence[Profile] = ()) -> list[Variant]:
    """List the six variants, each with a plan for every target and what ``profiles`` measured of it; of several of one
    device the newest."""
    return [
        Variant(model.title, name, published, _planned(model, name, targets), _measured(model, name, profiles))
        for model in MODELS
        for name, published in model.variants.items()
    ]


def is_of(model: PublishedModel, profile: Profile) -> bool:
    """Say whether ``profile`` was measured of ``model``: by its weights' sizes, whatever its name, or by a name that
    says so and weights of about that size (another vocabulary), so that no larger sister is taken for it."""
    kind = KINDS.get(profile.device.engine)  # none where a newer EdgeKit measured
    if profile.bundle.recipe not in model.variants or kind is None:
        return False
    wide = width(kind.activations)
    ours = weights_in_memory(model.subject.tensors, recipe(profile.bundle.recipe), wide)
    planned = {part: profile.planned.components.get(part, 0) for part in ours}
    called_so = model.word in profile.bundle.model.lower().replace("_", "-")
    size = sum(ours.values())
    return planned == ours or (called_so and abs(sum(planned.values()) - size) < _ALIKE * size)


def _planned(model: PublishedModel, name: str, targets: Sequence[Target]) -> dict[str, Ours]:
    ours = {}
    for target in targets:
        planned = plan_subject(model.subject, replace(target, slots=SLOTS, context=CONTEXT), recipe(name))
        static, dynamic = planned.static_bytes, planned.dynamic_bytes
        ours[target.name] = _beside(model.variants[name], static, dynamic, dynamic, planned.fits)
    return ours


def _measured(model: PublishedModel, name: str, profiles: Sequence[Profile]) -> dict[str, Ours]:
    ours = {}
    for profile in sorted(profiles, key=lambda profile: profile.measured_at):
        if profile.bundle.recipe == name and is_of(model, profile):
            side = profile.memory.sides[0]
            device = f"{profile.device.name}, {profile.bundle.slots} × {profile.bundle.context}"
            static, mean = side.static_bytes, side.mean_peak_bytes
            ours[device] = _beside(model.variants[name], static, mean, side.dynamic_bytes, True)
    return ours


def _beside(published: Published, static: int, dynamic: int, peak: int, fits: bool) -> Ours:
    return Ours(
        static_bytes=static,
        dynamic_bytes=dynamic,
        peak_bytes=peak,
        fits=fits,
        static_ratio=static / published.static_bytes if published.static_bytes else None,
        dynamic_ratio=dynamic / published.dynamic_bytes if published.dynamic_bytes else None,
    )
