"""What somebody asks to be planned: a checkpoint by a recipe on a target, or a bundle as it was built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.bundle import MANIFEST, open_bundle
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.open import open_checkpoint
from edgekit.plan.planning import as_built
from edgekit.plan.subject import Model
from edgekit.recipe import Recipe, recipe
from edgekit.target import Target, target


@dataclass(frozen=True)
class Asked:
    """A model, and the target and the recipe that it is planned for."""

    model: Model
    target: Target
    recipe: Recipe

    @property
    def notes(self) -> tuple[str, ...]:
        """What a build of a checkpoint would do otherwise than its makers; a bundle's build has said it."""
        return self.model.spec.notes if isinstance(self.model, Checkpoint) else ()


def is_bundle(path: Path) -> bool:
    """Tell whether ``path`` is a bundle's folder, by its manifest; else it is taken for a checkpoint's."""
    return (path / MANIFEST).exists()


def checkpoint_at(path: Path, vision: Path | None) -> Checkpoint:
    """Open a checkpoint as a build does; matrices that only ``--requantize`` takes are planned, too, with a note."""
    return open_checkpoint(path, vision, requantize=True)


def asked(path: Path, vision: Path | None, target_name: str | None, recipe_name: str | None) -> Asked:
    """Open what lies at ``path``, for the target and the recipe of these names or files.

    Without names a checkpoint is planned for ``cpu`` by ``q4``, and a bundle for the target that it was built for; a
    bundle's recipe is its own. Errors as of opening either, and :class:`~edgekit.errors.ConfigError` for a name.
    """
    if is_bundle(path):
        bundle = open_bundle(path)
        return Asked(bundle, *as_built(bundle, target(target_name) if target_name else None))
    chosen, precision = target(target_name or "cpu"), recipe(recipe_name or "q4")
    return Asked(checkpoint_at(path, vision), chosen, precision)
