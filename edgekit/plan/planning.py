"""What a model will take on a device, from the headers of a checkpoint or the manifest of a bundle: no weight is read.

Memory that CPU and GPU share is counted once; a card's and its host's are counted each for itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from edgekit.bundle import Bundle
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.shapes import Shape, tensor_shapes
from edgekit.checkpoint.spec import ModelSpec
from edgekit.detect import detect
from edgekit.errors import ConfigError
from edgekit.plan.building import building
from edgekit.plan.coefficients import Coefficients, coefficients
from edgekit.plan.components import (
    Component,
    Where,
    arena_bytes,
    spare_row_bytes,
    weights_in_memory,
    weights_on_disk,
    width,
)
from edgekit.plan.disk import Disk, disk, disk_of_bundle
from edgekit.plan.memory import MemoryPlan
from edgekit.plan.working import packing_bytes, working
from edgekit.recipe import Recipe
from edgekit.target import Target

Model: TypeAlias = Checkpoint | Bundle
QUESTION = 64
"""Tokens that a context must have besides a picture's: a question and an answer, both short."""
ENGINES = "engines"


def plan(model: Model, target: Target, recipe: Recipe) -> MemoryPlan:
    """What ``model`` takes by ``recipe`` with the target's slots and context, as far as the model was made for it.

    Of a bundle, ``recipe`` and the target's context must be the bundle's (:func:`as_built`). :class:`ConfigError`
    where a context is too short for one picture.
    """
    target = on_this_machine(replace(target, context=usable_context(spec_of(model), target)))
    known = coefficients(target.engine)
    shapes = shapes_of(model)
    parts = tuple(_parts(model, shapes, target, recipe, known))
    return MemoryPlan(
        name_of(model), target, recipe.name, parts, _disk(model, shapes, target, recipe), building(_cores(), known)
    )


def _parts(
    model: Model, shapes: Mapping[str, Shape], target: Target, recipe: Recipe, known: Coefficients
) -> Iterator[Component]:
    spec = spec_of(model)
    for name, size in weights_in_memory(shapes, recipe, width(target.activations)).items():
        where: Where = "host" if name == "embedding" else "device"
        yield Component(name, size, where, "static", "exact", recipe.precision(name))
    arena = arena_bytes(spec.decoder, target.slots, target.context, target.activations)
    if target.engine == "onnxruntime-cuda":
        arena += spare_row_bytes(spec.decoder, target.context, target.activations)
    yield Component("kv_arena", arena, "device", "static", "exact", target.activations)
    yield from working(spec, shapes, recipe, target, known)


def _disk(model: Model, shapes: Mapping[str, Shape], target: Target, recipe: Recipe) -> Disk:
    known, wide = coefficients(target.engine), width(target.activations)
    memory = weights_in_memory(shapes, recipe, wide)
    loaded = sum(size for name, size in memory.items() if name != "embedding") + packing_bytes(shapes, recipe, target)
    if isinstance(model, Bundle):
        return disk_of_bundle(model.bytes, _compiled_bytes(model), loaded, known)
    stored = sum(weights_on_disk(shapes, recipe, wide).values())
    return disk(model.bytes, stored, tokenizer_bytes(model), loaded, known)


def _compiled_bytes(bundle: Bundle) -> int:
    """Of the largest compiled form in a bundle's folder: it may hold those of several machines."""
    folders = [folder for folder in (bundle.path / ENGINES).glob("*") if folder.is_dir()]
    return max((sum(file.stat().st_size for file in folder.iterdir()) for folder in folders), default=0)


def on_this_machine(target: Target) -> Target:
    """The target with this machine's memory where it names none."""
    return target if target.memory_bytes else replace(target, memory_bytes=detect().memory_bytes)


def _cores() -> int:
    return os.cpu_count() or 1


def spec_of(model: Model) -> ModelSpec:
    return model.manifest.spec if isinstance(model, Bundle) else model.spec


def name_of(model: Model) -> str:
    return model.manifest.source if isinstance(model, Bundle) else model.path.resolve().name


def tokenizer_bytes(model: Model) -> int:
    """Bytes of tokenizer.json."""
    if isinstance(model, Bundle):
        return model.manifest.files["tokenizer.json"].bytes if "tokenizer.json" in model.manifest.files else 0
    return len(model.tokenizer_json.encode())


def shapes_of(model: Model) -> dict[str, Shape]:
    """Name → shape of every tensor; a checkpoint has been held against the same list when it was opened."""
    if isinstance(model, Bundle):
        return tensor_shapes(model.manifest.spec)
    return {name: tensor.shape for name, tensor in model.tensors.items()}


def least_context(spec: ModelSpec) -> int:
    """The shortest context that holds a picture and a question about it."""
    return spec.tokens_per_image + QUESTION


def usable_context(spec: ModelSpec, target: Target) -> int:
    """Tokens of context a bundle is built for: the target's, as far as the model was made for it."""
    context = min(target.context, spec.decoder.context)
    if context < least_context(spec):
        raise ConfigError(
            f"a context of {context} tokens is too short: one image takes {spec.tokens_per_image}",
            f"Give the target a context of at least {least_context(spec)}.",
        )
    return context


def as_built(bundle: Bundle, target: Target | None = None) -> tuple[Target, Recipe]:
    """A bundle's target, or another one, with the bundle's context; and the bundle's recipe.

    :class:`ConfigError` where the other target runs another engine: the graphs are for the one that it was built for.
    """
    manifest = bundle.manifest
    other = target or manifest.target
    if other.engine != manifest.target.engine:
        raise ConfigError(
            f"{bundle.path} was built for {manifest.target.name} ({manifest.target.engine}); "
            f"{other.name} runs {other.engine}",
            "Plan the checkpoint that it was built from, and build it for that target.",
        )
    return replace(other, context=manifest.context), manifest.recipe
