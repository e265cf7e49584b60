"""The published memory of six variants beside ours: planned for each target, and measured where profiles are given.

One slot of 2,048 tokens, since the published figures are of one question at a time. Of a card it is the card's own
memory, which those figures count; where memory is shared, ours has the whole process in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgekit.plan.planning import plan_subject
from edgekit.profile.record import Profile
from edgekit.recipe import recipe
from edgekit.report.published import MODELS, Published, PublishedModel
from edgekit.target import Target

SLOTS, CONTEXT = 1, 2048


@dataclass(frozen=True)
class Ours:
    """Bytes of one variant on one device; ``peak_bytes`` is the highest, ``dynamic_bytes`` as published: the mean of
    questions' peaks where it was measured, and the planned peak where it was planned."""

    static_bytes: int
    dynamic_bytes: int
    peak_bytes: int
    fits: bool


@dataclass(frozen=True)
class Variant:
    """A model by a recipe. ``planned`` by target, ``measured`` by device (with slots and context, which may be others
    than those planned for)."""

    model: str
    recipe: str
    published: Published
    planned: dict[str, Ours]
    measured: dict[str, Ours]


def variants(targets: Sequence[Target], profiles: Sequence[Profile] = ()) -> list[Variant]:
    """The six variants, each with a plan for every target and what ``profiles`` measured of it."""
    return [
        Variant(model.title, name, published, _planned(model, name, targets), _measured(model, name, profiles))
        for model in MODELS
        for name, published in model.variants.items()
    ]


def _planned(model: PublishedModel, name: str, targets: Sequence[Target]) -> dict[str, Ours]:
    found = {}
    for target in targets:
        one = replace(target, slots=SLOTS, context=CONTEXT)
        planned = plan_subject(model.subject, one, recipe(name))
        found[target.name] = Ours(planned.static_bytes, planned.dynamic_bytes, planned.dynamic_bytes, planned.fits)
    return found


def _measured(model: PublishedModel, name: str, profiles: Sequence[Profile]) -> dict[str, Ours]:
    found = {}
    for made in profiles:
        if model.word in made.model.lower() and made.recipe == name:
            side = made.sides[0]
            where = f"{made.device.gpu or made.device.cpu}, {made.slots} × {made.context}"
            found[where] = Ours(side.static_bytes, side.mean_peak_bytes, side.dynamic_bytes, True)
    return found
