"""Whom an evaluation asks: bundles as they are, or one checkpoint's, built by several recipes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edgekit.bundle import Bundle, open_bundle
from edgekit.pipeline import build
from edgekit.recipe import Recipe
from edgekit.runtime.model import Model
from edgekit.target import Target


@dataclass(frozen=True)
class Subject:
    """A bundle, by a ``name`` that tells it from the others."""

    name: str
    bundle: Bundle

    def open(self, slots: int | None) -> Model:
        """Open it with so many slots; None: as many as its target has."""
        return Model.open(self.bundle.path, slots or self.bundle.manifest.target.slots)


@dataclass(frozen=True)
class Subjects:
    """Bundles, each of which is there while it is looked at; their ``names`` are told before."""

    names: tuple[str, ...]
    each: Callable[[], Iterator[Subject]]

    def __iter__(self) -> Iterator[Subject]:
        return self.each()


def bundles_at(paths: Sequence[Path]) -> Subjects:
    """Return the bundles at ``paths``, called by their folders, or by their paths where two are called alike.

    Raises what opening a bundle raises: the last one's faults show before the first one's work.
    """
    bundles = [open_bundle(path) for path in paths]
    folders = [bundle.path.resolve().name for bundle in bundles]
    names = tuple(
        name if folders.count(name) == 1 else str(bundle.path) for bundle, name in zip(bundles, folders, strict=True)
    )
    return Subjects(names, lambda: map(Subject, names, bundles))


def built(checkpoint: Path, recipes: Sequence[Recipe], target: Target) -> Subjects:
    """Return ``checkpoint`` built by each recipe, one at a time, in a place that is gone afterwards."""

    def each() -> Iterator[Subject]:
        for recipe in recipes:
            with TemporaryDirectory(prefix="edgekit-evaluate-") as folder:
                yield Subject(recipe.name, build(checkpoint, target, recipe, Path(folder) / recipe.name).bundle)

    return Subjects(tuple(recipe.name for recipe in recipes), each)
