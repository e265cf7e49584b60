"""Every recipe on every target: what fits where, by how much, and the best of each target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.errors import CheckpointError
from edgekit.plan.memory import MemoryPlan, total
from edgekit.plan.planning import on_this_machine, plan_subject
from edgekit.plan.subject import Subject, subject_of
from edgekit.recipe import Recipe, recipes
from edgekit.target import Target, targets


@dataclass(frozen=True)
class Matrix:
    """Plans by target and recipe, and the recipe that is best on each target; "" where none fits."""

    plans: Mapping[str, Mapping[str, MemoryPlan]]
    best: Mapping[str, str]

    @property
    def fits(self) -> bool:
        """Whether there is anything that fits on every target."""
        return all(self.best.values())

    def document(self) -> dict[str, Any]:
        """Return plans by target and recipe as JSON has them."""
        plans = {
            target: {recipe: planned.document() for recipe, planned in row.items()}
            for target, row in self.plans.items()
        }
        return {"fits": self.fits, "best": dict(self.best), "plans": plans}


def matrix(checkpoint: Checkpoint, targets: Sequence[Target], recipes: Sequence[Recipe]) -> Matrix:
    """Plan each pair; the best that fits keeps the most of the weights' precision, and no more than they have.

    Packed weights leave out recipes that they don't fit; :class:`CheckpointError` where that is each of them.
    """
    recipes, subject = _buildable(checkpoint, recipes)
    plans = {
        target.name: {recipe.name: plan_subject(subject, on_this_machine(target), recipe) for recipe in recipes}
        for target in targets
    }
    useful = [recipe for recipe in recipes if subject.stored_bytes > 2 or not _is_wide(recipe)] or recipes
    return Matrix(plans, {name: _best(row, useful) for name, row in plans.items()})


def shipped_matrix(checkpoint: Checkpoint, slots: int | None = None, context: int | None = None) -> Matrix:
    """Plan every recipe that ships on every target that does, with so many slots of so many tokens, or the target's;
    errors as of :func:`matrix`."""
    return matrix(checkpoint, [target.resized(slots, context) for target in targets()], recipes())


def _buildable(checkpoint: Checkpoint, recipes: Sequence[Recipe]) -> tuple[Sequence[Recipe], Subject]:
    """The recipes that ``checkpoint`` can be built by, and what a plan needs to know of it, alike for all of them."""
    subjects: dict[Recipe, Subject] = {}
    for recipe in recipes:
        with suppress(CheckpointError):
            subjects[recipe] = subject_of(checkpoint, recipe)
    if not subjects:
        return recipes, subject_of(checkpoint, recipes[0])  # raises once more
    return list(subjects), next(iter(subjects.values()))


def _best(row: Mapping[str, MemoryPlan], recipes: Sequence[Recipe]) -> str:
    fitting = [recipe.name for recipe in recipes if row[recipe.name].fits]
    return max(fitting, key=lambda name: total(row[name].parts), default="")


def _is_wide(recipe: Recipe) -> bool:
    """A recipe in 32 bits makes nothing better of weights that are stored in 16."""
    return "fp32" in (recipe.vision, recipe.projector, recipe.embedding, recipe.decoder, recipe.lm_head)
