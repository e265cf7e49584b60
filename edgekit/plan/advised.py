"""A plan, and what would fit where it doesn't: what ``edgekit plan`` says of one model on one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.errors import GateRefused
from edgekit.plan.advice import Option, advice, hint, shortfall
from edgekit.plan.memory import MemoryPlan
from edgekit.plan.planning import plan
from edgekit.plan.subject import Model
from edgekit.recipe import Recipe
from edgekit.target import Target


@dataclass(frozen=True)
class AdvisedPlan:
    """A plan. ``options`` are what would fit, the cheapest loss first; ``refusal`` says why it must not be built and
    what to do; () and None where it fits."""

    plan: MemoryPlan
    options: tuple[Option, ...] = ()
    refusal: GateRefused | None = None

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit plan --json`` writes of one model."""
        return {**self.plan.document(), "would_fit": [option.document() for option in self.options]}


def advised_plan(model: Model, target: Target, recipe: Recipe) -> AdvisedPlan:
    """Plan as :func:`~edgekit.plan.planning.plan` does, and look for what would fit where ``model`` doesn't."""
    planned = plan(model, target, recipe)
    if planned.fits:
        return AdvisedPlan(planned)
    options = advice(model, target, recipe)
    return AdvisedPlan(planned, tuple(options), GateRefused(shortfall(planned), hint(options, model)))
